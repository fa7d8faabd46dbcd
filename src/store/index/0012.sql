CREATE INDEX task_delayed ON task (ready_ms) WHERE task = 0 AND ready_ms > 0;
PRAGMA user_version = 12;
