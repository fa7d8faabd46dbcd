#!/usr/bin/python3
"""The daemon itself without room on its disk, and killed again and again under load.

test-daemon.py --program PROGRAM [--rounds N] [--seed N] [--in-flight N] [promise …]"""

import json
import os
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# pylint: disable=wrong-import-position
from harness import (ERROR, MANAGER, NAME, OPERATIONS, GLib, Refused, equal, eventually, main,
                     promise, refused_as, session_world)
from mounts import in_private_mounts
from small_disk import on_small_disk
from whole_log import every_entry, verified


def operations(caller):
    """As they are listed."""
    return {entry['header']['op'] for entry in every_entry(caller)
            if entry['header']['kind'] == 'operation.enqueue'}


def read(caller, operation):
    record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
    equal(record['operation_id'], operation)


# --- no room ---------------------------------------------------------------------------------------

def enqueue_some(caller, count):
    return [caller.enqueue(json.dumps({'number': number}))[0] for number in range(count)]


def enqueue_until_refused(caller):
    """What was taken before there was no room: SQLite writes where something was before."""
    taken = []
    for _ in range(200):
        try:
            taken.append(caller.enqueue(json.dumps({'fill': 'x' * 20000}))[0])
        except Refused as refused:
            equal(refused.name, ERROR + 'NoSpace', refused.text)
            return taken
    raise AssertionError('a full disk takes everything')


@promise
@on_small_disk('24m')
def without_room_it_starts_reads_and_refuses(world, disk):
    with world.daemon(disk.place), world.caller() as caller:
        kept = enqueue_some(caller, 200)
    disk.fill()
    with world.daemon(disk.place) as daemon, world.caller() as caller:
        for operation in kept:
            read(caller, operation)
        equal(operations(caller), set(kept))
        equal(verified(caller)['verdict'], 'sound')
        kept += enqueue_until_refused(caller)
        refused_as('NoSpace', caller.enqueue, json.dumps({'fill': 'x' * 20000}))
        refused_as('NoSpace', caller.enqueue, json.dumps({'large': 'x' * 200000}))
        eventually(lambda: daemon.status()['state_reasons'] == ['no-space'], 'it says so')
        equal(daemon.status()['daemon_state'], 'degraded')
        equal(caller.get(MANAGER, 'Sequence'), daemon.status()['sequence'])
        read(caller, kept[-1])

        disk.make_room()
        kept += enqueue_some(caller, 50)
        eventually(lambda: daemon.status()['daemon_state'] == 'clean', 'it is clean')
    with world.daemon(disk.place), world.caller() as caller:
        equal(operations(caller), set(kept))
        equal(verified(caller)['verdict'], 'sound')


@promise
@on_small_disk('24m')
def the_reserve_lets_the_index_be_made(world, disk):
    with world.daemon(disk.place), world.caller() as caller:
        kept = enqueue_some(caller, 200)
    reserve = disk.state / 'reserve'
    before = reserve.stat().st_size
    disk.forget_index()
    disk.fill()
    with world.daemon(disk.place), world.caller() as caller:
        assert not reserve.exists() or reserve.stat().st_size < before, 'the reserve was not used'
        equal(operations(caller), set(kept))
        disk.make_room()
        kept += enqueue_some(caller, 1)
    with world.daemon(disk.place), world.caller() as caller:
        equal(operations(caller), set(kept))
        equal(reserve.stat().st_size, before, 'it is set aside again')


@promise
@on_small_disk('24m')
def without_reserve_or_index_it_says_so(world, disk):
    """The control of the one before: it is the reserve that does it."""
    config = '[Store]\nReserveMiB=0\n'
    with world.daemon(disk.place, config=config), world.caller() as caller:
        kept = enqueue_some(caller, 200)
    disk.forget_index()
    disk.fill()
    with world.daemon(disk.place, config=config) as daemon, world.caller() as caller:
        refused_as('NoSpace', caller.list)
        refused_as('NoSpace', caller.enqueue)
        status = daemon.status()
        equal((status['daemon_state'], status['state_reasons']),
              ('repair-recommended', ['index-unavailable']))
        equal(verified(caller)['verdict'], 'sound')
        disk.make_room()

        def answers():
            try:
                return operations(caller) == set(kept)
            except Refused:
                return False

        eventually(answers, 'the index is made')
        eventually(lambda: daemon.status()['daemon_state'] == 'clean', 'it is clean')


RULES = json.dumps({'schema': 'sourceos.policy-rules/v1', 'rules': [
    {'match': {'objects': [f'closed:{number}' for number in range(20)]}, 'effect': 'deny',
     'reason': 'closed', 'rationale': 'It is closed.'}]})


def denied(caller, number):
    """The decision that the refusal sends one to; None when it names none."""
    text = refused_as('PolicyDenied', caller.enqueue, thing=f'closed:{number}')
    found = re.search(r'policy explain (policy-[0-9a-f]+)', text)
    return found[1] if found else None


def recorded(caller):
    return {entry['body'].get('decision_id') for entry in every_entry(caller)
            if entry['header']['kind'] == 'policy.refused'}


@promise
@on_small_disk('24m')
def a_denial_sends_one_only_to_what_the_log_has(world, disk):
    rules = disk.place / 'rules'
    rules.mkdir(mode=0o755)
    (rules / '50-closed.json').write_text(RULES)
    words = [f'--policy-dir={rules}']
    with world.daemon(disk.place, words=words) as daemon, world.caller() as caller:
        enqueue_some(caller, 20)
        before = denied(caller, 0)
        disk.fill()
        named = []
        for number in range(1, 19):  # SQLite writes for a while where something was before
            named.append(denied(caller, number))
            if named[-1] is None:
                break
        equal(daemon.process.poll(), None)
        assert before in recorded(caller), 'with room it is kept'
        equal(set(named) - {None} - recorded(caller), set(), 'named, and not kept')
        assert None in named, 'the disk was not full'
        disk.make_room()
        enqueue_some(caller, 1)
    with world.daemon(disk.place, words=words), world.caller() as caller:
        equal(verified(caller)['verdict'], 'sound')
        assert denied(caller, 19) in recorded(caller), 'and it is again'


# --- killed ----------------------------------------------------------------------------------------

ACTOR = {'actor_type': 'human', 'display_name': 'A', 'workspace_scope': [], 'profile_scope': [],
         'capabilities': ['read'], 'trust_level': 'user', 'policy_subject': 'a',
         'signing_key_ref': 'none'}


class Worker:
    """Carries out whatever it gets, one task after the other, and notes what it was told."""

    def __init__(self):
        self.claim = None
        self.ends = []
        self.completed = []  # operations

    def go_on(self, caller):
        if self.claim is None:
            self.claim = caller.start(OPERATIONS, 'ClaimTask', '(a{sv})', {})
        elif self.claim.ended():
            if self.claim.reply is not None:
                self.ends.append(caller.start(OPERATIONS, 'CompleteTask', '(sa{sv})',
                                              self.claim.reply[0], {}))
            self.claim = None

    def take(self):
        self.completed += [json.loads(end.reply[0])['operation_id'] for end in self.ends
                           if end.reply is not None]
        self.claim, self.ends = None, []

    def check(self, caller):
        for operation in self.completed:
            task = json.loads(caller.call(OPERATIONS, 'GetTask', '(sa{sv})', operation, {}))
            equal(task['status'], 'succeeded', f'{operation}, which was told to be completed')


class Load:
    """Keyed operations and registrations, what became of each, and who was told."""

    def __init__(self, boasts=False):
        self.boasts = boasts  # a defect, for the control: believes what nobody acknowledged
        self.acknowledged = {}  # key -> operation
        self.unknown = []
        self.doubtful = 0
        self.count = 0
        self.worker = Worker()

    def start(self, caller, count):
        calls = {}
        for _ in range(count):
            key = f'key-{self.count}'
            self.count += 1
            calls[key] = self.begin(caller, key)
        return calls

    @staticmethod
    def registers(key):
        return int(key.split('-')[1]) % 5 == 1

    def begin(self, caller, key):
        options = {'idempotency_key': GLib.Variant('s', key)}
        if self.registers(key):
            record = {**ACTOR, 'actor_id': key, 'identity_id': key, 'key': key}
            return caller.start(NAME + '.Registry', 'Register', '(ssa{sv})', 'actor',
                                json.dumps(record), options)
        return caller.start(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                            'workspace:notes', key, json.dumps({'key': key}),
                            {'create_scope': GLib.Variant('b', True), **options})

    def told(self, key, call):
        return call.reply[1 if self.registers(key) else 0]

    def take(self, calls):
        for key, call in calls.items():
            if call.reply is not None:
                self.acknowledged[key] = self.told(key, call)
            elif self.boasts:
                self.acknowledged[key] = 'believed'
            else:
                self.unknown.append(key)
                self.doubtful += 1

    def retry(self, caller):
        """The same key gives the operation that is there, or makes one."""
        calls = {key: self.begin(caller, key) for key in self.unknown}
        eventually(lambda: all(call.ended() for call in calls.values()), 'all are answered')
        for key, call in calls.items():
            assert call.reply is not None, f'{key}: {call.refused}'
            self.acknowledged[key] = self.told(key, call)
        self.unknown = []

    def check(self, caller):
        """Each key is there once, under the id that was told, and what was told to be completed is."""
        self.worker.check(caller)
        found = {}
        sequences = []
        for entry in every_entry(caller):
            sequences.append(entry['sequence'])
            key = entry['body'].get('key') if isinstance(entry['body'], dict) else None
            if key is None:
                continue
            assert key not in found, f'{key} is there twice'
            found[key] = entry['header']['op']
        for key, operation in self.acknowledged.items():
            assert key in found, f'{key} was acknowledged and is lost'
            equal(found[key], operation, key)
        assert set(found) <= {f'key-{number}' for number in range(self.count)}, 'never tried'
        return sequences


def kill_under_load(world, place, load, chance, in_flight):
    """There are always that many calls in flight, until so many are answered."""
    with world.daemon(place) as daemon, world.caller() as caller:
        load.retry(caller)
        enough = chance.randrange(4 * in_flight)
        calls = load.start(caller, in_flight)

        def answered():
            ended = sum(call.ended() for call in calls.values())
            calls.update(load.start(caller, in_flight + ended - len(calls)))
            load.worker.go_on(caller)
            return ended >= enough

        eventually(answered, 'so many are answered')
        daemon.process.kill()
        daemon.process.wait()
        eventually(lambda: all(call.ended() for call in calls.values()), 'the bus tells the rest')
        eventually(lambda: all(end.ended() for end in load.worker.ends), 'and of its tasks')
        load.take(calls)
        load.worker.take()


@promise
def what_was_acknowledged_survives_being_killed(world):
    place, load = world.place(), Load()
    chance = random.Random(world.options.seed)
    print(f'# seed {world.options.seed}, {world.options.rounds} rounds')
    for _ in range(world.options.rounds):
        acknowledged = len(load.acknowledged)
        kill_under_load(world, place, load, chance, world.options.in_flight)
        with world.daemon(place) as daemon, world.caller() as caller:
            for key, operation in list(load.acknowledged.items())[acknowledged:]:
                if not load.registers(key):
                    read(caller, operation)
            status = daemon.status()
            equal((status['daemon_available'], status['daemon_state']), (True, 'clean'))
            equal(status['sequence'], caller.get(MANAGER, 'Sequence'))
            daemon.process.kill()
            daemon.process.wait()
    with world.daemon(place) as daemon, world.caller() as caller:
        load.retry(caller)
        sequences = load.check(caller)
        equal(sequences, list(range(1, len(sequences) + 1)))
        print(f'# {len(load.acknowledged)} operations in {len(sequences)} entries, of which '
              f'{load.doubtful} had to be asked for again; {len(load.worker.completed)} tasks')
        assert load.doubtful > 0, 'it was never killed under load'
        assert load.worker.completed, 'no task was ever completed'
        equal(len(load.acknowledged), load.count)
        equal(verified(caller)['verdict'], 'sound')
        daemon.stop()
        equal(daemon.status()['daemon_available'], False)


@promise
def an_acknowledgement_that_nobody_gave_is_missed(world):
    """The control: who believes what was not answered loses some of it."""
    chance = random.Random(world.options.seed)
    for _ in range(20):
        place, load = world.place(), Load(boasts=True)
        kill_under_load(world, place, load, chance, world.options.in_flight)
        with world.daemon(place), world.caller() as caller:
            caller.enqueue()
            found = {entry['body'].get('key') for entry in every_entry(caller)
                     if isinstance(entry['body'], dict)}
        answered = {key for key, operation in load.acknowledged.items() if operation != 'believed'}
        assert answered <= found, f'{answered - found} were answered and are lost'
        if set(load.acknowledged) - found:
            return
    raise AssertionError('nothing was ever lost: the daemon is not killed under load')


def add_own(parser):
    parser.add_argument('--rounds', type=int, default=40)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    parser.add_argument('--in-flight', type=int, default=60)


if os.environ.get('SYNCD_PRIVATE_MOUNTS') is None:
    in_private_mounts('a small disk is mounted')
main(session_world, add_own)
