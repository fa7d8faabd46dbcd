#!/usr/bin/python3
"""Content of files is kept without room on the disk, and while the daemon is killed again and again: no
change is lost for it, and what is said to be kept is there.

test-content.py --program PROGRAM [--rounds N] [--seed N] [promise …]"""

import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# pylint: disable=wrong-import-position
from harness import NAME, GLib, Refused, equal, eventually, main, promise, session_world
from mounts import in_private_mounts
from small_disk import on_small_disk

REGISTRY, WORKSPACES = NAME + '.Registry', NAME + '.Workspaces'
VERIFIER = pathlib.Path(__file__).resolve().parents[1] / 'verifier/verify.py'
MIB = 1 << 20
KEEP = {'versions': 1000, 'max_bytes': 4 * MIB}


# --- what is kept --------------------------------------------------------------------------------

def add_root(caller, directory):
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'workspace',
                json.dumps({'workspace_id': 'workspace:tree', 'profile_id': 'profile:default'}), {})
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'root',
                json.dumps({'workspace_id': 'workspace:tree', 'root_id': 'root-1', 'directory': str(directory),
                            'root_state': 'active', 'keep': KEEP}), {})


def versions(caller):
    """{path: [(version, kept)]}, of every file."""
    found, cursor = {}, ''
    while True:
        options = {'cursor': GLib.Variant('s', cursor)} if cursor else {}
        page, cursor = caller.call(WORKSPACES, 'ListFiles', '(saya{sv})', 'workspace:tree', b'', options)
        for file in json.loads(page):
            if file['kind'] != 'file':
                continue
            steps, _ = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', file['file_id'], {})
            found[file['path']] = [(step['version'], step['kept']) for step in json.loads(steps)]
        if not cursor:
            return found


def all_recorded(caller, directory):
    there = {path.name for path in directory.iterdir()}
    return lambda: set(versions(caller)) == there


def all_kept(caller, directory):
    there = {path.name for path in directory.iterdir()}

    def check():
        found = versions(caller)
        return set(found) == there and all(kept for steps in found.values() for _, kept in steps[:1])
    return check


def scan(caller):
    caller.call(WORKSPACES, 'Scan', '(sa{sv})', 'workspace:tree', {})


def verify(state):
    """By the verifier, which shares no line with the daemon."""
    with tempfile.TemporaryDirectory() as place:
        for name in ('journal.db', 'journal.db-wal'):
            if (state / name).exists():
                shutil.copy(state / name, place)
        for name in ('blobs', 'keys'):
            if (state / name).exists():
                shutil.copytree(state / name, pathlib.Path(place) / name)
        done = subprocess.run([sys.executable, '-B', VERIFIER, place], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def fill_tree(directory, chance, small=150, large=12):
    directory.mkdir(exist_ok=True, parents=True)
    for number in range(small):
        (directory / f's{number}').write_bytes(chance.randbytes(chance.randrange(4000)))
    for number in range(large):
        (directory / f'l{number}').write_bytes(chance.randbytes(chance.randrange(70000, 3 * MIB)))


# --- no room -------------------------------------------------------------------------------------

@promise
@on_small_disk('120m')
def a_nearly_full_disk_keeps_the_log_and_not_the_content(world, disk):
    directory = world.place() / 'tree'
    fill_tree(directory, random.Random(1), 40, 4)
    disk.fill(70 * MIB)  # less than 64 MiB are left
    with world.daemon(disk.place) as daemon, world.caller() as caller:
        add_root(caller, directory)
        eventually(all_recorded(caller, directory), 'every file is recorded')
        assert not any(kept for steps in versions(caller).values() for _, kept in steps), 'and none is kept'
        (directory / 's0').write_bytes(b'changed')
        eventually(lambda: versions(caller)['s0'][0][0] > 1, 'so is a change')
        disk.make_room()
        scan(caller)
        eventually(all_kept(caller, directory), 'with room again a scan makes up for it')
        equal(verify(daemon.state), (0, ''))


@promise
@on_small_disk('150m')
def a_disk_that_fills_up_meanwhile_loses_nothing(world, disk):
    """Something else takes all there is while content is put: whichever write that is fails."""
    directory = world.place() / 'tree'
    fill_tree(directory, random.Random(2), 300, 20)
    with world.daemon(disk.place) as daemon, world.caller() as caller:
        filling = threading.Timer(0.05, disk.fill)
        filling.start()
        add_root(caller, directory)
        filling.join()
        time.sleep(2)
        disk.make_room()

        def again():
            scan_if_it_can(caller)
            return all_kept(caller, directory)()
        eventually(again, 'all is recorded and kept in the end')
        equal(verify(daemon.state), (0, ''))


def scan_if_it_can(caller):
    try:
        scan(caller)
    except Refused:  # it begins anew after a while
        time.sleep(0.3)


# --- killed --------------------------------------------------------------------------------------

@promise
def killed_in_the_middle_it_goes_on(world):
    """While a scan puts content, and while versions are dropped."""
    chance = random.Random(world.options.seed)
    directory, place = world.place() / 'tree', world.place()
    fill_tree(directory, chance)
    with world.served(directory=place) as (daemon, caller):
        add_root(caller, directory)
        time.sleep(chance.random() * 0.1)
        daemon.stop(signal.SIGKILL)
    for _ in range(world.options.rounds):
        for path in chance.sample(sorted(directory.iterdir()), 40):
            path.write_bytes(chance.randbytes(chance.randrange(200000)))
        with world.served(directory=place) as (daemon, caller):
            time.sleep(chance.random() * 0.6)
            daemon.stop(signal.SIGKILL)
        code, said = verify(daemon.state)
        equal((code, said), (0, ''), 'whenever it is killed the log is sound, and so is what it names')
    with world.served(directory=place) as (daemon, caller):
        eventually(all_kept(caller, directory), 'all is recorded and kept in the end')
        equal(verify(daemon.state), (0, ''))


def strays(state):
    """Files of blobs/ that no version needs, as the index of a daemon that was killed or stopped has it."""
    there = {path.name.partition('.file')[0].lstrip('.') for path in (state / 'blobs').glob('*/*.file*')}
    with tempfile.TemporaryDirectory() as place:
        for path in state.glob('index.db*'):
            shutil.copy(path, place)
        with sqlite3.connect(pathlib.Path(place) / 'index.db') as index:
            needed = {chunks[at:at + 32].hex() for chunks, in index.execute('SELECT chunks FROM content')
                      for at in range(0, len(chunks), 32)}
        index.close()
    return there - needed


@promise
def what_was_put_for_nothing_goes(world):
    """Killed between the chunks of a file and the entry that was to name them. That some were left then, and that
    one which is put there again is gone again, is the control."""
    chance = random.Random(world.options.seed + 1)
    directory, place = world.place() / 'tree', world.place()
    fill_tree(directory, chance, 5, 2)
    left, planted = 0, None
    with world.served(directory=place) as (daemon, caller):
        add_root(caller, directory)
        eventually(all_kept(caller, directory), 'all is kept')
    for number in range(world.options.rounds):
        with world.served(directory=place) as (daemon, caller):
            for name in ('x', 'y'):
                (directory / f'{name}{number}').write_bytes(chance.randbytes(4 * MIB))
            before = len(list((daemon.state / 'blobs').glob('*/*.file*')))
            eventually(lambda: len(list((daemon.state / 'blobs').glob('*/*.file*'))) > before + 1, 'chunks come')
            daemon.stop(signal.SIGKILL)
        left += bool(strays(daemon.state))
        for name in ('x', 'y'):
            (directory / f'{name}{number}').unlink()
    assert left > 0, 'a kill leaves chunks for which there is no entry'
    for content in (b'stray', b'half'):
        name = hashlib.sha256(content).hexdigest()
        (daemon.state / 'blobs' / name[:2]).mkdir(exist_ok=True)
        planted = daemon.state / 'blobs' / name[:2] / f'{name}.file'
        planted.write_bytes(content)
    planted.rename(planted.with_name(f'.{planted.name}.new'))
    with world.served(directory=place) as (daemon, caller):
        eventually(all_kept(caller, directory), 'all is kept')
        eventually(lambda: not strays(daemon.state), 'and nothing else')
        equal(verify(daemon.state), (0, ''))


@promise
def what_is_lost_is_noticed(world):
    """The control: without a row, or a file, of what is kept neither is sound."""
    directory, place = world.place() / 'tree', world.place()
    fill_tree(directory, random.Random(3), 3, 1)
    with world.served(directory=place) as (daemon, caller):
        add_root(caller, directory)
        eventually(all_kept(caller, directory), 'all is kept')
        state = daemon.state
        equal(verify(state), (0, ''))
    with sqlite3.connect(state / 'journal.db') as journal:
        journal.execute('DELETE FROM content WHERE rowid = 1')
    journal.close()
    code, said = verify(state)
    assert code == 2 and said.count('\n') == 1 and 'is not there' in said, (code, said)
    next((state / 'blobs').glob('*/*.file')).unlink()
    code, said = verify(state)
    assert code == 2 and said.count('\n') == 2 and 'cannot be read' in said, (code, said)


def add_own(parser):
    parser.add_argument('--rounds', type=int, default=6)
    parser.add_argument('--seed', type=int, default=1)


if os.environ.get('SYNCD_PRIVATE_MOUNTS') is None:
    in_private_mounts('a small disk is mounted')
main(session_world, add_own)
