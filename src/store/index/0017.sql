-- file.live is 2 of one that is ignored from then on: it is not in the workspace, and may come back as what it was.
CREATE INDEX file_ignored ON file (folder, name) WHERE live = 2;
PRAGMA user_version = 17;
