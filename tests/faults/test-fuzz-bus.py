#!/usr/bin/python3
"""Every method and property of the user instance under generated calls, and flawed services that
the same judgement must find. More on demand: --calls=1000000 --seed=N."""

import contextlib
import json
import os
import subprocess

from bus_fuzz import (SANITIZED, add_options, check_log, complaints, descriptors, fuzz, memory,
                      recorded_file)
from damage import PLAN, REPAIR, plan, spoilt
from harness import Skip, equal, main, promise, session_world

# What is wrong with it: part of a complaint that must be among those about it.
FLAWS = {
    'crash': 'it ended with',
    'overflow': 'AddressSanitizer',
    'never': 'never succeeded: org.sourceos.Sync.Operations.Get',
    'silent': 'were not answered',
    'leak': 'bytes',
    'leak-fds': 'descriptors',
    'deaf': 'were decoded',
}
CALLS_TO_POOR = 1200
# polkit is asked for consent first, and there is none here: test-polkit.py.
CONSENTED = ('org.sourceos.Sync.Operations.Purge', 'org.sourceos.Sync.Operations.PurgeReport')


@promise
def the_user_instance_takes_every_call(world):
    with world.served(environment=SANITIZED) as (daemon, caller):
        with recorded_file(caller) as lines:
            before = descriptors(daemon.pid), memory(daemon.pid)
            report = fuzz(world.options, world.bus.address, world.options.calls, lines=lines)
        for method in CONSENTED:
            report['methods'].pop(method)
        equal(complaints(report, daemon.process, before, daemon.said()), [])
        check_log(caller)


@promise
def a_plan_of_repair_takes_every_call(world):
    with spoilt(world, os.getuid(), environment=SANITIZED) as daemon, world.caller() as caller:
        equal(json.loads(caller.call(PLAN, 'Describe', path=plan(caller)[0]))['state'], 'preview')
        before = descriptors(daemon.pid), memory(daemon.pid)
        report = fuzz(world.options, world.bus.address, world.options.calls // 3,
                      lines=[f'{REPAIR}.Plan ({{}},)', f'{PLAN}.Describe ()', f'{PLAN}.Document ()',
                             f'{PLAN}.Discard ()'])
        equal(complaints(report, daemon.process, before, daemon.said(), everything=False), [])
        done = [name for name in (REPAIR + '.Plan', PLAN + '.Describe', PLAN + '.Document', PLAN + '.Discard')
                if report['methods'].get(name)]
        equal(len(done), 4, f'{done} of {report["methods"]}')
        for name in ('Approve', 'Apply', 'Rollback', 'Report'):
            equal(report['methods'][f'{PLAN}.{name}'], 0, 'without consent')


@contextlib.contextmanager
def poor_service(world, flaw):
    if not world.options.poor_service:
        raise Skip('no --poor-service')
    log = world.place()
    with log.open('wb') as output:
        process = subprocess.Popen([world.options.poor_service, world.bus.address, flaw],
                                   stdout=subprocess.PIPE, stderr=output, text=True)
    equal(process.stdout.readline(), 'serving\n')
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def judge_poor(world, flaw):
    with poor_service(world, flaw) as (process, log):
        before = descriptors(process.pid), memory(process.pid)
        report = fuzz(world.options, world.bus.address, CALLS_TO_POOR, corpus=False, patience=3)
        if report['findings']:
            # What went away is on its way out; what only did not answer still stands.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5 if 'left the bus' in str(report['findings']) else 0)
        # Its properties cannot be set.
        report['methods'].pop('org.freedesktop.DBus.Properties.Set', None)
        return complaints(report, process, before, log.read_text())


@promise
def a_sound_service_is_found_sound(world):
    equal([complaint for complaint in judge_poor(world, 'none')
           if 'freedesktop' not in complaint], [])


@promise
def every_flawed_service_is_found(world):
    for flaw, wanted in FLAWS.items():
        found = judge_poor(world, flaw)
        assert any(wanted in complaint for complaint in found), f'{flaw}: {found}'
        print(f'# {flaw}: {found[0][:90]}')


main(session_world, add_options)
