/*
 * Reading ahead, below SQLite.
 *
 * A walk over a long log asks for one page after the other, and each would be a system call. This
 * VFS lies between SQLite and the one that is SQLite's default: while a database is read forwards
 * it fetches more than was asked for and serves the next pages from memory. It does not write, sync
 * or lock otherwise than the VFS below, and leaves all files but main databases to it.
 *
 * What was fetched cannot grow old: a database has one connection, nobody else writes the file
 * while the directory's lock is held (store/directory.h), and each write through here drops it.
 * When more cannot be had (the end of the file, a sector that fails) just what was asked for is
 * read, so that an error is that of the page it belongs to.
 */
#pragma once

/* Its name, for sqlite3_open_v2(). NULL (the default VFS) when it cannot be had. */
const char *syncd_read_ahead(void);
