CREATE INDEX task_offered ON task (rank, pos) WHERE task = 0 AND waits = 0;
PRAGMA user_version = 10;
