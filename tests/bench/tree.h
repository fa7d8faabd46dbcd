/*
 * The files that scanning is measured with, and what others do with them: read and hash all of them
 * in one loop, or only look.
 *
 * Small files lie in folders of 1,000, and one large file may lie beside them. They are warm: what
 * is measured is not the disk.
 */
#pragma once

#include <glib.h>

/* `bytes` 0: of 1 to 8 KiB each. `root` is an open folder. */
void tree_make(int root, unsigned files, unsigned bytes);
void tree_make_large(int root, guint64 bytes); /* as large/file */
unsigned tree_folders(unsigned files);
unsigned tree_files_in(unsigned files, unsigned folder);

/* Open, read, SHA-256, close: seconds. */
double tree_loop(int root, unsigned files);
double tree_loop_large(int root);
/* The same, reading in a thread while the other one hashes. */
double tree_loop_large_threads(int root);
/* Reads the names of all folders and looks at each: seconds. */
double tree_walk(int root, unsigned files);
