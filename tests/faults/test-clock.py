#!/usr/bin/python3
"""A clock that jumps by years, both ways, while the daemon runs and between its runs: the order of
the log stays, and nobody turns in circles."""

import pathlib
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# The harness is where the line above says.
# pylint: disable=wrong-import-position
from harness import JOB, MANAGER, GLib, equal, eventually, main, promise, session_world
from whole_log import every_entry, verified

YEAR = 365 * 24 * 3600
JUMPS = (10 * YEAR, -20 * YEAR, 3600, -3600, 80 * YEAR, -40 * YEAR, 0)
WATCHED = 1.0  # seconds that a daemon is left alone and looked at
# Of a second, in which nothing happens but what a jump sets off.
WAKEUPS_MAX, CPU_MAX = 30, 0.2


def add_options(parser):
    parser.add_argument('--shifted-clock', required=True)
    parser.add_argument('--seed', type=int, default=1)


class Clock:
    """Of the daemons that are given its environment."""

    def __init__(self, world):
        self.file = world.directory / f'clock-{world.place().name}'
        self.environment = {'LD_PRELOAD': world.options.shifted_clock,
                            'SHIFTED_CLOCK': str(self.file)}
        self.shift = 0
        self.jump_to(0)

    def jump_to(self, seconds, asleep=0):
        """The wall clock is that far from the true one; the machine has slept that long."""
        self.shift = seconds
        # In its place: the daemon has it mapped.
        with self.file.open('r+b' if self.file.exists() else 'w+b') as file:
            file.write(struct.pack('<qq', seconds * 10**9, asleep * 10**9))

    def now_ms(self):
        return int((time.time() + self.shift) * 1000)


def clocks(caller):
    return [tuple(entry['header']['hlc']) for entry in every_entry(caller)]


def in_order(values):
    return all(one < other for one, other in zip(values, values[1:]))


def check_order(caller, written):
    found = list(every_entry(caller))
    equal([entry['sequence'] for entry in found], list(range(1, len(found) + 1)))
    operations = [entry['header']['op'] for entry in found]
    equal([op for op in operations if op in set(written)], written)
    assert in_order([tuple(entry['header']['hlc']) for entry in found]), 'a clock went back'


# --- busy or not -------------------------------------------------------------------------------

def work_of(pid):
    """How often it went to sleep, and how many seconds it has run or would have, had others not."""
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    switches = next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith('voluntary_ctxt_switches'))
    ran, waited, _ = map(int, pathlib.Path(f'/proc/{pid}/schedstat').read_text().split())
    return switches, (ran + waited) / 1e9


def is_busy(pid):
    before = work_of(pid)
    time.sleep(WATCHED)
    after = work_of(pid)
    wakeups, cpu = after[0] - before[0], after[1] - before[1]
    print(f'#   in a second: {wakeups} wakeups, {cpu * 1000:.0f} ms of work')
    return wakeups > WAKEUPS_MAX or cpu > CPU_MAX


@promise
def who_turns_in_circles_is_found(world):
    for loop in ('while :; do :; done', 'while :; do sleep 0.005; done'):
        process = subprocess.Popen(['sh', '-c', loop])
        try:
            assert is_busy(process.pid), loop
        finally:
            process.kill()
            process.wait()


# --- jumps -------------------------------------------------------------------------------------

@promise
def order_is_kept_through_live_jumps(world):
    clock, written, walls = Clock(world), [], []
    with world.served(environment=clock.environment) as (_, caller):
        for jump in JUMPS:
            clock.jump_to(jump)
            for _ in range(5):
                walls.append(clock.now_ms())
                written.append(caller.enqueue()[0])
        check_order(caller, written)
        # The same history by the wall clock alone: what this would look like without the rule.
        assert not in_order(walls), 'the clock never went back: nothing was shown'
        listed, _ = caller.list(limit=GLib.Variant('u', 100))
        equal([record['operation_id'] for record in listed], written[::-1])
        equal(verified(caller)['verdict'], 'sound')


@promise
def order_is_kept_when_it_jumps_between_runs(world):
    clock, written, place = Clock(world), [], world.place()
    for jump in JUMPS:
        clock.jump_to(jump)
        with world.served(directory=place, environment=clock.environment) as (_, caller):
            written += [caller.enqueue()[0] for _ in range(3)]
            check_order(caller, written)
    # Without the index the order comes from the log.
    for file in (place / 'state' / 'sourceos-syncd').glob('index.db*'):
        file.unlink()
    with world.served(directory=place, environment=clock.environment) as (_, caller):
        check_order(caller, written)
        equal(verified(caller)['verdict'], 'sound')


@promise
def order_is_kept_through_any_jumps(world):
    chance = random.Random(world.options.seed)
    print(f'# seed {world.options.seed}')
    clock, written = Clock(world), []
    with world.served(environment=clock.environment) as (_, caller):
        for _ in range(200):
            clock.jump_to(chance.randint(-50 * YEAR, 100 * YEAR), chance.randint(0, YEAR))
            written.append(caller.enqueue()[0])
        check_order(caller, written)


@promise
def a_log_from_years_ahead_is_continued(world):
    clock, place = Clock(world), world.place()
    clock.jump_to(30 * YEAR)
    with world.served(directory=place, environment=clock.environment) as (_, caller):
        first = [caller.enqueue()[0]]
        ahead = clocks(caller)[-1]
    clock.jump_to(0)
    with world.served(directory=place, environment=clock.environment) as (_, caller):
        second = [caller.enqueue()[0] for _ in range(3)]
        check_order(caller, first + second)
        # It stands still until the wall clock has come as far: it does not run further ahead.
        equal({ms for ms, _ in clocks(caller)[-3:]}, {ahead[0]})
        equal(verified(caller)['verdict'], 'sound')


@promise
def events_are_found_by_the_time_they_carry(world):
    clock = Clock(world)
    with world.served(environment=clock.environment) as (_, caller):
        for jump in JUMPS:
            clock.jump_to(jump)
            caller.enqueue()
        stamps = [ms for ms, _ in clocks(caller)]
        for since in sorted(set(stamps)):
            events, _ = caller.list('ListEvents', MANAGER, limit=GLib.Variant('u', 100),
                                    since=GLib.Variant('t', since * 1000))
            equal(len(events), sum(ms >= since for ms in stamps))


# --- what runs by time -------------------------------------------------------------------------

@promise
def nobody_turns_in_circles_after_a_jump(world):
    clock = Clock(world)
    with world.served(environment=clock.environment) as (daemon, caller):
        path = caller.call(MANAGER, 'Verify', '(a{sv})', {})
        eventually(lambda: caller.get(JOB, 'State', path) == 'done', 'the job ends')
        for jump in JUMPS:
            clock.jump_to(jump, asleep=abs(jump))
            # Whatever is set off by a call is set by the new clock.
            caller.enqueue()
            eventually(lambda: not is_busy(daemon.pid), f'it rests after {jump}')
        # Five minutes have not gone by, whatever the wall clock says.
        equal(caller.get(JOB, 'State', path), 'done')


@promise
def changes_are_told_after_a_jump(world):
    clock = Clock(world)
    with world.served(environment=clock.environment) as (daemon, caller), \
            world.caller() as listener:
        caller.enqueue()
        heard = listener.listen()
        for jump in JUMPS:
            clock.jump_to(jump)
            heard.clear()
            _, sequence, _ = caller.enqueue()
            eventually(lambda: any(name == 'PropertiesChanged' for _, name, _ in heard),
                       'the change is told')
            eventually(lambda wanted=sequence: daemon.status()['sequence'] >= wanted,
                       'the status file follows')


main(session_world, add_options)
