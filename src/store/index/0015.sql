-- By what the file system calls it, a file that was renamed is found.
CREATE INDEX seen_by_inode ON seen (inode);
PRAGMA user_version = 15;
