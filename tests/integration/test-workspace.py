#!/usr/bin/python3
"""A directory that is a workspace's root: what is in it is in the log, whatever happens to it and to
the daemon, and a reader process is there for as long as it is needed."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import tempfile

from gi.repository import GLib

from harness import (ERROR, JOB, MANAGER, NAME, equal, eventually, main, promise, refusal,
                     session_world)

REGISTRY = NAME + '.Registry'
FOLDER, SYMLINK = 2, 3


def register(caller, kind, **record):
    identity, *_ = caller.call(REGISTRY, 'Register', '(ssa{sv})', kind, json.dumps(record), {})
    return identity


def add_root(caller, directory):
    register(caller, 'workspace', workspace_id='workspace:tree', profile_id='profile:default')
    return register(caller, 'root', workspace_id='workspace:tree', directory=str(directory),
                    root_state='active')


def state_of(caller, identity):
    shown = caller.call(REGISTRY, 'Show', '(ssa{sv})', 'root', identity, {})
    return json.loads(shown)['state']


def set_state(caller, identity, directory, state):
    record = {'workspace_id': 'workspace:tree', 'directory': str(directory), 'root_state': state}
    caller.call(REGISTRY, 'Update', '(sssa{sv})', 'root', identity, json.dumps(record), {})


def readers(daemon):
    children = pathlib.Path(f'/proc/{daemon.pid}/task/{daemon.pid}/children').read_text().split()
    return [int(pid) for pid in children]


def in_tree(directory):
    """{path: 'folder', where it leads, or its size}."""
    found = {}
    for path in pathlib.Path(directory).rglob('*'):
        name = str(path.relative_to(directory))
        found[name] = (os.readlink(path) if path.is_symlink() else
                       'folder' if path.is_dir() else path.stat().st_size)
    return found


def in_index(daemon):
    """The same, as a projection of the log has it; what is not committed yet is not in it."""
    with tempfile.TemporaryDirectory() as place:
        for name in ('index.db', 'index.db-wal'):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(daemon.state / name, place)
        with contextlib.closing(sqlite3.connect(pathlib.Path(place) / 'index.db')) as index:
            rows = index.execute('SELECT id, folder, name, kind, size FROM file WHERE live = 1').fetchall()
    by_id = {row[0]: row for row in rows}
    found = {}
    for _, folder, name, kind, size in rows:
        path = name.decode()
        while folder != 0 and by_id[folder][1] != 0:
            path = f'{by_id[folder][2].decode()}/{path}'
            folder = by_id[folder][1]
        if folder != 0:
            assert path not in found, f'{path} is there twice'
            found[path] = 'folder' if kind == FOLDER else '' if kind == SYMLINK else size
    return found


def is_recorded(daemon, caller, directory):
    expected = {name: '' if os.path.islink(directory / name) else what
                for name, what in in_tree(directory).items()}
    # Whoever asks brings the index up to the log.
    caller.list('ListEvents', MANAGER, limit=GLib.Variant('u', 1))
    with contextlib.suppress(sqlite3.DatabaseError, KeyError):
        return in_index(daemon) == expected
    return False


def assert_recorded(daemon, caller, directory):
    eventually(lambda: is_recorded(daemon, caller, directory), 'the log says what is there')


@contextlib.contextmanager
def tree():
    with tempfile.TemporaryDirectory() as place:
        directory = pathlib.Path(place) / 'tree'
        (directory / 'deep' / 'deeper').mkdir(parents=True)
        for number in range(300):
            (directory / 'deep' / f'file-{number}').write_text('x' * number)
        (directory / 'deep' / 'deeper' / 'below').write_text('below')
        (directory / 'link').symlink_to('/etc/passwd')
        os.mkfifo(directory / 'pipe')
        (directory / 'pipe').unlink()
        yield directory


@promise
def a_directory_is_recorded_and_followed(world):
    with tree() as directory, world.served() as (daemon, caller):
        equal(readers(daemon), [])
        heard = caller.listen(MANAGER, 'EventRecorded')
        add_root(caller, directory)
        eventually(lambda: any('sync.object.created' in event[2][2] for event in heard),
                   'what was found is announced')
        assert_recorded(daemon, caller, directory)
        equal(len(readers(daemon)), 1)
        found, _ = caller.list('ListEvents', MANAGER, type=GLib.Variant('s', 'sync.object.created'))
        assert all('Files were found in a workspace' in event['summary'] for event in found), found

        (directory / 'new').write_text('new')
        (directory / 'deep').rename(directory / 'moved')
        (directory / 'moved' / 'deeper' / 'below').write_text('longer than before')
        (directory / 'moved' / 'file-7').unlink()
        shutil.copytree(directory / 'moved' / 'deeper', directory / 'copy')
        assert_recorded(daemon, caller, directory)


def row_of(caller):
    (row,) = json.loads(caller.call(NAME + '.Workspaces', 'List', '(a{sv})', {}))
    return row


@promise
def how_a_workspace_stands_is_said(world):
    with tree() as directory, world.served() as (daemon, caller):
        os.mkfifo(directory / 'pipe')
        add_root(caller, directory)
        eventually(lambda: row_of(caller).get('recording') == 'watching', 'the scan is done')
        row = row_of(caller)
        equal((row['folders_scanned'], row['waiting'], row['skipped'], row['unreadable'], row['unwatched']),
              (3, 0, 1, 0, False))
        away = directory.with_name('away')
        directory.rename(away)
        eventually(lambda: row_of(caller).get('recording') == 'missing', 'it is said to be missing')
        equal(row_of(caller)['recording_reason'], 'its directory is not there')
        equal(row_of(caller)['files'], 301)
        away.rename(directory)
        (directory / 'pipe').unlink()
        eventually(lambda: row_of(caller).get('recording') == 'watching', 'it is found again')
        assert_recorded(daemon, caller, directory)


def scan(caller, workspace='workspace:tree'):
    return caller.call(NAME + '.Workspaces', 'Scan', '(sa{sv})', workspace, {})


def state_of_job(caller, path):
    return caller.get(JOB, 'State', path=path)


@promise
def a_scan_is_a_job(world):
    with tree() as directory, world.served() as (daemon, caller):
        add_root(caller, directory)

        def first():
            return [job for job in json.loads(caller.call(MANAGER, 'ListJobs', '(a{sv})', {}))
                    if job['operation'] == 'scan']
        eventually(lambda: [job['state'] for job in first()] == ['done'], 'the first scan is a job that ends')
        result = first()[0]['result']
        equal((result['workspace_id'], result['folders'], result['created'], result['unwatched']),
              ('workspace:tree', 3, 305, False))

        path = scan(caller)
        equal(caller.get(JOB, 'Operation', path=path), 'scan')
        eventually(lambda: state_of_job(caller, path) == 'done', 'it ends')
        result = json.loads(caller.get(JOB, 'Result', path=path))
        equal((result['folders'], result['created'], result['changed'], result['deleted']), (3, 0, 0, 0))
        equal(refusal(scan, caller, 'workspace:none').name, ERROR + 'NotFound')


@promise
def a_scan_that_is_cancelled_leaves_the_rest_to_the_next(world):
    with tree() as directory, world.served() as (daemon, caller):
        root = add_root(caller, directory)
        assert_recorded(daemon, caller, directory)
        (reader,) = readers(daemon)
        os.kill(reader, signal.SIGSTOP)
        path = scan(caller)
        equal(state_of_job(caller, path), 'running')
        caller.call(JOB, 'Cancel', path=path)
        equal(state_of_job(caller, path), 'cancelled')
        os.kill(reader, signal.SIGCONT)
        (directory / 'later').write_text('1')
        assert_recorded(daemon, caller, directory)

        # One whose workspace stops has failed.
        (reader,) = readers(daemon)
        os.kill(reader, signal.SIGSTOP)
        path = scan(caller)
        set_state(caller, root, directory, 'paused')
        eventually(lambda: state_of_job(caller, path) == 'failed', 'the job ends with the workspace')
        os.kill(reader, signal.SIGCONT)
        equal(refusal(scan, caller).name, ERROR + 'EngineDisabled')


@promise
def what_happens_while_nobody_looks_is_found(world):
    place = world.place()
    with tree() as directory:
        with world.served(directory=place) as (daemon, caller):
            add_root(caller, directory)
            assert_recorded(daemon, caller, directory)
            daemon.stop(signal.SIGKILL)
            (directory / 'deep' / 'file-1').rename(directory / 'renamed')
            (directory / 'more').mkdir()
            (directory / 'more' / 'inside').write_text('1')
            (directory / 'link').unlink()
        with world.served(directory=place) as (daemon, caller):
            assert_recorded(daemon, caller, directory)


@promise
def a_reader_is_there_for_as_long_as_it_is_needed(world):
    with tree() as directory, world.served() as (daemon, caller):
        root = add_root(caller, directory)
        assert_recorded(daemon, caller, directory)
        set_state(caller, root, directory, 'paused')
        eventually(lambda: readers(daemon) == [], 'a paused workspace has no reader')
        (directory / 'late').write_text('late')
        set_state(caller, root, directory, 'active')
        assert_recorded(daemon, caller, directory)

        (killed,) = readers(daemon)
        os.kill(killed, signal.SIGKILL)
        (directory / 'later').write_text('later')
        eventually(lambda: readers(daemon) not in ([], [killed]), 'it is started again')
        assert_recorded(daemon, caller, directory)

        caller.call(REGISTRY, 'Revoke', '(ssa{sv})', 'root', root, {})
        eventually(lambda: readers(daemon) == [], 'a root that has ended has no reader')


@promise
def a_mass_deletion_waits_for_somebody_to_decide(world):
    with tree() as directory, world.served() as (daemon, caller):
        root = add_root(caller, directory)
        assert_recorded(daemon, caller, directory)
        before = in_index(daemon)
        shutil.rmtree(directory / 'deep')
        eventually(lambda: state_of(caller, root) == 'paused', 'the workspace is paused')
        eventually(lambda: readers(daemon) == [], 'nothing is looked at')
        lost = set(before) - set(in_index(daemon))
        assert len(lost) <= 100, f'{len(lost)} were recorded as deleted before it was paused'
        set_state(caller, root, directory, 'active')
        assert_recorded(daemon, caller, directory)


@promise
def the_state_of_the_daemon_is_no_workspace(world):
    place = world.place()
    place.mkdir(parents=True)
    with world.served(directory=place) as (daemon, caller):
        register(caller, 'workspace', workspace_id='workspace:tree', profile_id='profile:default')
        for directory in (place, daemon.state, daemon.state / 'blobs', place / 'run'):
            refused = refusal(register, caller, 'root', workspace_id='workspace:tree',
                              directory=str(directory), root_state='active')
            equal(refused.name, ERROR + 'PolicyDenied')


if __name__ == '__main__':
    main(session_world)
