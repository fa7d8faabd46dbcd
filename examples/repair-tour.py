#!/usr/bin/python3
"""A tour of repair: an index and a file are damaged, found, planned for, repaired and taken back.

    python3 examples/repair-tour.py          asks before each step, and polkit for your password
    python3 examples/repair-tour.py --yes    asks nothing itself

Everything is in a directory of its own, which goes at the end: a session bus, a daemon with its state,
and a workspace with one file. Nothing of yours is touched; only polkit is the machine's. Without a
desktop you are asked at the terminal, by pkttyagent.

$SYNCD_PROGRAM is the program to use instead of the installed one, $SYNCD_POLICY_DIR the rules of policy
instead of the installed ones.
"""

import contextlib
import json
import mmap
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ.get('SYNCD_PROGRAM', 'sourceos-syncd')
PATIENCE = 30  # seconds
CONFIGURATION = '[Repair]\n# Nothing by itself: this is a tour.\nAutomatic=\n'
TEXT = 'Remember the milk.\n'


def say(text):
    print(f'\n--- {text}', flush=True)


class Tour:
    def __init__(self, place, yes):
        self.place, self.yes, self.daemon, self.plan = place, ['--yes'] if yes else [], None, None
        self.bus_address = f'unix:path={place}/bus'
        self.state, self.notes = place / 'state', place / 'notes'
        (place / 'syncd.conf').write_text(CONFIGURATION)
        self.notes.mkdir()
        (self.notes / 'shopping').write_text(TEXT)
        self.environment = {**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.bus_address,
                            'XDG_RUNTIME_DIR': str(place)}

    # --- a bus and a daemon ---

    @contextlib.contextmanager
    def bus(self):
        with subprocess.Popen(['dbus-daemon', '--session', '--nofork', '--nopidfile', '--print-address',
                               f'--address={self.bus_address}'], stdout=subprocess.PIPE) as bus:
            bus.stdout.readline()  # it is there to be called once it says where
            try:
                yield
            finally:
                bus.terminate()

    def start(self):
        command = [PROGRAM, 'daemon', '--user', f'--state-dir={self.state}',
                   f'--config={self.place}/syncd.conf']
        if policy := os.environ.get('SYNCD_POLICY_DIR'):
            command.append(f'--policy-dir={policy}')
        self.daemon = subprocess.Popen(command, env=self.environment)
        self.wait_for(lambda: self.ask('status', '--user') is not None, 'the daemon answers')

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()
            self.daemon = None

    def wait_for(self, holds, what):
        until = time.monotonic() + PATIENCE
        while not holds():
            if self.daemon.poll() is not None or time.monotonic() > until:
                sys.exit(f'never happened: {what}')
            time.sleep(0.05)

    # --- commands ---

    def ask(self, *words):
        """What a program is told; None when that fails."""
        done = subprocess.run([PROGRAM, *words, '--json'], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def is_watched(self):
        """Without an index nothing is recorded: that takes a moment to begin again."""
        shown = self.ask('workspace', 'show', 'notes')
        return shown is not None and shown['recording'] == 'watching'

    def show(self, *words, ends=(0,), into=None):
        """What a person types and sees."""
        into_words = f' > {into.name}' if into else ''
        print(f'\n$ sourceos-syncd {shlex.join(words)}{into_words}', flush=True)
        with into.open('wb') if into else contextlib.nullcontext() as output:
            done = subprocess.run([PROGRAM, *words], env=self.environment, check=False, stdout=output)
        if done.returncode not in ends:
            sys.exit(f'it ended with {done.returncode}')

    # --- damage ---

    def spoil_index(self):
        for end in ('-wal', '-shm'):
            (self.state / f'index.db{end}').unlink(missing_ok=True)
        (self.state / 'index.db').write_bytes(b'This was an index once. ' * 200)

    def let_rot(self, path):
        """As on a disk that fails: a byte changes, and no time of the file says so. Memory that is mapped
        from a file can be written to once more before the kernel looks at it again."""
        def shown():
            now = path.stat()
            return now.st_mtime_ns, now.st_ctime_ns

        with path.open('r+b') as file, mmap.mmap(file.fileno(), 0) as memory:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                memory[0] = memory[0]
                time.sleep(0.05)
                self.ask('workspace', 'scan', 'notes')
                before = shown()
                memory[0] ^= 0x20
                if shown() == before:
                    return
                memory[0] ^= 0x20
        sys.exit('this file system tells of every write')

    # --- the tour ---

    def repair(self):
        """From the first look to what was done; approving needs an authorisation."""
        plan = self.place / 'plan.json'
        self.show('doctor', ends=(0, 2))
        self.show('repair', 'plan', into=plan)
        self.plan = json.loads(plan.read_text())['plan_id']
        self.show('repair', 'show', self.plan)
        self.show('repair', 'approve', *self.yes)
        self.show('repair', 'apply', f'--approved-plan={plan}', *self.yes)

    def of_the_index(self):
        say('The index is overwritten while the daemon is stopped.')
        self.stop()
        self.spoil_index()
        self.start()
        self.repair()
        say('What was there before is kept: the repair is taken back …')
        self.show('repair', 'rollback', *self.yes)
        self.show('repair', 'discard', self.plan, *self.yes)
        say('… and done once more.')
        self.repair()
        self.show('repair', 'list')

    def of_the_file(self):
        say('A byte of the file changes, and nothing says so: only reading it finds that.')
        file = self.notes / 'shopping'
        self.wait_for(self.is_watched, 'the workspace is watched again')
        self.let_rot(file)
        rotten = file.read_text()
        print(rotten, end='')
        self.show('workspace', 'scan', '--deep', 'notes', ends=(0, 2))
        self.repair()
        self.must_be(file, TEXT)
        say('What was in it before is kept, too: the repair is taken back …')
        self.show('repair', 'rollback', *self.yes)
        self.must_be(file, rotten)
        self.show('repair', 'discard', self.plan, *self.yes)
        say('… and done once more. With --accept, what is there would have been recorded instead.')
        self.repair()
        self.must_be(file, TEXT)

    @staticmethod
    def must_be(file, text):
        print(file.read_text(), end='')
        if file.read_text() != text:
            sys.exit(f'the file is not {text!r}')

    def walk(self):
        with self.bus():
            try:
                self.start()
                say('A workspace with one file, and an operation in the log.')
                self.show('workspace', 'add', str(self.notes))
                self.show('ops', 'enqueue', '--object=note-1')
                self.wait_for(lambda: self.ask('workspace', 'files', 'notes'), 'the file is recorded')
                self.of_the_index()
                self.of_the_file()
                say('The log is the one that it was.')
                self.show('verify', 'log', '--full')
            finally:
                self.stop()


def must_have():
    """What is missing is said before anything is begun."""
    missing = [name for name in (PROGRAM, 'dbus-daemon', 'dbus-send') if shutil.which(name) is None]
    if missing:
        sys.exit(f'The tour needs {" and ".join(missing)}, which cannot be found; $SYNCD_PROGRAM says where the '
                 'program is.')
    asked = subprocess.run(['dbus-send', '--system', '--print-reply', '--dest=org.freedesktop.PolicyKit1',
                            '/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.DBus.Properties.Get',
                            'string:org.freedesktop.PolicyKit1.Authority', 'string:BackendName'],
                           check=False, capture_output=True)
    if asked.returncode != 0:
        sys.exit('The tour needs polkit, which approves of repairs, and it cannot be reached on the system bus.')


def main():
    if sys.argv[1:] not in ([], ['--yes']):
        sys.exit(__doc__)
    must_have()
    with tempfile.TemporaryDirectory(prefix='repair-tour-') as place:
        Tour(pathlib.Path(place), '--yes' in sys.argv).walk()
    say('That was all of it.')


main()
