#!/usr/bin/python3
"""A workspace that several programs work in at once, while the daemon is there, is killed and comes
back: at rest the log says exactly what is there, byte for byte."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

from gi.repository import GLib

from harness import MANAGER, NAME, Refused, main, promise, session_world  # noqa: E402

REGISTRY = NAME + '.Registry'
REGULAR, FOLDER, SYMLINK = 1, 2, 3
TORTURER = pathlib.Path(__file__).with_name('torturer.py')
PATIENCE = 90
RECORD = {'workspace_id': 'workspace:tree', 'root_id': 'root-1', 'keep': {'versions': 1000, 'max_bytes': 1 << 20}}
VERIFIER = pathlib.Path(__file__).resolve().parents[1] / 'verifier/verify.py'
WORKSPACES = NAME + '.Workspaces'
RESTORED = 12  # versions that are put back into the tree, of all that are recorded


# --- what is there, and what the log says ---------------------------------------------------------


def digest_of(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').digest() if hasattr(hashlib, 'file_digest') \
            else hashlib.sha256(file.read()).digest()


def rules_in(folder):
    """Those that torturer.py knows."""
    path = os.path.join(folder, b'.syncignore')
    if not os.path.isfile(path) or os.path.islink(path):
        return set()
    with open(path, 'rb') as file:
        return set(file.read().split())


def is_ignored(entry, rules):
    is_folder = entry.is_dir(follow_symlinks=False)
    return (b'*.skip' in rules and entry.name.endswith(b'.skip')) or (b'd/' in rules and is_folder and entry.name == b'd')


def in_tree(directory):
    """{path: (kind, mode, digest)}; what is never recorded is not in it."""
    found = {}
    root = os.fsencode(directory)

    def add(folder, rules):
        rules = rules | rules_in(folder)
        for entry in os.scandir(folder):
            if is_ignored(entry, rules):
                continue
            path = os.path.relpath(entry.path, root)
            status = entry.stat(follow_symlinks=False)
            mode = stat.S_IMODE(status.st_mode)
            if entry.is_symlink():
                found[path] = (SYMLINK, mode, hashlib.sha256(os.readlink(entry.path)).digest())
            elif entry.is_dir():
                found[path] = (FOLDER, mode, None)
                add(entry.path, rules)
            elif entry.is_file():
                found[path] = (REGULAR, mode, digest_of(entry.path))
    add(root, set())
    return found


@contextlib.contextmanager
def index_of(state):
    with tempfile.TemporaryDirectory() as place:
        for name in ('index.db', 'index.db-wal'):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(state / name, place)
        with contextlib.closing(sqlite3.connect(pathlib.Path(place) / 'index.db')) as index:
            yield index


def in_index(state):
    with index_of(state) as index:
        rows = index.execute('SELECT id, folder, name, kind, mode, hash FROM file WHERE live = 1').fetchall()
    by_id = {row[0]: row for row in rows}
    found = {}
    for _, folder, name, kind, mode, digest in rows:
        path = name
        while folder != 0 and by_id[folder][1] != 0:
            path = by_id[folder][2] + b'/' + path
            folder = by_id[folder][1]
        if folder == 0:
            continue
        assert path not in found, f'{path} is there twice'
        found[path] = (kind, mode, digest)
    return found


def difference(there, recorded):
    return [f'{path!r}: there {there.get(path)}, recorded {recorded.get(path)}'
            for path in sorted(set(there) | set(recorded)) if there.get(path) != recorded.get(path)]


# --- every version --------------------------------------------------------------------------------


def versions_in_index(state):
    """(id of a file's place, version): those that are recorded, and those that are kept."""
    with index_of(state) as index:
        files = index.execute('SELECT id, version FROM file WHERE kind = 1 AND hash IS NOT NULL').fetchall()
        kept = set(index.execute('SELECT file, version FROM content').fetchall())
    return {(file, version) for file, newest in files for version in range(1, newest + 1)}, kept


def assert_kept(daemon, caller):
    """The bytes of each version that was ever recorded are there, and have its digest: by the verifier,
    which shares no line with the daemon."""
    caller.list('ListEvents', MANAGER, limit=GLib.Variant('u', 1))
    recorded, kept = versions_in_index(daemon.state)
    missing = recorded - kept
    assert recorded and not missing, f'{len(missing)} of {len(recorded)} versions are not kept: {sorted(missing)[:5]}'
    print(f'# {len(recorded)} versions', flush=True)
    verify(daemon.state)


def verify(state):
    with tempfile.TemporaryDirectory() as place:
        for name in ('journal.db', 'journal.db-wal'):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(state / name, place)
        for name in ('blobs', 'keys'):
            with contextlib.suppress(FileNotFoundError):
                shutil.copytree(state / name, pathlib.Path(place) / name)
        done = subprocess.run([sys.executable, '-B', VERIFIER, place], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def plan_of(caller, path, **options):
    return json.loads(caller.call(WORKSPACES, 'PlanRestore', '(saya{sv})', 'workspace:tree', path, options))


def restore(daemon, caller, directory, path, version, name):
    options = {'version': GLib.Variant('t', version), 'to': GLib.Variant('s', name)}
    plan = plan_of(caller, path, **options)
    place = directory / name
    until = time.monotonic() + PATIENCE
    while True:
        try:
            caller.call(WORKSPACES, 'Restore', '(saysa{sv})', 'workspace:tree', path, plan['digest'], options)
            break
        except Refused as refused:  # the one before is not recorded yet
            assert refused.name.endswith('.Busy') and time.monotonic() < until, refused
            time.sleep(0.01)
    while not place.exists():
        assert time.monotonic() < until, f'version {version} of {path!r} does not come back'
        time.sleep(0.01)
    assert digest_of(place).hex() == plan['restored']['sha256'], (path, version)


def assert_restorable(daemon, caller, directory, chance):
    """Some of them come back through the daemon and its reader."""
    files = [path for path, (kind, _, _) in in_tree(directory).items() if kind == REGULAR]
    for number in range(min(RESTORED, len(files))):
        path = chance.choice(files)
        newest = json.loads(caller.call(WORKSPACES, 'GetFile', '(saya{sv})', 'workspace:tree', path, {}))['version']
        restore(daemon, caller, directory, path, chance.randint(1, newest), f'restored-{number}')
    assert_recorded(daemon, caller, directory)
    for number in range(RESTORED):
        (directory / f'restored-{number}').unlink(missing_ok=True)


# --- the daemon ---------------------------------------------------------------------------------


def root_of(caller):
    return json.loads(caller.call(REGISTRY, 'Show', '(ssa{sv})', 'root', 'root-1', {}))


def add_root(caller, directory):
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'workspace',
                json.dumps({'workspace_id': 'workspace:tree', 'profile_id': 'profile:default'}), {})
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'root',
                json.dumps({**RECORD, 'directory': str(directory), 'root_state': 'active'}), {})


def agree(caller, directory):
    """Whoever deletes much at once is asked, and here meant it."""
    if root_of(caller)['state'] == 'paused':
        caller.call(REGISTRY, 'Update', '(sssa{sv})', 'root', 'root-1',
                    json.dumps({**RECORD, 'directory': str(directory), 'root_state': 'active'}), {})


def is_recorded(daemon, caller, directory):
    """What differs; while it is still being recorded that is much."""
    caller.list('ListEvents', MANAGER, limit=GLib.Variant('u', 1))  # brings the index up to the log
    try:
        return difference(in_tree(directory), in_index(daemon.state))
    except (sqlite3.DatabaseError, KeyError) as error:
        return [f'the index is being written: {error}']


def assert_recorded(daemon, caller, directory):
    until = time.monotonic() + PATIENCE
    while True:
        agree(caller, directory)
        differs = is_recorded(daemon, caller, directory)
        if not differs:
            return
        if time.monotonic() > until:
            raise AssertionError(f'{len(differs)} differ at rest:\n' + '\n'.join(differs[:20]))
        context = GLib.MainContext.default()
        wake = GLib.timeout_add(200, lambda: True)
        context.iteration(True)
        GLib.source_remove(wake)


def torture(directory, seed, operations):
    return subprocess.Popen([sys.executable, '-B', TORTURER, directory.parent, '--seed', str(seed),
                             '--operations', str(operations)])


def end_all(workers):
    for worker in workers:
        assert worker.wait() == 0, 'a torturer did not get through'


@contextlib.contextmanager
def tree():
    with tempfile.TemporaryDirectory() as place:
        directory, outside = pathlib.Path(place) / 'tree', pathlib.Path(place) / 'outside'
        directory.mkdir()
        outside.mkdir()
        (outside / 'file').write_text('outside')
        yield directory


def options_of(world):
    return world.options.seed, world.options.rounds, world.options.operations


@promise
def the_log_says_what_is_there(world):
    seed, rounds, operations = options_of(world)
    chance = random.Random(seed)
    for number in range(rounds):
        place = world.place()
        print(f'# seed {seed}, round {number}', flush=True)
        with tree() as directory:
            end_all([torture(directory, seed + 1000 * number, operations)])
            with world.served(directory=place) as (daemon, caller):
                add_root(caller, directory)
                workers = [torture(directory, seed + 1000 * number + worker, operations) for worker in range(1, 4)]
                end_all(workers)
                assert_recorded(daemon, caller, directory)
                # Killed in the middle, while others go on.
                workers = [torture(directory, seed + 1000 * number + worker, operations) for worker in range(4, 7)]
                end_all([torture(directory, seed + 1000 * number + 8, chance.randrange(operations))])
                daemon.stop(signal.SIGKILL)
                end_all(workers)
            with world.served(directory=place) as (daemon, caller):
                workers = [torture(directory, seed + 1000 * number + 7, operations)]
                end_all(workers)
                assert_recorded(daemon, caller, directory)
                assert_kept(daemon, caller)
                assert_restorable(daemon, caller, directory, chance)


@promise
def what_is_not_kept_is_noticed(world):
    """The control: a chunk that is not there, or is another, is found."""
    with tree() as directory, world.served() as (daemon, caller):
        (directory / 'file').write_bytes(b'x' * 70000)
        add_root(caller, directory)
        assert_recorded(daemon, caller, directory)
        assert_kept(daemon, caller)
        chunk = next((daemon.state / 'blobs').glob('*/*.file'))
        stored = chunk.read_bytes()
        for damaged in (stored[:-1] + bytes([stored[-1] ^ 1]), None):
            chunk.write_bytes(damaged) if damaged else chunk.unlink()
            try:
                assert_kept(daemon, caller)
            except AssertionError as error:
                assert 'chunk' in str(error), error
            else:
                raise AssertionError('it was not found')


@promise
def what_is_not_recorded_is_noticed(world):
    """The control: with a reader that is stopped nothing is recorded, and each kind of change is a
    difference."""
    with tree() as directory, world.served() as (daemon, caller):
        (directory / 'file').write_text('1')
        (directory / 'other').write_text('2')
        (directory / 'folder').mkdir()
        (directory / 'link').symlink_to('file')
        add_root(caller, directory)
        assert_recorded(daemon, caller, directory)
        children = pathlib.Path(f'/proc/{daemon.pid}/task/{daemon.pid}/children').read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        (directory / 'file').write_text('3')
        (directory / 'other').rename(directory / 'renamed')
        (directory / 'folder').chmod(0o700)
        (directory / 'link').unlink()
        (directory / 'link').symlink_to('other')
        differs = is_recorded(daemon, caller, directory)
        for child in children:
            os.kill(int(child), signal.SIGCONT)
        assert len(differs) == 5, differs
        assert_recorded(daemon, caller, directory)


def add_own(parser):
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--operations', type=int, default=300)


if __name__ == '__main__':
    main(session_world, add_own)
