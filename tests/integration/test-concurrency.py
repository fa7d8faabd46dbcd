#!/usr/bin/python3
"""Many writers at once: each acknowledged operation is there once, and the numbers have no gaps."""

import subprocess

from harness import Skip, equal, main, promise, session_world
from whole_log import every_entry, verified

PROCESSES = 8
OPERATIONS_EACH = 2000


def start_writer(world, worker, output=subprocess.PIPE):
    if not world.options.enqueuer:
        raise Skip('no --enqueuer')
    return subprocess.Popen([world.options.enqueuer, world.bus.address, str(worker),
                             str(OPERATIONS_EACH)], stdout=output, text=True)


@promise
def eight_writers_get_each_of_their_operations_recorded_once(world):
    place = world.place()
    with world.daemon(place), world.caller() as caller:
        caller.enqueue()
        writers = [start_writer(world, worker) for worker in range(PROCESSES)]
        acknowledged = {}
        for worker, writer in enumerate(writers):
            output, _ = writer.communicate()
            equal(writer.returncode, 0, f'writer {worker}')
            for line in output.splitlines():
                number, operation, sequence = line.split()
                acknowledged[operation] = (worker, int(number), int(sequence))
        equal(len(acknowledged), PROCESSES * OPERATIONS_EACH, 'distinct ids')
        numbers = {sequence for _, _, sequence in acknowledged.values()}
        equal(len(numbers), len(acknowledged), 'distinct sequence numbers')

    # What counts is what is on the disk.
    with world.daemon(place), world.caller() as caller:
        entries = list(every_entry(caller))
        equal([entry['sequence'] for entry in entries], list(range(1, len(entries) + 1)))
        recorded = {}
        for entry in entries:
            operation = entry['header'].get('op')
            if operation in acknowledged:
                assert operation not in recorded, f'{operation} is there twice'
                recorded[operation] = (entry['body']['worker'], entry['body']['number'],
                                       entry['sequence'])
        equal(recorded, acknowledged)
        equal(verified(caller)['verdict'], 'sound')


@promise
def a_log_is_sound_at_every_moment_of_being_written(world):
    with world.daemon(), world.caller() as caller:
        caller.enqueue()
        writers = [start_writer(world, worker, subprocess.DEVNULL) for worker in range(2)]
        looks = 0
        while any(writer.poll() is None for writer in writers):
            result = verified(caller, ('full', 'incremental')[looks % 2])
            equal(result['verdict'], 'sound', result)
            looks += 1
        equal([writer.returncode for writer in writers], [0, 0], 'the writers')
        assert looks > 2, f'verified {looks} times meanwhile'


main(session_world)
