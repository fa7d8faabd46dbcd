"""Bytes that change while nothing says so, as on a disk that fails.

Memory that is mapped from a file and has been written to once is written to again without any time of the file being
set, and nobody is told, until the kernel has written the page to the disk. So no right is needed for it, and no device.
"""

import contextlib
import mmap
import os
import time

from harness import PATIENCE

SHOWN = ('st_ino', 'st_size', 'st_mtime_ns', 'st_ctime_ns')


def shown(path):
    now = os.stat(path)
    return [getattr(now, name) for name in SHOWN]


@contextlib.contextmanager
def rotting(path, record):
    """Has what is there recorded by `record()`, and flips a bit of its first byte after that."""
    with open(path, 'r+b') as file, mmap.mmap(file.fileno(), 0) as memory:
        until = time.monotonic() + PATIENCE
        while True:
            memory[0] = memory[0]
            time.sleep(0.05)
            record()
            before = shown(path)
            memory[0] ^= 0x20
            if shown(path) == before:
                break
            memory[0] ^= 0x20
            assert time.monotonic() < until, 'every write is seen in the times of the file'
        yield
