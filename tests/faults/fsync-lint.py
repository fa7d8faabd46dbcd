#!/usr/bin/python3
"""Every file that we publish, looked at from below: synced before it has its name, its name synced
before anybody is told, private, and opened so that no link and no child gets in."""

import contextlib
import fnmatch
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# pylint: disable=wrong-import-position
from cli_user import Cli
from harness import OPERATIONS, Skip, equal, eventually, main, promise, session_world
from traced import RULES, Judge, wrapper
from whole_log import verified

# What is meant not to be so, and why: path below the root, rules.
EXCUSED = {
    ('state/lock', 'unsynced entry in-place'):
        'says who holds the lock now: after a power cut nobody does, and its text is not believed',
    ('state/reserve', 'unsynced entry in-place'):
        'is room and no content: whether it is there is looked at when it is needed',
    ('state/journal.db*', 'in-place'): 'is written by SQLite, through its WAL',
    ('state/journal.db-wal', 'entry-removed'):
        'was moved into the database: one that comes back says what is there already',
    ('state/index.db*', 'in-place'): 'is written by SQLite, through its WAL',
    ('state/index.db-wal', 'unsynced entry entry-removed'):
        'can be made again; what SQLite syncs in NORMAL mode keeps its frames in order',
    ('state/index.db-journal', 'entry-removed'):
        'goes with the first sync of the WAL, which comes before any change to the database',
    ('run/status.json', 'published-unsynced unsynced entry'):
        'means nothing after a power cut, and lies on a tmpfs',
    ('given/*', 'readable'): 'is what a person asked for, under a name of their own',
    ('given*', 'inherited'): 'is written by GLib, in a process that starts no other meanwhile',
}


def excuse_for(rule, path):
    for (pattern, rules), _ in EXCUSED.items():
        if rule in rules.split() and fnmatch.fnmatchcase(path, pattern):
            return pattern, rules
    return None


class Lint:
    """The roots of one user, and what was found below them."""

    def __init__(self, world, directory):
        self.world = world
        self.directory = pathlib.Path(directory)
        self.roots = {'state': self.directory / 'state' / 'sourceos-syncd',
                      'run': self.directory / 'run' / 'sourceos-syncd',
                      'given': self.directory / 'given'}
        for root in self.roots.values():
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.program, self.trace = wrapper(self.directory, world.program)

    @contextlib.contextmanager
    def watched(self):
        """What the one program that runs meanwhile does must be good."""
        judge = Judge(self.roots.values(), self._is_excused)
        self.trace.unlink(missing_ok=True)
        yield
        eventually(self._ended, 'the trace ends')
        text = self.trace.read_text()
        if '<' not in text:
            raise Skip('strace does not tell the paths of this program')
        faults = judge.judge(text)
        assert judge.n_calls > 20, f'only {judge.n_calls} calls were seen'
        assert not faults, '; '.join(f'{path} {RULES[rule]}' for rule, path in sorted(faults))

    def _is_excused(self, rule, path):
        excuse = excuse_for(rule, self._below(path))
        if excuse is not None:
            self.world.excused.add(excuse)
        return excuse is not None

    def _ended(self):
        lines = self.trace.read_text().splitlines() if self.trace.exists() else []
        running = {line.split()[0] for line in lines} - {
            line.split()[0] for line in lines if '+++ ' in line}
        return bool(lines) and not running

    def _below(self, path):
        for name, root in self.roots.items():
            with contextlib.suppress(ValueError):
                return str(name / pathlib.Path(path).relative_to(root.resolve()))
        return path

    @contextlib.contextmanager
    def daemon(self):
        """A watched one, and a caller."""
        whole, self.world.program = self.world.program, self.program
        try:
            with self.watched():
                with self.world.daemon(self.directory) as daemon, self.world.caller() as caller:
                    yield daemon, caller
        finally:
            self.world.program = whole

    def cli(self, *words):
        """A watched one: its answer."""
        user = Cli(self.world, self.directory, self.world.bus.address)
        user.program = self.program
        with self.watched():
            return user.json(*words)


@contextlib.contextmanager
def linted_world(options):
    if shutil.which('strace') is None:
        raise Skip('strace is not installed')
    with session_world(options) as world:
        world.excused = set()
        yield world


# --- the control ---------------------------------------------------------------------------------

# slip: the rules that it breaks
SLIPS = {
    'none': set(),
    'unsynced': {'unsynced', 'in-place'},
    'published-unsynced': {'published-unsynced'},
    'entry': {'entry'},
    'entry-removed': {'entry-removed'},
    'told-early': {'told-early'},
    'in-place': {'in-place'},
    'inherited': {'inherited'},
    'followed': {'followed'},
    'readable': {'readable'},
    'folder-readable': {'readable'},
}


@promise
def each_slip_is_found(world):
    equal(set().union(*SLIPS.values()), set(RULES), 'each rule has its slip')
    for slip, wanted in SLIPS.items():
        place = world.place()
        root = place / 'root'
        root.mkdir(parents=True, mode=0o700)
        program, trace = wrapper(place, world.options.careless)
        judge = Judge([root])
        subprocess.run([program, slip, str(root)], check=True, stdout=subprocess.PIPE)
        eventually(lambda path=trace: '+++ ' in path.read_text(), 'the trace ends')
        equal({rule for rule, _ in judge.judge(trace.read_text())}, wanted, slip)


# --- what we run ---------------------------------------------------------------------------------

@promise
def what_a_daemon_does_is_durable_before_it_is_told(world):
    lint = Lint(world, world.place())
    with lint.daemon() as (_, caller):
        for number in range(40):
            caller.enqueue(json.dumps({'number': number}))
        caller.enqueue(json.dumps({'large': 'x' * (3 << 20)}))
        caller.enqueue('{}', scope='public:board')
        caller.call(OPERATIONS, 'Checkpoint', '(sa{sv})', 'workspace:notes', {})
        equal(verified(caller)['verdict'], 'sound')
    with lint.daemon() as (_, caller):
        caller.enqueue('{}')
        equal(verified(caller)['verdict'], 'sound')


@promise
def an_index_is_made_anew_and_put_in_its_place(world):
    lint = Lint(world, world.place())
    with world.daemon(lint.directory), world.caller() as caller:
        for number in range(40):
            caller.enqueue(json.dumps({'number': number}))
    (lint.roots['state'] / 'index.db').unlink()
    with lint.daemon() as (_, caller):
        # And the repair that made it, which is not done before its entry is there.
        eventually(lambda: len(caller.list()[0]) == 40 + 1, 'the repair is recorded')


@promise
def a_daemon_that_was_killed_starts_again(world):
    lint = Lint(world, world.place())
    with world.daemon(lint.directory) as daemon, world.caller() as caller:
        for number in range(40):
            caller.enqueue(json.dumps({'number': number}))
        daemon.process.kill()
    with lint.daemon() as (_, caller):
        equal(len(caller.list()[0]), 40)
        caller.enqueue('{}')


@promise
def state_is_made_and_adopted(world):
    lint = Lint(world, world.place())
    shutil.rmtree(lint.roots['state'])
    equal(lint.cli('store', 'init')['created'], True)
    journal = sqlite3.connect(lint.roots['state'] / 'journal.db')
    journal.execute("UPDATE meta SET value = ? WHERE name = 'machine'", ('0' * 64,))
    journal.commit()
    journal.close()
    equal(lint.cli('store', 'adopt', '--yes')['adopted'], True)
    equal(lint.cli('verify', 'log', '--full', f'--state-dir={lint.roots["state"]}')['verdict'], 'sound')


@promise
def what_the_command_line_keeps_is_kept(world):
    lint = Lint(world, world.place())
    note, proof = lint.roots['given'] / 'note', lint.roots['given'] / 'proof.json'
    with world.daemon(lint.directory):
        operation = lint.cli('ops', 'enqueue', '--object=note-1')['operation']
        for _ in range(2):  # a new one, and in the place of an old one
            lint.cli('ops', 'checkpoint', 'device', f'--output={note}')
            lint.cli('verify', 'proof', '--operation', operation, f'--output={proof}')


@promise
def every_excuse_is_one_that_somebody_needs(world):
    if world.options.only:
        raise Skip('only some were looked at')
    unused = [' '.join(excuse) for excuse in set(EXCUSED) - world.excused]
    assert not unused, f'nobody needs: {unused}'


main(linted_world, lambda parser: parser.add_argument('--careless', required=True))
