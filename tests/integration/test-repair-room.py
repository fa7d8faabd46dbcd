#!/usr/bin/python3
"""A disk without a free byte: what was deleted and nothing keeps is shown, purged and proven, by the command
line and with the real polkitd; nothing else is touched, and the room is there again."""

import contextlib
import json
import os
import subprocess

from cli_user import NEGATIVE, NOT_AUTHORISED, NOT_FOUND, Cli
from harness import OPERATIONS, Bus, GLib, as_user, equal, eventually, main, promise
from mounts import mount
from polkit_world import ALLOWED, PURGES_NOTHING, system_world, uid

SCOPE = 'public:board'
MARKER, KEPT = 'what-nobody-shall-find-again', 'what-must-stay'
LARGE = 4 << 20
PURGED = [f'old:{number}' for number in range(6)]


class Person:
    """One with an instance whose state directory lies on a small disk of its own."""

    def __init__(self, world, stack, user):
        self.uid = uid(user)
        self.place = world.place()
        self.state = self.place / 'state' / 'sourceos-syncd'
        self.state.mkdir(parents=True)
        mount('-t', 'tmpfs', '-o', f'size=64m,mode=0700,uid={self.uid},gid={self.uid}', 'none', self.state)
        stack.callback(subprocess.run, ['umount', str(self.state)], check=True)
        self.bus = Bus(world.place(), world.options.bus)
        os.chmod(self.bus.socket, 0o666)
        stack.callback(self.bus.stop)
        self.daemon = stack.enter_context(world.daemon(
            self.place, bus=self.bus, uid=self.uid,
            environment={'DBUS_SYSTEM_BUS_ADDRESS': world.bus.address}))
        self.caller = stack.enter_context(world.other(self.uid, self.bus))
        self.cli = Cli(world, world.place(), self.bus.address)
        os.chown(self.cli.directory, self.uid, self.uid)
        self.options = {'preexec_fn': as_user(self.uid)}

    def does(self, *words):
        return self.cli.does(*words, **self.options)

    def json(self, *words):
        return self.cli.json(*words, **self.options)

    def enqueue(self, thing, marker, size=LARGE):
        body = json.dumps({'text': marker, 'filling': 'x' * size})
        return self.caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', SCOPE, thing,
                                body, {'create_scope': GLib.Variant('b', True)})[0]

    def put(self, thing, marker):
        """It has ended."""
        operation = self.enqueue(thing, marker)
        lease = self.caller.call(OPERATIONS, 'ClaimTask', '(a{sv})',
                                 {'operation': GLib.Variant('s', operation)})[0]
        self.caller.call(OPERATIONS, 'CompleteTask', '(sa{sv})', lease, {})
        return operation

    def delete(self, thing):
        self.caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', SCOPE, thing, '{}',
                         {'lane': GLib.Variant('s', 'tombstone')})

    def body_of(self, operation):
        return json.dumps(json.loads(self.caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {})))

    def free(self):
        disk = os.statvfs(self.state)
        return disk.f_bavail * disk.f_frsize

    def fill(self):
        """Not a byte is left."""
        path = self.state / 'filler'
        with path.open('ab', buffering=0) as filler:
            os.chown(path, self.uid, self.uid)
            path.chmod(0o600)
            for piece in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b'\0' * piece)
        equal(self.free(), 0)

    def found(self):
        code, out, err = self.cli.run('doctor', '--json', **self.options)
        equal((code, err), (NEGATIVE, ''))
        return {one['code']: one for one in json.loads(out)['findings']}

    def entries(self, kind):
        return [event for event in self.json('events', 'list', '--limit=100')
                if event['event_type'] == kind]


@contextlib.contextmanager
def instance_of(world, user=ALLOWED):
    with contextlib.ExitStack() as stack:
        yield Person(world, stack, user)


@promise
def a_full_disk_has_room_again_and_nothing_is_lost_that_was_to_be_kept(world):
    with instance_of(world) as me:
        kept = [me.put('there:1', KEPT), me.enqueue('open:1', KEPT)]
        gone = [me.put(thing, MARKER) for thing in PURGED]
        for thing in [*PURGED, 'open:1']:
            me.delete(thing)
        me.fill()
        finding = me.found()['disk-pressure']
        equal(finding['repair']['kind'], 'purge-object')
        report = json.loads(me.does('health', 'snapshot'))
        equal(report['resources']['disk']['pressure'], 'critical')
        assert 'disk_pressure_purge_preview' in [one['id'] for one in report['controls']]
        assert finding['next'].endswith('repair plan --purge'), finding['next']

        document = me.does('repair', 'plan')
        plan = json.loads(document)
        equal([step['id'] for step in plan['steps']], ['generate_purge_preview'])
        blocked = [step for step in plan['blocked_steps'] if 'target' in step]
        equal(sorted(step['object_id'] for step in blocked), PURGED)
        assert plan['steps'][0]['preview']['freed_bytes'] >= len(PURGED) * LARGE
        assert all(step['preview']['chunk_bytes'] >= LARGE for step in blocked)
        equal(plan['rollback']['available'], False)
        equal(me.cli.run('contract', 'validate', '-', stdin=document, **me.options)[0], 0)
        assert 'cannot be taken back' in me.does('repair', 'show')
        me.does('repair', 'approve', '--yes')
        done = me.does('repair', 'apply', '--yes')
        assert 'Purged, for good.' in done, done
        equal(sorted(one['object_id'] for one in me.json('repair', 'show', '--report')['purged']), PURGED)

        eventually(lambda: len(me.entries('sync.object.purge_proven')) == len(PURGED), 'each is proven')
        assert me.free() > len(PURGED) * LARGE - (8 << 20), me.free()
        for operation in kept:
            assert KEPT in me.body_of(operation), operation
        for operation in gone:
            assert MARKER not in me.body_of(operation), operation
        me.cli.fails(NOT_FOUND, 'NotFound', 'repair', 'rollback', plan['plan_id'], '--yes', **me.options)
        me.cli.fails(NOT_FOUND, 'NotFound', 'repair', 'plan', '--purge', **me.options)
        assert 'sound' in me.does('verify', 'log', '--full')
        for path in me.state.rglob('*'):
            assert not path.is_file() or MARKER.encode() not in path.read_bytes(), path


@promise
def where_nothing_may_be_purged_it_says_how_much_has_to_be_freed(world):
    with instance_of(world) as me:
        me.put('there:1', KEPT)
        me.fill()
        finding = me.found()['disk-pressure-kept']
        equal(finding['repair'], None)
        assert 'have to be freed' in finding['summary'], finding
        message = me.cli.fails(NOT_FOUND, 'NotFound', 'repair', 'plan', **me.options)
        assert message.startswith('Nothing may be purged'), message


@promise
def who_may_not_purge_approves_no_plan_of_it(world):
    with instance_of(world, PURGES_NOTHING) as me:
        me.put('old:1', MARKER)
        me.delete('old:1')
        plan = json.loads(me.does('repair', 'plan', '--purge'))['plan_id']
        me.cli.fails(NOT_AUTHORISED, 'AccessDenied', 'repair', 'approve', plan, '--yes', **me.options)
        equal(me.json('repair', 'list')[0]['state'], 'preview')
        # Of a repair it is another question.
        me.does('repair', 'discard', plan, '--yes')
        key = next((me.state / 'keys').iterdir())
        key.chmod(0o644)
        me.does('repair', 'plan')
        me.does('repair', 'approve', '--yes')


main(system_world)
