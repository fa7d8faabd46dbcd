"""What a program did to the files below some directories, told by strace, and what was wrong with it.

A file is durable when its bytes were synced, and its name when the directory was. Both must be so
when a file is published by rename, before anything is told to anybody, and at the end."""

import os
import pathlib
import re
import shlex
import stat

WRITES = {'write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'fallocate',
          'copy_file_range'}
OPENS = {'open', 'openat', 'openat2', 'creat'}
RENAMES = {'rename', 'renameat', 'renameat2'}
LINKS = {'link', 'linkat', 'symlink', 'symlinkat'}
REMOVALS = {'unlink', 'unlinkat', 'rmdir'}
FOLDERS = {'mkdir', 'mkdirat'}
MODES = {'fchmod', 'chmod', 'fchmodat'}
SYNCS = {'fsync', 'fdatasync'}
TELLS = {'sendmsg', 'sendto'}
CALLS = WRITES | OPENS | RENAMES | LINKS | REMOVALS | FOLDERS | MODES | SYNCS | TELLS

RULES = {
    'unsynced': 'was written and never synced',
    'published-unsynced': 'got its name before its bytes were synced',
    'entry': 'has a name that was never synced',
    'entry-removed': 'was removed and its directory never synced',
    'told-early': 'was not durable when something was told',
    'in-place': 'was written under its own name: a crash leaves half of it',
    'inherited': 'was opened without O_CLOEXEC',
    'followed': 'was opened for writing through whatever link lies there',
    'readable': 'is open to others',
}

CALL = re.compile(r'(\w+)\((.*)\)\s+= (-?\d+|\?)(?:<(.*?)>)?')
FIRST_FD = re.compile(r'(\d+)<([^>]*)>')
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"')


def wrapper(directory, program):
    """A program that runs `program` under strace, and where the trace goes."""
    trace = pathlib.Path(directory) / 'trace'
    script = pathlib.Path(directory) / 'traced'
    command = ['strace', '-D', '-f', '-y', '-s', '0', '-q', '--seccomp-bpf', '-e', 'signal=none',
               '-e', 'trace=' + ','.join(sorted(CALLS)), '-o', str(trace), '--', str(program)]
    # LeakSanitizer cannot run beside another tracer.
    script.write_text('#!/bin/sh\nexport ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"\n'
                      f'exec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    return str(script), trace


def calls_of(text):
    """(name, arguments, result, path of the result), in the order in which the calls ended."""
    begun = {}
    for line in text.splitlines():
        pid, _, rest = line.partition(' ')
        rest = rest.strip()
        if rest.endswith('<unfinished ...>'):
            begun[pid] = rest.removesuffix('<unfinished ...>')
            continue
        resumed = re.match(r'<\.\.\. \w+ resumed>(.*)', rest)
        if resumed:
            rest = begun.pop(pid, '') + resumed[1]
        call = CALL.match(rest)
        if call:
            yield call.groups()


class Judge:
    """`excused` is asked about a rule and a path that breaks it."""

    def __init__(self, roots, excused=lambda rule, path: False):
        self.excused = excused
        self.roots = [os.path.realpath(root) for root in roots]
        self.present = {path for root in self.roots for path in files_below(root)}
        self.dirty = set()       # files whose bytes are not durable
        self.held = set()        # files that were written at all
        self.in_place = set()    # and had their own name already
        self.entries = {}        # path -> 'entry' or 'entry-removed': the name is not durable
        self.faults = {}         # (rule, path) -> how often
        self.n_calls = 0

    def judge(self, trace):
        for name, arguments, result, path in calls_of(trace):
            if result == '?' or int(result) < 0:
                continue
            self.n_calls += 1
            self._call(name, arguments, path)
        self._end()
        return self.faults

    def _ours(self, path):
        return path is not None and any(path == root or path.startswith(root + '/')
                                        for root in self.roots)

    def _fault(self, rule, path):
        if self.excused(rule, path):
            return
        self.faults[rule, path] = self.faults.get((rule, path), 0) + 1

    def _call(self, name, arguments, path):
        first = FIRST_FD.match(arguments)
        on = first[2].removesuffix(' (deleted)') if first else None
        if name in OPENS:
            self._open(arguments, path)
        elif name == 'ftruncate' and arguments.endswith(', 0'):
            self._empty(on)
        elif name in WRITES:
            self._write(on)
        elif name in SYNCS:
            self._sync(on)
        elif name in TELLS:
            self._tell()
        elif name in MODES:
            self._mode(on if name == 'fchmod' else named(arguments)[0], arguments)
        else:
            self._change_names(name, named(arguments), arguments)

    def _open(self, arguments, path):
        flags = set(re.findall(r'O_\w+', arguments))
        if not self._ours(path) or 'O_PATH' in flags:
            return
        if 'O_CLOEXEC' not in flags:
            self._fault('inherited', path)
        if flags & {'O_WRONLY', 'O_RDWR', 'O_CREAT'} and not flags & {'O_NOFOLLOW', 'O_EXCL'}:
            self._fault('followed', path)
        if 'O_CREAT' not in flags:
            return
        if not_private(arguments):
            self._fault('readable', path)
        if path not in self.present:
            self.present.add(path)
            self.entries[path] = 'entry'

    def _write(self, path):
        if path is not None and path.startswith(('socket:', 'pipe:')):
            self._tell()
        if self._ours(path):
            self.dirty.add(path)
            self.held.add(path)
            self.in_place.add(path)

    def _empty(self, path):
        """What it had may come back, which is another rule's; there is nothing in it to be lost."""
        if self._ours(path):
            self.dirty.discard(path)
            self.in_place.add(path)

    def _sync(self, path):
        self.dirty.discard(path)
        for entry in [entry for entry in self.entries if os.path.dirname(entry) == path]:
            del self.entries[entry]

    def _mode(self, path, arguments):
        if self._ours(path) and not_private(arguments):
            self._fault('readable', path)

    def _change_names(self, name, paths, arguments):
        if name in RENAMES | LINKS and len(paths) == 2 and self._ours(paths[1]):
            self._publish(name, *paths)
        elif name in REMOVALS and self._ours(paths[0]):
            self._forget(paths[0])
            self.entries[paths[0]] = 'entry-removed'
        elif name in FOLDERS and self._ours(paths[0]):
            self.entries[paths[0]] = 'entry'
            self.held.add(paths[0])
            if not_private(arguments):
                self._fault('readable', paths[0])

    def _publish(self, name, old, new):
        if old in self.dirty:
            self._fault('published-unsynced', new)
        self._forget(new)
        self.present.add(new)
        self.held.add(new)
        self.entries[new] = 'entry'
        if old in self.dirty:
            self.dirty.add(new)
        if name in RENAMES:
            # The old name is gone as durably as the new one is there: they are one entry's change.
            self._forget(old)
            if os.path.dirname(old) != os.path.dirname(new):
                self.entries[old] = 'entry-removed'

    def _forget(self, path):
        for known in (self.present, self.dirty, self.held, self.in_place):
            known.discard(path)
        self.entries.pop(path, None)

    def _lost(self):
        """What a power cut would take now. An empty file that is lost loses nothing."""
        for path in self.dirty:
            yield 'unsynced', path
        for path, rule in self.entries.items():
            if rule == 'entry-removed' or path in self.held:
                yield rule, path

    def _tell(self):
        for rule, path in self._lost():
            if not self.excused(rule, path):
                self._fault('told-early', path)

    def _end(self):
        for rule, path in self._lost():
            self._fault(rule, path)
        for path in self.in_place & self.present:
            self._fault('in-place', path)
        for root in self.roots:
            for path in files_below(root):
                status = os.lstat(path)
                if not stat.S_ISSOCK(status.st_mode) and status.st_mode & 0o077:
                    self._fault('readable', path)


def named(arguments):
    return [os.path.join(folder, name) for folder, name in NAMED.findall(arguments)]


def not_private(arguments):
    """Whether the last argument is a mode that lets others in."""
    mode = arguments.rsplit(', ', 1)[-1]
    return re.fullmatch(r'0[0-7]*', mode) is not None and int(mode, 8) & 0o077 != 0


def files_below(root):
    for folder, folders, files in os.walk(root):
        yield from (os.path.join(folder, name) for name in folders + files)
