#!/usr/bin/python3
"""The life of operations as callers and users of the command line see it."""

import json

from gi.repository import GLib

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, on_terminal, served
from harness import (MANAGER, OPERATIONS, STANDARD, equal, eventually, main, promise, refused_as,
                     session_world)


STALE = 6


def get(caller, operation):
    return json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))


# --- ephemeral ---------------------------------------------------------------------------------

EPHEMERAL = {'lane': GLib.Variant('s', 'ephemeral'), 'create_scope': GLib.Variant('b', False)}


@promise
def an_ephemeral_operation_is_seen_and_leaves_nothing(world):
    place = world.place()
    with world.daemon(place), world.caller() as caller:
        caller.enqueue()
        before = caller.get(MANAGER, 'Sequence')
        operation, sequence, duplicate = caller.enqueue('{"line":12}', **EPHEMERAL)
        equal((sequence, duplicate), (0, False))
        record = get(caller, operation)
        equal((record['durable'], record['line'], 'sequence' in record), (False, 12, False))
        equal(caller.list(ephemeral=GLib.Variant('b', True))[0], [record])
        equal([one['durable'] for one in caller.list()[0]], [True])
        equal(caller.get(MANAGER, 'Sequence'), before)
        refused_as('NotFound', caller.enqueue, parents=GLib.Variant('as', [operation]))
        refused_as('InvalidContract', caller.enqueue, lane=EPHEMERAL['lane'])
        line = json.dumps({'type': 'sync.operation.enqueue', 'scope': 'device', 'object': 'a',
                           'body': {}, 'lane': 'ephemeral'}).encode()
        refused_as('InvalidContract', caller.call, OPERATIONS, 'EnqueueMany', '(aya{sv})', line, {})
        for listing, interface in (('ListBytes', OPERATIONS), ('ListEvents', MANAGER)):
            refused_as(STANDARD + 'InvalidArgs', caller.list, listing, interface,
                       ephemeral=GLib.Variant('b', True))
    with world.daemon(place), world.caller() as caller:
        refused_as('NotFound', get, caller, operation)
        equal(caller.list(ephemeral=GLib.Variant('b', True))[0], [])


@promise
def the_oldest_ephemeral_operation_makes_room_and_the_count_is_shown(world):
    with world.served() as (_, caller):
        caller.enqueue()
        first, _, _ = caller.enqueue(**EPHEMERAL)
        for _ in range(256):
            caller.enqueue(**EPHEMERAL)
        refused_as('NotFound', get, caller, first)
        counts = json.loads(caller.call(MANAGER, 'Describe'))['ephemeral']
        equal((counts['operations'], counts['dropped']), (256, 1))


@promise
def the_command_line_says_that_it_is_not_recorded(world):
    with served(world) as (cli, _):
        receipt = cli.enqueue('cursor', '{}', '--lane=ephemeral')
        equal((receipt['durable'], receipt['sequence']), (False, 0))
        equal(cli.enqueue('note-1')['durable'], True)
        assert cli.does('ops', 'enqueue', '--object=a', '--lane=ephemeral').startswith('Not recorded')
        equal([one['object_id'] for one in cli.json('ops', 'list', '--ephemeral')], ['a', 'cursor'])
        equal([one['object_id'] for one in cli.json('ops', 'list', '--ephemeral', '--object=a')], ['a'])
        equal([one['object_id'] for one in cli.json('ops', 'list')], ['note-1'])
        assert 'cursor' in cli.does('ops', 'show', receipt['operation'])
        equal(cli.run('ops', 'list', '--ephemeral', '--after=1')[0], NEGATIVE)
        equal(cli.run('verify', 'proof', '--operation', receipt['operation'])[0], NOT_FOUND)


# --- deleting and restoring --------------------------------------------------------------------

def event_types(cli, thing):
    return [event['event_type'].removeprefix('sync.') for event in cli.json('log', thing, '--oldest-first')]


STEPS = ['object.deletion_authorised', 'object.tombstoned']
OWN_STEPS = ['object.propagated', 'object.hidden']


@promise
def a_deleted_object_is_gone_until_it_is_restored(world):
    with served(world) as (cli, _):
        cli.enqueue('note-1')
        gone = cli.json('ops', 'delete', 'note-1', '--yes', '--key=once')
        equal(cli.json('ops', 'delete', 'note-1', '--yes', '--key=once'), {**gone, 'duplicate': True})
        equal(cli.json('ops', 'show', gone['operation'])['status'], 'completed')
        cli.fails(STALE, 'AlreadyResolved', 'ops', 'delete', 'note-1', '--yes')
        assert 'restore' in cli.run('ops', 'enqueue', '--object=note-1')[2]
        cli.fails(NOT_FOUND, 'NotFound', 'ops', 'enqueue', '--object=note-1')
        restored = cli.enqueue('note-1', '{"v":2}', '--restore')
        equal(cli.json('ops', 'show', restored['operation'])['v'], 2)
        cli.fails(NEGATIVE, 'InvalidContract', 'ops', 'enqueue', '--object=note-1', '--restore')
        cli.enqueue('note-1')
        equal(event_types(cli, 'note-1'),
              ['operation.enqueued', 'operation.enqueued', *STEPS, *OWN_STEPS, 'object.restored',
               'operation.enqueued', 'operation.enqueued'])


@promise
def to_delete_is_asked_for_and_can_be_declined(world):
    with served(world) as (cli, _):
        cli.enqueue('note-1')
        assert 'Delete the object note-1?' in on_terminal(cli, ['ops', 'delete', 'note-1'], b'n\n', FAILED)
        cli.enqueue('note-1')
        on_terminal(cli, ['ops', 'delete', 'note-1'], b'y\n', DONE)
        cli.fails(NOT_FOUND, 'NotFound', 'ops', 'enqueue', '--object=note-1')


# --- cancelling --------------------------------------------------------------------------------

@promise
def a_task_that_waits_can_be_cancelled(world):
    with served(world) as (cli, _), world.caller() as caller:
        heard = caller.listen(OPERATIONS, 'TaskChanged')
        operation = cli.enqueue('note-1')['operation']
        eventually(lambda: heard, 'the task is announced')
        heard.clear()
        task = cli.json('tasks', 'cancel', operation, '--reason=no need')
        equal((task['status'], task['reason']), ('cancelled', 'no need'))
        eventually(lambda: heard, 'its end is announced')
        sequence = caller.get(MANAGER, 'Sequence')
        equal(json.loads(caller.call(OPERATIONS, 'CancelTask', '(sa{sv})', task['task_id'], {})), task)
        equal(caller.get(MANAGER, 'Sequence'), sequence)
        equal(cli.json('ops', 'show', operation)['status'], 'cancelled')
        equal(len(cli.json('events', 'list', '--type=sync.task.cancelled')), 1)
        cli.fails(NOT_FOUND, 'NotFound', 'tasks', 'claim')

        held = cli.enqueue('note-2')['operation']
        lease = cli.json('tasks', 'claim')['lease']
        cli.fails(FAILED, 'Busy', 'tasks', 'cancel', held)
        cli.does('tasks', 'complete', lease)
        cli.fails(STALE, 'AlreadyResolved', 'tasks', 'cancel', held)
        cli.fails(NOT_FOUND, 'NotFound', 'tasks', 'cancel', 'op-none')


if __name__ == '__main__':
    main(session_world)
