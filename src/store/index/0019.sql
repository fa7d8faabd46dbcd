-- State of domain/deletion.h: hidden. What a purge may take, as it was deleted.
CREATE INDEX deletion_hidden ON deletion (pos) WHERE state = 4;
PRAGMA user_version = 19;
