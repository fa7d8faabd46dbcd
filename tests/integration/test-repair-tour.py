#!/usr/bin/python3
"""The tour of repair in examples/, as an ordinary user walks it: with a bus and a daemon of its own, and
with the real polkitd, which lets him or does not."""

import os
import pathlib
import subprocess
import sys

from harness import as_user, equal, main, promise
from polkit_world import ALLOWED, STRANGER, system_world, uid

PATIENCE = 120


def walk(world, user, **other):
    home = world.place()
    home.mkdir()
    os.chown(home, uid(user), uid(user))
    source = pathlib.Path(world.options.source)
    keep = ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')
    environment = {**{name: os.environ[name] for name in keep if name in os.environ},
                   'HOME': str(home), 'TMPDIR': str(home), 'LC_ALL': 'C.UTF-8',
                   'SYNCD_PROGRAM': world.program, 'SYNCD_POLICY_DIR': str(source / 'data/policy'),
                   'DBUS_SYSTEM_BUS_ADDRESS': world.bus.address, **other}
    return subprocess.run([sys.executable, '-B', str(source / 'examples/repair-tour.py'), '--yes'],
                          cwd=home, env=environment, preexec_fn=as_user(uid(user)), capture_output=True,
                          text=True, timeout=PATIENCE, check=False), home


@promise
def the_tour_repairs_takes_back_and_repairs_again(world):
    done, home = walk(world, ALLOWED)
    equal(done.returncode, 0, done.stdout[-2000:] + done.stderr)
    at = 0
    for step in ('index-rebuild', 'Approved until', 'Repaired.', 'Taken back', 'Repaired.', 'complete',
                 'remember the milk', 'file-restore', 'Approved until', 'Repaired.', 'Remember the milk',
                 'Taken back', 'remember the milk', 'Repaired.', 'Remember the milk', 'That was all of it.'):
        assert step in done.stdout[at:], (step, done.stdout)
        at = done.stdout.index(step, at) + len(step)
    equal(list(home.iterdir()), [], 'nothing is left')


@promise
def the_tour_ends_where_polkit_denies(world):
    done, home = walk(world, STRANGER)
    equal(done.returncode, 1, done.stdout)
    assert 'polkit does not allow you this' in done.stderr, done.stderr
    assert 'Repaired.' not in done.stdout, done.stdout
    equal(list(home.iterdir()), [], 'nothing is left')


@promise
def what_is_missing_is_said_before_anything_is_begun(world):
    for missing, told in (({'SYNCD_PROGRAM': '/nonexistent'}, '/nonexistent'),
                          ({'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent'}, 'polkit')):
        done, _ = walk(world, ALLOWED, **missing)
        equal((done.returncode, done.stdout), (1, ''), done.stderr)
        equal(done.stderr.count('\n'), 1, done.stderr)
        assert told in done.stderr, done.stderr


main(system_world)
