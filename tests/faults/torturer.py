#!/usr/bin/python3
"""Does to a directory what people and programs do to theirs, at random, from a seed: several of these
may do so at once. What another one has just taken away is no reason to stop.

It follows symlinks, and somebody may put one wherever there was a folder. So all that are ever made
lead to places within PLACE: PLACE/tree is what is worked on, PLACE/outside is where they lead to."""

import argparse
import ctypes
import errno
import os
import random

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
# What somebody else did to it meanwhile, or what cannot be done with it.
LOST = (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL, errno.ELOOP,
        errno.ENAMETOOLONG, errno.EACCES, errno.ENXIO, errno.EPERM, errno.EMLINK, errno.ESTALE)
NAMES = [b'a', b'b', b'c', b'd', b'Readme', b'README', 'Ångström'.encode(), 'Ångström'.encode(),
         b'\xff\xfe no text', b'new\nline', b'.hidden', b'n' * 255, b'-rf', b' ', b'"quoted"', b'a.tmp', b'a.skip']
# Which files are ignored changes too. Nothing else is ever in such a file: what is there at random must not be a rule.
RULES_FILE = b'.syncignore'
RULES = [b'', b'*.skip\n', b'd/\n', b'*.skip\nd/\n']


def open_now(path, mode):
    """A pipe that nobody reads is not waited for."""
    return open(path, mode, buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK, 0o644))


class Torturer:
    def __init__(self, place, seed):
        self.root = os.path.join(os.fsencode(place), b'tree')
        self.outside = os.path.join(os.fsencode(place), b'outside')
        assert os.path.isdir(self.root) and os.path.isdir(self.outside), 'PLACE must have tree and outside'
        self.random = random.Random(seed)
        self.open = []

    # --- places ---

    def folders(self):
        found = [self.root]
        for folder, below, _ in os.walk(self.root):
            found += [os.path.join(folder, name) for name in below
                      if not os.path.islink(os.path.join(folder, name))]
        return found

    def existing(self):
        found = []
        for folder, below, names in os.walk(self.root):
            found += [os.path.join(folder, name) for name in below + names if name != RULES_FILE]
        return self.random.choice(found) if found else self.root + b'/none'

    def place(self):
        folder = self.random.choice(self.folders())
        if folder.count(b'/') - self.root.count(b'/') > 8:
            folder = self.root
        return os.path.join(folder, self.random.choice(NAMES))

    def content(self):
        size = self.random.choice([0, 1, 10, 1000, 5000, 70000])
        return self.random.randbytes(min(size, 64)) * (size // 64 + 1)

    # --- what is done ---

    def create(self):
        with open_now(self.place(), 'wb') as file:
            file.write(self.content())

    def write_in_place(self):
        path = self.existing()
        if os.path.isfile(path) and not os.path.islink(path):
            with open_now(path, 'r+b') as file:
                file.seek(self.random.randrange(100))
                file.write(self.content())

    def append_and_keep_open(self):
        path = self.existing()
        if os.path.isfile(path) and not os.path.islink(path):
            file = open_now(path, 'ab')
            file.write(b'more')
            self.open.append(file)
        if len(self.open) > 3:
            self.open.pop(0).close()

    def truncate(self):
        path = self.existing()
        if os.path.isfile(path) and not os.path.islink(path):
            os.truncate(path, self.random.choice([0, 1, 100, 4096]))

    def rename(self):
        os.rename(self.existing(), self.place())

    def replace(self):
        """As editors save."""
        path = self.existing()
        if os.path.isfile(path) and not os.path.islink(path):
            with open_now(path + b'~', 'wb') as file:
                file.write(self.content())
            os.rename(path + b'~', path)

    def swap(self):
        if LIBC.renameat2(AT_FDCWD, self.existing(), AT_FDCWD, self.existing(), RENAME_EXCHANGE) < 0:
            raise OSError(ctypes.get_errno(), 'renameat2')

    def delete(self):
        path = self.existing()
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)

    def delete_tree_and_make_it_again(self):
        path = self.random.choice(self.folders())
        if path != self.root:
            for folder, below, names in os.walk(path, topdown=False):
                for name in names + below:
                    whole = os.path.join(folder, name)
                    if os.path.isdir(whole) and not os.path.islink(whole):
                        os.rmdir(whole)
                    else:
                        os.unlink(whole)
            os.rmdir(path)
            os.mkdir(path)
            with open_now(os.path.join(path, b'again'), 'wb') as file:
                file.write(self.content())

    def make_folder(self):
        os.mkdir(self.place())

    def make_folders(self):
        path = os.path.join(self.place(), self.random.choice(NAMES), self.random.choice(NAMES))
        os.makedirs(path, exist_ok=True)
        with open_now(os.path.join(path, b'deep'), 'wb') as file:
            file.write(self.content())

    def change_mode(self):
        path = self.existing()
        if not os.path.islink(path):
            os.chmod(path, self.random.choice([0o700, 0o755, 0o750]))

    def touch(self):
        os.utime(self.existing(), (self.random.randrange(10 ** 9),) * 2, follow_symlinks=False)

    def make_symlink(self):
        inside = os.path.join(self.outside, b'file')
        os.symlink(self.random.choice([inside, self.outside, b'.', b'a', self.root, b'nowhere', b'\xff']), self.place())

    def folder_becomes_symlink(self):
        path = self.random.choice(self.folders())
        if path != self.root:
            os.rename(path, path + b'.moved')
            os.symlink(self.outside, path)

    def change_rules(self):
        folder = self.random.choice([self.root, self.random.choice(self.folders())])
        with open_now(os.path.join(folder, RULES_FILE + b'~'), 'wb') as file:
            file.write(self.random.choice(RULES))
        os.rename(os.path.join(folder, RULES_FILE + b'~'), os.path.join(folder, RULES_FILE))

    def link(self):
        os.link(self.existing(), self.place(), follow_symlinks=False)

    def make_pipe(self):
        os.mkfifo(self.place())

    def burst(self):
        folder = self.random.choice(self.folders())
        kind = self.random.randrange(1000)
        for number in range(self.random.choice([20, 60, 300])):
            with open_now(os.path.join(folder, b'burst-%d-%d' % (kind, number)), 'wb') as file:
                file.write(b'%d' % number)

    def rename_many(self):
        folder, other = self.random.choice(self.folders()), self.random.choice(self.folders())
        for name in sorted(os.listdir(folder))[:300]:
            if name.startswith(b'burst'):
                os.rename(os.path.join(folder, name), os.path.join(other, name))

    DEEDS = ([create] * 6 + [write_in_place] * 4 + [append_and_keep_open] * 2 + [truncate] * 2 + [rename] * 6 +
             [replace] * 3 + [swap] * 3 + [delete] * 5 + [delete_tree_and_make_it_again] + [make_folder] * 3 +
             [make_folders] * 2 + [change_mode] * 2 + [touch] * 2 + [make_symlink] * 2 +
             [folder_becomes_symlink] + [link] * 2 + [make_pipe] + [change_rules] * 2 + [burst] + [rename_many])

    def do(self, count):
        for _ in range(count):
            try:
                self.random.choice(self.DEEDS)(self)
            except OSError as error:
                if error.errno not in LOST:
                    raise
        for file in self.open:
            file.close()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('place')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--operations', type=int, default=500)
    options = parser.parse_args()
    Torturer(options.place, options.seed).do(options.operations)
