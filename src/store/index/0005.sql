-- The ways to look entries up, one a file. A rebuild makes them last, one a step: sorted in bulk they cost a quarter of
-- what they cost row by row. Each ends in the row's pos by itself.

CREATE INDEX entry_by_object ON entry (object) WHERE object <> '';
PRAGMA user_version = 5;
