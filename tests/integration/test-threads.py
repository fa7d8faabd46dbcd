#!/usr/bin/python3
"""The daemon is one thread, whatever it is asked to do: nothing in it can race with anything else.
strace sees each thread and each process that it would begin, however short it lives."""

import json
import os
import pathlib
import shlex
import subprocess
import sys

from harness import JOB, MANAGER, OPERATIONS, GLib, Skip, equal, eventually, main, promise, \
    session_world

WRITERS = 4
OPERATIONS_EACH = 500
BEGINNINGS = 'clone,clone3,fork,vfork'

# What must be seen: a thread that ends at once.
THREADED = 'import threading; thread = threading.Thread(target=int); thread.start(); thread.join()'


def watched(place, *command):
    """The command with strace beside it, and where the trace goes."""
    trace = pathlib.Path(place) / 'trace'
    return ['strace', '-D', '-f', '-q', '-e', 'signal=none', '-e', f'trace={BEGINNINGS}', '-o',
            str(trace), '--', *command], trace


def watched_program(place, program):
    command, trace = watched(place, program)
    script = pathlib.Path(place) / 'watched'
    # LeakSanitizer cannot run beside another tracer.
    script.write_text('#!/bin/sh\nexport ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"\n'
                      f'exec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    return str(script), trace


def begun(trace):
    """The calls that began a thread or a process."""
    return [line for line in trace.read_text().splitlines()
            if any(f' {name}(' in line for name in BEGINNINGS.split(','))]


def ended(trace):
    return trace.read_text().endswith('+++\n')


def threads_of(pid):
    return len(os.listdir(f'/proc/{pid}/task'))


def exercise(caller):
    """Each kind of work once: write, read, page, prove, sign, verify, and let a big body spill."""
    operation, _ = caller.enqueue()[:2]
    caller.enqueue(body=json.dumps({'big': 'x' * 200000}))
    caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {})
    caller.list('List')
    caller.list('ListBytes', bodies=GLib.Variant('b', True))
    caller.call(OPERATIONS, 'Proof', '(sa{sv})', operation, {})
    caller.call(OPERATIONS, 'Checkpoint', '(sa{sv})', 'device', {})
    path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', 'full')})
    eventually(lambda: caller.get(JOB, 'State', path) != 'running', 'the job ends')


@promise
def a_thread_would_be_seen(world):
    place = world.place()
    place.mkdir()
    command, trace = watched(place, sys.executable, '-c', THREADED)
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        raise Skip('strace is not installed') from None
    eventually(lambda: trace.exists() and begun(trace), 'the thread is in the trace')


@promise
def the_daemon_begins_no_thread_and_no_process_under_load(world):
    place = world.place()
    place.mkdir()
    program, trace = watched_program(place, world.program)
    world.program, own = program, world.program
    try:
        with world.daemon(place) as daemon, world.caller() as caller:
            caller.enqueue()
            writers = [subprocess.Popen([world.options.enqueuer, world.bus.address, str(worker),
                                         str(OPERATIONS_EACH)], stdout=subprocess.DEVNULL)
                       for worker in range(WRITERS)]
            most = 0
            while any(writer.poll() is None for writer in writers):
                exercise(caller)
                most = max(most, threads_of(daemon.pid))
            equal([writer.returncode for writer in writers], [0] * WRITERS)
            equal(most, 1, 'threads')
    finally:
        world.program = own
    eventually(lambda: ended(trace), 'the trace is complete')
    equal(begun(trace), [])


main(session_world)
