-- The registries: the newest state of every record, whatever its family (src/domain/family.c).

CREATE TABLE record (
    family TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    scope TEXT NOT NULL,                            -- scope.id of the feed that holds it
    owner TEXT NOT NULL,                            -- the actor that registered it
    type TEXT NOT NULL,                             -- '' where the family has no such member; so are the next six
    workspace TEXT NOT NULL,
    profile TEXT NOT NULL,
    schema TEXT NOT NULL,
    identity TEXT NOT NULL,                         -- what an actor is found by: "uid:1000"
    privacy TEXT NOT NULL,                          -- the privacy class of an object
    encryption TEXT NOT NULL,                       -- the encryption profile that a workspace demands
    first INTEGER NOT NULL,                         -- the entry that registered it
    pos INTEGER NOT NULL,                           -- the newest entry: it holds the whole document
    PRIMARY KEY (family, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_identity ON record (identity) WHERE identity <> '';

PRAGMA user_version = 2;
