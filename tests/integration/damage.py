"""Instances whose index is of no use, and which repair nothing without being told; and the calls by
which that is repaired."""

import contextlib
import json
import os

from harness import NAME, OPERATIONS, Bus, GLib
from polkit_world import SERVICE, uid

REPAIR = NAME + '.Repair'
PLAN = NAME + '.RepairPlan'
NOTHING_BY_ITSELF = '[Repair]\nAutomatic=\n'
GARBAGE = b'This was an index once. ' * 200


def spoil_index(daemon):
    """Of one that has ended."""
    for end in ('-wal', '-shm'):
        daemon.state.joinpath(f'index.db{end}').unlink(missing_ok=True)
    (daemon.state / 'index.db').write_bytes(GARBAGE)


def spoil_journal(daemon):
    """The same, of what SQLite knows a database by."""
    with open(daemon.state / 'journal.db', 'r+b') as journal:
        journal.write(GARBAGE[:100])


@contextlib.contextmanager
def spoilt(world, writer, spoil=spoil_index, **options):
    """A daemon with an operation by that user in its log, whose index was spoilt before it started."""
    place = world.place()
    # What may be repaired is for policy to say: the packaged rules.
    options['words'] = [f'--policy-dir={world.options.source}/data/policy']
    bus = options.get('bus')
    with world.daemon(place, **options) as daemon, \
            (world.caller(bus) if writer == os.getuid() else world.other(writer, bus)) as caller:
        caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', 'workspace:notes',
                    'note:1', '{}', {'create_scope': GLib.Variant('b', True)})
    spoil(daemon)
    with world.daemon(place, config=NOTHING_BY_ITSELF, **options) as daemon:
        yield daemon


@contextlib.contextmanager
def spoilt_user_instance(world, user, spoil=spoil_index):
    """The daemon and a caller, both of that user, beside the polkit of the world."""
    bus = Bus(world.place(), world.options.bus)
    os.chmod(bus.socket, 0o666)
    with spoilt(world, uid(user), spoil, bus=bus, uid=uid(user),
                environment={'DBUS_SYSTEM_BUS_ADDRESS': world.bus.address}) as daemon, \
            world.other(uid(user), bus) as caller:
        yield daemon, caller
    bus.stop()


@contextlib.contextmanager
def spoilt_system_instance(world):
    with spoilt(world, 0, instance='system', uid=uid(SERVICE)) as daemon, world.caller() as root:
        yield daemon, root


def plan(caller, **keywords):
    """The path of a new plan, and its digest."""
    return caller.call(REPAIR, 'Plan', '(a{sv})', {}, **keywords)


def plans(caller, **options):
    options = {name: GLib.Variant('b', value) for name, value in options.items()}
    return json.loads(caller.call(REPAIR, 'List', '(a{sv})', options))


def tell(caller, method, path, digest, **keywords):
    """Approve, Apply or Rollback."""
    return caller.call(PLAN, method, '(s)', digest, path=path, **keywords)


def state_of(caller, path):
    return json.loads(caller.call(PLAN, 'Describe', path=path))['state']


def ended(caller, path):
    return state_of(caller, path) not in ('approved', 'running')
