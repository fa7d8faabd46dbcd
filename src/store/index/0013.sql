-- States of domain/deletion.h: purged, proven.
CREATE INDEX deletion_purged ON deletion (object) WHERE state IN (5, 6);
PRAGMA user_version = 13;
