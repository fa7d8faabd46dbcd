#!/usr/bin/env python3
"""Workers on a real bus: one task is in one pair of hands, and what they drop is offered again."""

import json
import os
import signal
import subprocess
import time

from gi.repository import GLib

from harness import (MANAGER, OPERATIONS, PATIENCE, OtherCaller, equal, eventually, main, promise,
                     refused_as, session_world)



def claim(caller, **options):
    """The lease, the task and the operation; None when there is no task."""
    lease, task, operation = caller.call(OPERATIONS, 'ClaimTask', '(a{sv})', options)
    return (lease, json.loads(task), json.loads(operation)) if lease else None


def complete(caller, lease, **options):
    return json.loads(caller.call(OPERATIONS, 'CompleteTask', '(sa{sv})', lease, options))


def task_of(caller, operation):
    return json.loads(caller.call(OPERATIONS, 'GetTask', '(sa{sv})', operation, {}))


def events(caller, kind):
    found, _ = caller.list('ListEvents', MANAGER, type=GLib.Variant('s', kind))
    return found


def worker(world):
    """Another process, so that it can be killed or put to sleep."""
    return OtherCaller(world.bus.address, os.geteuid())


def worker_claim(process, **options):
    lease, _, operation = process.call(OPERATIONS, 'ClaimTask', '(a{sv})', options)
    return lease, json.loads(operation)['operation_id']


SHORT = {'lease': GLib.Variant('u', 5)}


@promise
def a_task_goes_from_hand_to_hand_and_is_done_once(world):
    with world.served() as (_, caller):
        heard = caller.listen(OPERATIONS, 'TaskChanged')
        assert claim(caller) is None
        operation, _, _ = caller.enqueue()
        eventually(lambda: heard, 'the task is announced')
        lease, task, record = claim(caller)
        equal(record['operation_id'], operation)
        equal((record['status'], task['status'], task['attempt']), ('running', 'running', 1))
        assert claim(caller) is None
        failed = json.loads(caller.call(OPERATIONS, 'FailTask', '(ssa{sv})', lease, 'no network', {}))
        equal((failed['status'], failed['reason']), ('pending', 'no network'))
        refused_as('LeaseLost', complete, caller, lease)
        heard.clear()
        eventually(lambda: (again := claim(caller)) and complete(caller, again[0]), 'it is due again')
        assert heard, 'nobody was told that it is'
        equal(task_of(caller, operation)['status'], 'succeeded')
        equal(len(events(caller, 'sync.task.completed')), 1)


@promise
def a_worker_that_is_killed_loses_its_task_at_once(world):
    with world.served() as (_, caller):
        operation, _, _ = caller.enqueue()
        dies, lives = worker(world), worker(world)
        try:
            lease, claimed = worker_claim(dies)
            equal(claimed, operation)
            dies.kill()
            eventually(lambda: task_of(caller, operation)['status'] == 'pending', 'it is offered again')
            assert task_of(caller, operation)['lease_expired']
            equal(len(events(caller, 'sync.task.lost')), 1)
            next_lease, claimed = worker_claim(lives)
            equal(claimed, operation)
            refused_as('LeaseLost', complete, caller, lease)
            complete(lives, next_lease)
            equal(task_of(caller, operation)['status'], 'succeeded')
        finally:
            lives.kill()


@promise
def a_worker_that_sleeps_loses_its_task_when_the_lease_ends(world):
    with world.served() as (_, caller):
        operation, _, _ = caller.enqueue()
        sleeps = worker(world)
        try:
            lease, _ = worker_claim(sleeps, **SHORT)
            begun = time.monotonic()
            sleeps.process.send_signal(signal.SIGSTOP)
            eventually(lambda: task_of(caller, operation)['status'] == 'pending', 'the lease ends')
            assert time.monotonic() - begun >= 4.9
            sleeps.process.send_signal(signal.SIGCONT)
            before = caller.get(MANAGER, 'Sequence')
            refused_as('LeaseLost', complete, sleeps, lease)
            equal(caller.get(MANAGER, 'Sequence'), before)
            complete(caller, claim(caller)[0])
        finally:
            sleeps.kill()


@promise
def a_lease_outlives_a_restart_by_one_grace_period(world):
    place = world.place()
    holds = worker(world)
    try:
        with world.daemon(place), world.caller() as caller:
            kept, _, _ = caller.enqueue()
            left, _, _ = caller.enqueue()
            leases = dict(reversed(worker_claim(holds, **SHORT)) for _ in range(2))
        with world.daemon(place), world.caller() as caller:
            equal({task_of(caller, one)['status'] for one in (kept, left)}, {'running'})
            complete(holds, leases[kept])
            equal(task_of(caller, kept)['status'], 'succeeded')
            eventually(lambda: task_of(caller, left)['status'] == 'pending', 'the grace ends')
            refused_as('LeaseLost', complete, holds, leases[left])
    finally:
        holds.kill()


@promise
def a_worker_that_left_while_nobody_looked_is_found_out(world):
    place = world.place()
    gone = worker(world)
    with world.daemon(place), world.caller() as caller:
        operation, _, _ = caller.enqueue()
        worker_claim(gone, **SHORT)
    gone.kill()
    with world.daemon(place), world.caller() as caller:
        eventually(lambda: claim(caller), 'it is offered again')
        equal(task_of(caller, operation)['attempt'], 2)


@promise
def many_workers_share_the_work_and_nothing_is_done_twice(world):
    with world.served() as (_, caller):
        enqueued = [caller.enqueue(thing=f'note:{n}')[0] for n in range(30)]
        workers = [world.caller() for _ in range(4)]
        entered = [one.__enter__() for one in workers]
        done = []
        try:
            while pending := [one.start(OPERATIONS, 'ClaimTask', '(a{sv})', {}) for one in entered]:
                eventually(lambda: all(call.ended() for call in pending), 'each is answered')
                claimed = [call.reply for call in pending if call.reply[0]]
                if not claimed:
                    break
                for one, (lease, _, operation) in zip(entered, claimed):
                    done.append(json.loads(operation)['operation_id'])
                    complete(one, lease)
        finally:
            for one in workers:
                one.__exit__(None, None, None)
        equal(sorted(done), sorted(enqueued))
        equal(len(events(caller, 'sync.task.lost')), 0)


@promise
def what_is_behind_many_others_is_found_in_one_call(world):
    """The daemon looks in steps, and who only waits sees one answer."""
    line = {'type': 'sync.operation.enqueue', 'scope': 'workspace:other', 'object': 'note-1', 'body': {},
            'create_scope': True, 'lane': 'priority'}
    lines = '\n'.join([json.dumps(line)] * 500).encode()
    with world.served() as (_, caller):
        for _ in range(5):
            caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', lines, {})
        operation, _, _ = caller.enqueue()
        scope = GLib.Variant('s', 'workspace:notes')
        lease, _, record = claim(caller, scope=scope)
        equal(record['operation_id'], operation)
        assert claim(caller, scope=scope) is None
        complete(caller, lease)


@promise
def the_state_counts_what_is_to_be_done(world):
    with world.served() as (daemon, caller):
        for _ in range(3):
            caller.enqueue()
        equal(caller.get(MANAGER, 'PendingOperations'), 3)
        lease, _, _ = claim(caller)
        equal(caller.get(MANAGER, 'PendingOperations'), 3)
        complete(caller, lease)
        equal(caller.get(MANAGER, 'PendingOperations'), 2)


@promise
def a_replay_over_the_bus_is_one_replay(world):
    with world.served() as (_, caller):
        operation, _, _ = caller.enqueue(idempotency_key=GLib.Variant('s', 'k'))
        complete(caller, claim(caller)[0])
        first, duplicate = caller.call(OPERATIONS, 'Replay', '(sa{sv})', operation, {})
        assert not duplicate
        before = caller.get(MANAGER, 'Sequence')
        equal(caller.call(OPERATIONS, 'Replay', '(sa{sv})', operation, {}), (first, True))
        equal(caller.get(MANAGER, 'Sequence'), before)
        equal(claim(caller)[2]['operation_id'], operation)
        refused_as('Busy', caller.call, OPERATIONS, 'Replay', '(sa{sv})', operation,
                   {'idempotency_key': GLib.Variant('s', 'other')})


@promise
def scripts_claim_with_leases_that_outlive_them(world):
    with world.served() as (daemon, caller):
        operation, _, _ = caller.enqueue()

        def cli(*words):
            done = subprocess.run(
                [world.program, *words, '--json'], capture_output=True, text=True, check=False,
                timeout=PATIENCE, env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address})
            return done.returncode, json.loads(done.stdout) if done.stdout else None

        status, claimed = cli('tasks', 'claim')
        equal(status, 0, claimed)
        equal(claimed['operation']['operation_id'], operation)
        equal(cli('tasks', 'claim')[0], 3)
        equal(cli('tasks', 'renew', claimed['lease'])[0], 0)
        equal([one['status'] for one in cli('tasks', 'list')[1]], ['running'])
        status, failed = cli('tasks', 'fail', claimed['lease'], 'no disk', '--final')
        equal((status, failed['status']), (0, 'failed'))
        equal(cli('tasks', 'complete', claimed['lease'])[0], 6)
        equal(cli('tasks', 'show', operation)[1]['operation_status'], 'failed')
        status, replayed = cli('ops', 'replay', operation, '--key=again')
        equal((status, replayed['duplicate']), (0, False))
        lease = cli('tasks', 'claim', operation)[1]['lease']
        status, completed = cli('tasks', 'complete', lease, f'--evidence={operation}')
        equal((status, completed['evidence_refs']), (0, [operation]))


def carried_out(world, command):
    """What a worker's command was given, for two tasks of which one is refused."""
    with world.served() as (_, caller):
        good, _, _ = caller.enqueue(thing='good')
        bad, _, _ = caller.enqueue(thing='bad')
        seen = world.place()
        script = f'tee -a {seen} | grep -q \'"object_id":"good"\''
        subprocess.run([*command, '--once', 'sh', '-c', script], check=True, timeout=PATIENCE,
                       env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address})
        equal(task_of(caller, good)['status'], 'succeeded')
        refused = task_of(caller, bad)
        equal((refused['status'], refused['reason']), ('pending', 'the command ended with 1'))
        assert good in seen.read_text() and bad in seen.read_text()


@promise
def the_worker_in_c_carries_out_what_it_is_given(world):
    carried_out(world, [os.path.abspath(world.options.worker)])


@promise
def the_worker_in_python_carries_out_what_it_is_given(world):
    carried_out(world, ['/usr/bin/python3', '-B',
                        os.path.join(world.options.source, 'examples', 'worker.py')])


if __name__ == '__main__':
    main(session_world)
