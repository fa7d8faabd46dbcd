#!/usr/bin/python3
"""One user calls as fast as he can, with hundreds of calls in flight: what another user waits for
each of his own. A service that serves in the order of arrival must be found. And who leaves while
many requests of his are checked, piece by piece, leaves all of them or none."""

import contextlib
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# The harness is where the line above says.
from harness import (PATIENCE, as_user, equal,  # pylint: disable=wrong-import-position
                     main, promise)
from polkit_world import SERVICE, STRANGER, system_world, uid  # pylint: disable=wrong-import-position

P99_MAX_MS = 50  # what was promised
P99_OF_BUS_MAX_MS = 3  # where the processors are free it is a tenth of that
CONNECTIONS, IN_FLIGHT = 4, 100
# Of a user that may write, and of one that may not.
KINDS = {
    SERVICE: ('enqueue', 'get', 'list', 'list-filtered', 'list-bytes', 'list-events', 'list-tasks',
              'enqueue-many'),
    STRANGER: ('describe', 'verify', 'wrong-arguments', 'no-method'),
}
FEW = 10  # rounds where each takes long, and calls that make a flood
ATTEMPTS = 3
OPERATIONS = 400  # that there are to list
MANY = 512  # requests in a call of EnqueueMany
LEAVES, LONGEST_STAY = 100, 0.06  # seconds


def add_options(parser):
    parser.add_argument('--flooder', required=True)
    parser.add_argument('--poor-service')
    parser.add_argument('--rounds', type=int, default=40)


def begin_flood(world, user, kind, connections=CONNECTIONS, in_flight=IN_FLIGHT):
    return subprocess.Popen(
        [world.options.flooder, world.bus.address, 'flood', kind, str(connections),
         str(in_flight)], stdout=subprocess.PIPE, text=True, preexec_fn=as_user(uid(user)))


class Flood:
    """A user's flood, which is under way when this returns."""

    def __init__(self, world, user, kind):
        self.process = begin_flood(world, user, kind)
        equal(self.process.stdout.readline(), 'flooding\n')

    def stop(self):
        """How many of its calls were answered, and how many of those refused."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=PATIENCE)
        return tuple(int(number) for number in output.split())


def waits(world, rounds=None):
    """Of root's own calls, in milliseconds, the shortest first; and the same of calls that only the
    bus answers."""
    done = subprocess.run(
        [world.options.flooder, world.bus.address, 'probe', str(rounds or world.options.rounds)],
        capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    own = sorted(int(usec) / 1000 for name, usec in lines if name != 'bus')
    return own, sorted(int(usec) / 1000 for name, usec in lines if name == 'bus')


def p99(times):
    return times[max(0, int(len(times) * 0.99) - 1)]


def told(what, times):
    parts = ', '.join(f'p{share} {times[max(0, int(len(times) * share / 100) - 1)]:.1f}'
                      for share in (50, 90, 99))
    print(f'# {what}: {parts}, longest {times[-1]:.1f} ms of {len(times)} calls')


def flooded(world, user, kind, rounds=None):
    flood = Flood(world, user, kind)
    try:
        times, of_bus = waits(world, rounds)
    finally:
        answered, refused = flood.stop()
    told(f'{kind}, of {user}', times)
    told('  the bus alone', of_bus)
    assert answered >= FEW, f'{kind}: no flood: {answered} calls'
    print(f'#   {answered} calls of the flood were answered, {refused} of them refused')
    return p99(times), p99(of_bus)


def fill(caller):
    for number in range(OPERATIONS):
        caller.enqueue('{"text":"' + 'x' * 1500 + '"}', thing=f'note:{number}')


@promise
def another_user_hardly_notices_a_flood(world):
    with world.system_daemon(), world.caller() as root:
        fill(root)
        told('nothing else', waits(world)[0])
        for user, kinds in KINDS.items():
            for kind in kinds:
                # Others may have had the processors; a few times.
                for _ in range(ATTEMPTS):
                    longest, of_bus = flooded(world, user, kind)
                    if longest < P99_MAX_MS:
                        break
                if longest >= P99_MAX_MS and of_bus > P99_OF_BUS_MAX_MS:
                    print(f'# {kind}: not judged, even the bus takes {of_bus:.1f} ms here')
                    continue
                assert longest < P99_MAX_MS, f'{kind}: {longest:.1f} ms'


def leave(flood, told=False):
    """At once, or once it was answered."""
    if told:
        equal(flood.stdout.readline(), 'flooding\n')
    flood.kill()
    flood.communicate(timeout=PATIENCE)


@promise
def who_leaves_while_many_are_checked_leaves_all_or_none(world):
    moments = random.Random(1)
    with world.system_daemon(), world.caller() as root:
        leave(begin_flood(world, SERVICE, 'enqueue-many', 1, 1), told=True)
        numbers = [root.enqueue()[1] for _ in range(2)]
        for _ in range(LEAVES):
            flood = begin_flood(world, SERVICE, 'enqueue-many', 1, 2)
            time.sleep(moments.uniform(0, LONGEST_STAY))
            leave(flood)
            numbers.append(root.enqueue()[1])
        steps = [after - before for before, after in zip(numbers[1:], numbers[2:])]
        print(f'# {sum(steps) // MANY} calls were recorded, of {LEAVES} who left')
        assert all(step % MANY == 1 for step in steps), steps
        # Both happen, or the moments were not around the writing.
        assert {1, 1 + MANY} <= set(steps), steps


@promise
def a_service_that_serves_in_order_is_found(world):
    process = subprocess.Popen([world.options.poor_service, world.bus.address, 'in-order'],
                               stdout=subprocess.PIPE, text=True)
    equal(process.stdout.readline(), 'serving\n')
    try:
        assert flooded(world, STRANGER, 'describe', FEW)[0] >= P99_MAX_MS
    finally:
        process.kill()
        process.wait()


# Disks differ, and others use them: a commit costs here what it costs without one.
if os.path.isdir('/dev/shm'):
    tempfile.tempdir = '/dev/shm'
# The two processors may be shared with others, who have no part in what is measured here.
with contextlib.suppress(OSError):
    os.setpriority(os.PRIO_PROCESS, 0, -15)
main(system_world, add_options)
