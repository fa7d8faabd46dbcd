-- What is listed by any other state: few, among many that are active (domain/family.h).
CREATE INDEX record_not_active ON record (family, state, id) WHERE state <> 'active';
PRAGMA user_version = 21;
