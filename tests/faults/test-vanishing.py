#!/usr/bin/python3
"""Callers that leave while the real polkitd is asked about them, at a random moment around its
answer: nobody who has gone is granted anything, and nothing of them stays."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# The harness is where the line above says.
from damage import (plan, spoilt_system_instance,  # pylint: disable=wrong-import-position
                    state_of)
from harness import (MANAGER, STANDARD, GLib,  # pylint: disable=wrong-import-position
                     as_user, equal, eventually, main, promise, refused_as)
from polkit_world import (ALLOWED, STRANGER, system_world,  # pylint: disable=wrong-import-position
                          uid)

BATCH = 10  # less than one user may ask at a time
QUESTIONS_MAX = 16
# How long callers stay at most: three times what an answer takes, once that was seen.
LONGEST_USEC = [10_000]
TIMED = 20
PART = 25  # jobs that ended are kept, but not many


def add_options(parser):
    parser.add_argument('--vanisher', required=True)
    parser.add_argument('--races', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=1)


def vanish(world, user, count, seed=0, at_once=1, approved=()):
    """`approved` is the path of a plan of repair and its digest; else they ask for a verification."""
    subprocess.run([world.options.vanisher, world.bus.address, str(count),
                    str(world.options.seed + seed), str(LONGEST_USEC[0]), str(at_once), *approved],
                   preexec_fn=as_user(uid(user)), check=True)


class Grants:
    """The verifications that were begun: each took a grant. Those that ended a while ago are not
    kept, so they are counted often."""

    def __init__(self, root):
        self.root = root
        self.known = set()
        self.look()
        self.before = set(self.known)

    def look(self):
        jobs = json.loads(self.root.call(MANAGER, 'ListJobs', '(a{sv})',
                                         {'all': GLib.Variant('b', True)}))
        self.known |= {job['id'] for job in jobs}

    def count(self):
        self.look()
        return len(self.known - self.before)


def descriptors(daemon):
    return len(os.listdir(f'/proc/{daemon.pid}/fd'))


@contextlib.contextmanager
def silent_polkit(world):
    """It answers nobody until this ends."""
    os.kill(world.polkitd.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(world.polkitd.pid, signal.SIGCONT)


def settled(caller):
    """Answered after everything that came before it."""
    caller.call('org.freedesktop.DBus.Peer', 'Ping')


def polkit_settled(stranger):
    """The same, by polkit: the bus lets nobody have any number of questions open."""
    refused_as(STANDARD + 'AccessDenied', stranger.call, MANAGER, 'Verify', '(a{sv})', {})


@contextlib.contextmanager
def nothing_stays(world, user):
    """Whatever is done to the daemon here leaves no descriptor, and no question that counts."""
    with world.system_daemon() as daemon, world.caller() as root, \
            world.other(uid(user)) as caller, world.other(uid(STRANGER)) as stranger:
        polkit_settled(stranger)
        before = descriptors(daemon)
        yield root, stranger
        polkit_settled(stranger)
        with silent_polkit(world):
            refused = caller.burst(QUESTIONS_MAX + 1, MANAGER, 'Verify', '(a{sv})', {})
            equal(refused, [STANDARD + 'LimitsExceeded'], 'one more than may be open')
        caller.kill()
        settled(root)
        eventually(lambda: descriptors(daemon) <= before, 'the descriptors are closed')


@promise
def who_stays_is_granted(world):
    with world.system_daemon(), world.caller() as root, world.other(uid(ALLOWED)) as caller:
        grants = Grants(root)
        for expected in range(1, 11):
            caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', 'heads')})
            equal(grants.count(), expected)
        began = time.monotonic()
        for _ in range(TIMED):
            caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', 'heads')})
        LONGEST_USEC[0] = min(20_000, int(3e6 * (time.monotonic() - began) / TIMED))
        print(f'# callers leave within {LONGEST_USEC[0]} microseconds')


@promise
def nobody_who_is_denied_is_granted_by_leaving(world):
    with nothing_stays(world, STRANGER) as (root, _):
        grants = Grants(root)
        for part in range(world.options.races // 2 // PART):
            vanish(world, STRANGER, PART, part)
            equal(grants.count(), 0)


@promise
def nobody_who_left_before_the_answer_is_granted(world):
    with nothing_stays(world, ALLOWED) as (root, stranger):
        grants = Grants(root)
        for batch in range(world.options.races // 4 // BATCH):
            with silent_polkit(world):
                vanish(world, ALLOWED, BATCH, batch, at_once=BATCH)
                # By then the daemon has been told that they left.
                settled(root)
            polkit_settled(stranger)
            equal(grants.count(), 0)


@promise
def who_leaves_around_the_answer_is_granted_once_at_most(world):
    races = world.options.races // 4
    with nothing_stays(world, ALLOWED) as (root, stranger):
        grants = Grants(root)
        for part in range(races // PART):
            vanish(world, ALLOWED, PART, part)
            grants.look()
        polkit_settled(stranger)
        print(f'# {grants.count()} of {races} were granted before they left')
        # Both happen, or the moments were not around the answer.
        assert 0 < grants.count() < races, grants.count()


# --- repair ------------------------------------------------------------------------------------

@promise
def nobody_who_left_has_approved_a_repair(world):
    races = world.options.races
    with spoilt_system_instance(world) as (_, root), world.other(uid(STRANGER)) as stranger:
        approved = plan(root)
        for part in range(races // 4 // PART):
            vanish(world, STRANGER, PART, part, approved=approved)
        polkit_settled(stranger)
        equal(state_of(root, approved[0]), 'preview', 'by whom polkit denies')
        for batch in range(races // 4 // BATCH):
            with silent_polkit(world):
                vanish(world, ALLOWED, BATCH, batch, at_once=BATCH, approved=approved)
                settled(root)
            polkit_settled(stranger)
            equal(state_of(root, approved[0]), 'preview', 'by whom left before the answer')
        # The control: these callers could have approved it.
        for part in range(races // PART):
            vanish(world, ALLOWED, PART, part, approved=approved)
            if state_of(root, approved[0]) != 'preview':
                break
        polkit_settled(stranger)
        equal(state_of(root, approved[0]), 'approved', 'by one that stayed long enough')


main(system_world, add_options)
