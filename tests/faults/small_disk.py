"""A state directory on a disk that is soon full: for tests that may mount."""

import functools
import os
import subprocess

from harness import equal
from mounts import mount


class SmallDisk:
    """A place whose state directory lies on a small disk of its own."""

    def __init__(self, world, size):
        self.place = world.place()
        self.state = self.place / 'state' / 'sourceos-syncd'
        self.state.mkdir(parents=True, mode=0o700)
        mount('-t', 'tmpfs', '-o', f'size={size},mode=0700', 'none', self.state)
        self.filler = self.state / 'filler'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', str(self.state)], check=True)

    def fill(self, size=None):
        """So much of it; or all, and not a byte is left."""
        with self.filler.open('ab', buffering=0) as filler:
            for piece in (1 << 20, 1 << 12, 1):
                try:
                    while size is None or filler.tell() < size:
                        filler.write(b'\0' * piece)
                except OSError:
                    continue
        if size is None:
            equal(os.statvfs(self.state).f_bavail, 0, 'free blocks')

    def make_room(self):
        self.filler.unlink()

    def forget_index(self):
        for name in ('index.db', 'index.db-wal'):
            (self.state / name).unlink(missing_ok=True)


def on_small_disk(size):
    def decorate(check):
        @functools.wraps(check)
        def checked(world):
            with SmallDisk(world, size) as disk:
                check(world, disk)
        return checked
    return decorate
