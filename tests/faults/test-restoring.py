#!/usr/bin/python3
"""A file that is brought back is there whole, or nothing has changed, whatever ends it in the middle: a kill, a
pause, the end of the workspace, or others that restore as much.

test-restoring.py --program PROGRAM [--rounds N] [promise …]"""

import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# pylint: disable=wrong-import-position
from harness import NAME, GLib, Refused, equal, eventually, main, promise, session_world

REGISTRY, WORKSPACES, JOB = NAME + '.Registry', NAME + '.Workspaces', NAME + '.Job'
MIB = 1 << 20
LARGE = 200 * MIB
OLD, NEW = b'\1' * LARGE, b'new'
KEEP = {'versions': 8, 'max_bytes': 256 * MIB}


# --- a workspace with a large version to be brought back -----------------------------------------

def root_of(name, directory, state='active'):
    return json.dumps({'workspace_id': f'workspace:{name}', 'root_id': f'root-{name}', 'directory': str(directory),
                       'root_state': state, 'keep': KEEP})


def add_workspace(caller, name, directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'file').write_bytes(OLD)
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'workspace',
                json.dumps({'workspace_id': f'workspace:{name}', 'profile_id': 'profile:default'}), {})
    caller.call(REGISTRY, 'Register', '(ssa{sv})', 'root', root_of(name, directory), {})
    eventually(lambda: version_of(caller, name, kept=True) == 1, 'it is kept')
    (directory / 'file').write_bytes(NEW)
    eventually(lambda: version_of(caller, name, kept=True) == 2, 'and so is what it is now')


def files(caller, name):
    page, _ = caller.call(WORKSPACES, 'ListFiles', '(saya{sv})', f'workspace:{name}', b'', {})
    return {file['path']: file for file in json.loads(page)}


def version_of(caller, name, kept=False):
    file = files(caller, name).get('file')
    if file is None:
        return 0
    steps, _ = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', file['file_id'], {})
    newest = json.loads(steps)[0]
    return newest['version'] if newest['kept'] or not kept else 0


def restore(caller, name, to=None):
    """The path of the job."""
    options = {'version': GLib.Variant('t', 1)}
    if to is not None:
        options['to'] = GLib.Variant('s', to)
    plan = json.loads(caller.call(WORKSPACES, 'PlanRestore', '(saya{sv})', f'workspace:{name}', b'file', options))
    return caller.call(WORKSPACES, 'Restore', '(saysa{sv})', f'workspace:{name}', b'file', plan['digest'], options)


def left_in(directory):
    return sorted(path.name for path in directory.iterdir() if path.name.startswith('.sourceos'))


def begun(directory):
    """Waits until the file is being filled."""
    end = time.monotonic() + 20
    while not left_in(directory):
        assert time.monotonic() < end, 'the restore begins to write'
        time.sleep(0.001)


def whole(directory):
    """Whether it has been brought back; it is that or what it was."""
    content = (directory / 'file').read_bytes()
    assert content in (OLD, NEW), f'a file of {len(content)} bytes is neither'
    return content == OLD


# --- what ends it --------------------------------------------------------------------------------

@promise
def a_kill_in_the_middle_leaves_nothing(world):
    """That something was left at first is the control."""
    place, directory = world.place(), world.place() / 'tree'
    left = 0
    with world.served(directory=place) as (_, caller):
        add_workspace(caller, 'tree', directory)
    for _ in range(world.options.rounds):
        with world.served(directory=place) as (daemon, caller):
            eventually(lambda: version_of(caller, 'tree') % 2 == 0, 'what is there is recorded')
            eventually(lambda: begins(caller), 'it can be restored')
            begun(directory)
            daemon.stop(signal.SIGKILL)
        time.sleep(0.1)
        left += bool(left_in(directory))
        if whole(directory):
            (directory / 'file').write_bytes(NEW)
    assert left > 0, 'a kill leaves what was not yet put in place'
    (directory / '.sourceos-restore-0123456789abcdef').write_bytes(b'mine')
    with world.served(directory=place) as (_, caller):
        eventually(lambda: left_in(directory) == ['.sourceos-restore-0123456789abcdef'], 'it is removed, and nothing else')
        eventually(lambda: '.sourceos-restore-0123456789abcdef' in files(caller, 'tree'), 'which is a file like any other')
        equal(sorted(name for name in files(caller, 'tree') if name), ['.sourceos-restore-0123456789abcdef', 'file'])
        assert not whole(directory)


def begins(caller):
    try:
        return restore(caller, 'tree')
    except Refused:  # the workspace is not looked after yet
        return None


def ends_well_defined(world, stop, go_on):
    """It is restored and recorded as that, or neither."""
    place, directory = world.place(), world.place() / 'tree'
    ended = set()
    with world.served(directory=place) as (_, caller):
        add_workspace(caller, 'tree', directory)
        for number in range(world.options.rounds):
            job = restore(caller, 'tree')
            begun(directory)
            time.sleep(0.02 * number)
            stop(caller, directory)
            eventually(lambda path=job: caller.get(JOB, 'State', path) != 'running', 'it ends')
            done = caller.get(JOB, 'State', job) == 'done'
            ended.add(done)
            equal(whole(directory), done)
            equal(left_in(directory), [])
            go_on(caller, directory)
            eventually(lambda: begins_scan(caller), 'it goes on')
            eventually(lambda: version_of(caller, 'tree') % 2 == (1 if done else 0), 'what is there is recorded')
            if done:
                (directory / 'file').write_bytes(NEW)
                eventually(lambda: version_of(caller, 'tree') % 2 == 0, 'it is as before')
    assert False in ended, 'it was stopped in the middle once'


def begins_scan(caller):
    try:
        return caller.call(WORKSPACES, 'Scan', '(sa{sv})', 'workspace:tree', {})
    except Refused:
        return None


def write_root(state):
    def write(caller, directory):
        caller.call(REGISTRY, 'Update', '(sssa{sv})', 'root', 'root-tree', root_of('tree', directory, state), {})
    return write


@promise
def a_pause_in_the_middle_is_well_defined(world):
    ends_well_defined(world, write_root('paused'), write_root('active'))


# --- others --------------------------------------------------------------------------------------

@promise
def not_more_than_fits_into_memory_at_once(world):
    place, tree, wood = world.place(), world.place() / 'tree', world.place() / 'wood'
    with world.served(directory=place) as (_, caller):
        for name, directory in (('tree', tree), ('wood', wood)):
            add_workspace(caller, name, directory)
        job = restore(caller, 'tree')
        try:
            restore(caller, 'wood')
            raise AssertionError('two that are as large go on at once')
        except Refused as refusal:
            equal(refusal.name.rpartition('.')[2], 'Busy')
        eventually(lambda: caller.get(JOB, 'State', job) == 'done', 'the first one is done')
        again = restore(caller, 'wood')
        eventually(lambda: caller.get(JOB, 'State', again) == 'done', 'then the other one is')
        assert whole(tree) and whole(wood)


def add_own(parser):
    parser.add_argument('--rounds', type=int, default=4)


main(session_world, add_own)
