-- Which versions need a chunk.
CREATE INDEX content_chunk_by_name ON content_chunk (name);
PRAGMA user_version = 16;
