#!/usr/bin/python3
"""An index that lies, repaired over the bus: from the call that plans it until the plan is complete,
with the real polkitd, beside the same index made by a daemon that starts without one. Somebody reads an
operation every four milliseconds meanwhile, however long the answers take.

    bench-repair.py --program PROGRAM --populate BENCH_HEALTH --directory DIR [--entries N] [--rounds N]

The log is made once, and kept in DIR with its length in its name."""

import contextlib
import json
import multiprocessing
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(SOURCE / 'tests' / 'integration'))

# pylint: disable=wrong-import-position
from damage import NOTHING_BY_ITSELF, ended, plan, state_of, tell
from harness import OPERATIONS, Bus, Caller, GLib, Refused, equal, main, promise
from polkit_world import system_world

BETWEEN_READS = 0.004  # seconds
PATIENCE = 600


def add_options(parser):
    parser.add_argument('--populate', required=True)
    parser.add_argument('--directory', required=True)
    parser.add_argument('--entries', type=int, default=20000)
    parser.add_argument('--rounds', type=int, default=1)


def long_log(options):
    place = pathlib.Path(options.directory) / f'bench-repair-{options.entries}'
    if not place.exists():
        subprocess.run([options.populate, f'--entries={options.entries}', '--rounds=1',
                        f'--directory={options.directory}', f'--keep={place}'], check=True,
                       stdout=subprocess.DEVNULL)
    return place


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, 'it never ended'
        time.sleep(0.03)


def answers(caller, operation):
    try:
        caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {})
    except Refused:
        return False
    return True


def read_on(address, operation, enough, results):
    """Sends how long each read took, in order of that."""
    caller, times = Caller(address), []
    while not enough.is_set():
        start = time.monotonic()
        assert answers(caller, operation)
        times.append(time.monotonic() - start)
        time.sleep(BETWEEN_READS)
    results.put(sorted(times))


@contextlib.contextmanager
def reading(address, operation):
    """The list it gives is filled when it ends."""
    fresh = multiprocessing.get_context('spawn')
    enough, results, times = fresh.Event(), fresh.Queue(), []
    reader = fresh.Process(target=read_on, args=(address, operation, enough, results))
    reader.start()
    yield times
    enough.set()
    times += results.get()
    reader.join()


class Round:
    def __init__(self, world):
        options = world.options
        self.world, self.bus = world, Bus(world.place(), options.bus)
        self.place = pathlib.Path(options.directory) / 'bench-repair'
        self.state = self.place / 'state' / 'sourceos-syncd'
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(long_log(options), self.state)
        # It may have been made when this machine was another one.
        subprocess.run([world.program, 'store', 'adopt', '--yes', f'--state-dir={self.state}'], check=True,
                       stdout=subprocess.DEVNULL)
        with self.serving() as caller:
            newest, _ = caller.call(OPERATIONS, 'List', '(a{sv})', {'limit': GLib.Variant('u', 1)})
            self.operation = json.loads(newest)[0]['operation_id']

    @contextlib.contextmanager
    def serving(self, config=NOTHING_BY_ITSELF):
        with self.world.daemon(self.place, self.bus, config=config,
                               words=[f'--policy-dir={SOURCE}/data/policy'],
                               environment={'DBUS_SYSTEM_BUS_ADDRESS': self.world.bus.address}), \
                self.world.caller(self.bus) as caller:
            yield caller

    def spoil(self):
        """So that it serves, and only a look at all of it finds what is wrong."""
        with contextlib.closing(sqlite3.connect(self.state / 'index.db')) as index, index:
            index.execute('UPDATE tally SET count = count + 1')

    def repaired(self):
        """Seconds, and the times of the reads."""
        self.spoil()
        with self.serving() as caller:
            doctor = subprocess.run([self.world.program, 'doctor', '--deep', '--user'], check=False,
                                    env={'DBUS_SESSION_BUS_ADDRESS': self.bus.address},
                                    stdout=subprocess.PIPE, text=True)
            assert 'index-drift' in doctor.stdout, doctor.stdout
            with reading(self.bus.address, self.operation) as times:
                start = time.monotonic()
                path, digest = plan(caller)
                tell(caller, 'Approve', path, digest)
                tell(caller, 'Apply', path, digest)
                until(lambda: ended(caller, path))
                took = time.monotonic() - start
            equal(state_of(caller, path), 'complete')
        return took, times

    def made_at_a_start(self):
        for path in self.state.glob('index.db*'):
            path.unlink()
        start = time.monotonic()
        with self.serving('') as caller:
            until(lambda: answers(caller, self.operation))
            return time.monotonic() - start


@promise
def an_index_is_repaired(world):
    ratios, repairs, baselines, waits, worst = [], [], [], [], []
    for _ in range(world.options.rounds):
        one = Round(world)
        took, times = one.repaired()
        alone = one.made_at_a_start()
        shutil.rmtree(one.place)
        one.bus.stop()
        ratios.append(took / alone)
        repairs.append(took)
        baselines.append(alone)
        waits.append(times[len(times) * 99 // 100] * 1000)
        worst.append(times[-1] * 1000)
    print('| figure | | baseline | | ratio | least to most | promised |')
    print('|---|---|---|---|---|---|---|')
    print(f'| plan to switched, {world.options.entries} operations | {statistics.median(repairs):.2f} s '
          f'| made at a start | {statistics.median(baselines):.2f} s | {statistics.median(ratios):.2f} '
          f'| {min(ratios):.2f} to {max(ratios):.2f} | at most 1.3 |')
    print(f'| a read meanwhile, 1 in 100 waits longer | {statistics.median(waits):.2f} ms | | | '
          f'| {min(waits):.2f} to {max(waits):.2f}, the longest {max(worst):.1f} | at most 20 ms |')


if __name__ == '__main__':
    main(system_world, add_options)
