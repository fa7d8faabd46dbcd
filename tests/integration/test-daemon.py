#!/usr/bin/python3
"""The daemon as a process: what it bears at once, what happens when caller or daemon go away in the
middle, that there is one of it, and what it does with the world around it."""

import json
import os
import re
import signal
import subprocess
import time

from asking import finished, pages, text
from harness import (JOB, MANAGER, NAME, OPERATIONS, PATIENCE, ROOT, STANDARD, STANDARD_BUS, Bus,
                     Caller, Gio, GLib, eventually, equal, main, promise, refused_as,
                     session_world)

INVALID_ARGS = STANDARD + 'InvalidArgs'
STORAGE_FAILED = NAME + '.Error.StorageFailed'
PROPERTIES = 'org.freedesktop.DBus.Properties'


# --- limits and departures ---------------------------------------------------------------------

@promise
def more_calls_in_flight_than_allowed_are_refused_and_later_ones_are_not(world):
    with world.served(config='[Limits]\nCallsInFlight=2\n') as (daemon, caller):
        caller.enqueue()
        pending = start_many(daemon, caller, 200)
        eventually(lambda: all(call.ended() for call in pending), 'all are answered')
        refused = [call.refused for call in pending if call.refused]
        assert refused and len(refused) < 200, len(refused)
        equal({one.name for one in refused}, {STANDARD + 'LimitsExceeded'})
        for _ in range(5):
            caller.enqueue()
        equal(len(pages(caller, 100)[0]), 1 + 200 - len(refused) + 5)


@promise
def callers_that_vanish_harm_nobody(world):
    with world.served(config='[Limits]\nCallsInFlight=4\n') as (daemon, caller):
        caller.enqueue()
        for _ in range(20):
            gone = Caller(world.bus.address)
            os.kill(daemon.pid, signal.SIGSTOP)
            for i in range(3):
                gone.start(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                           'workspace:notes', f'gone:{i}', '{}', {})
            gone.start(OPERATIONS, 'List', '(a{sv})', {})
            gone.connection.flush_sync(None)
            gone.close()
            os.kill(daemon.pid, signal.SIGCONT)
        caller.enqueue()
        equal(caller.get(MANAGER, 'State'), 'clean')


@promise
def file_descriptors_do_not_reach_it(world):
    """A call that waits keeps what came with it, and a process has few descriptors."""
    with world.served() as (_, caller):
        message = Gio.DBusMessage.new_method_call(NAME, ROOT, STANDARD_BUS + '.Peer', 'Ping')
        message.set_unix_fd_list(Gio.UnixFDList.new_from_array([os.open('/dev/null', os.O_RDONLY)]))
        reply = caller.connection.send_message_with_reply_sync(
            message, Gio.DBusSendMessageFlags.NONE, PATIENCE * 1000, None)[0]
        equal(reply.get_message_type(), Gio.DBusMessageType.ERROR)
        caller.enqueue()


def start_many(daemon, caller, count):
    """Calls that the daemon finds all at once."""
    os.kill(daemon.pid, signal.SIGSTOP)
    pending = [caller.start(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                            'workspace:notes', f'note:{i}', '{}', {}) for i in range(count)]
    caller.connection.flush_sync(None)
    os.kill(daemon.pid, signal.SIGCONT)
    return pending


def interrupted(world, place, how, status):
    """Ids that were acknowledged while a daemon was ended in the middle of its work."""
    with world.daemon(place, config='[Limits]\nCallsInFlight=4096\n') as daemon, \
            world.caller() as caller:
        first = caller.enqueue()[0]
        pending = start_many(daemon, caller, 1000)
        time.sleep(0.003)
        equal(daemon.stop(how), status)
        eventually(lambda: all(call.ended() for call in pending), 'all have ended')
        return {first} | {call.reply[0] for call in pending if call.reply}


@promise
def what_was_acknowledged_before_the_end_is_there_after_it(world):
    for how, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)):
        place = world.place()
        acknowledged = interrupted(world, place, how, status)
        with world.daemon(place), world.caller() as caller:
            present, _ = pages(caller, 100)
            equal(len(present), len(set(present)))
            assert acknowledged <= set(present), acknowledged - set(present)
            # Told to stop, it answers whomever it recorded.
            if how != signal.SIGKILL:
                equal(set(present) - acknowledged, set(), 'recorded without an answer')
            path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': text('full')})
            equal(finished(caller, path), 'done')
            equal(json.loads(caller.get(JOB, 'Result', path))['verdict'], 'sound')


@promise
def a_hangup_of_the_terminal_is_survived(world):
    with world.served() as (daemon, caller):
        os.kill(daemon.pid, signal.SIGHUP)
        caller.enqueue()


# --- one daemon a state and a bus --------------------------------------------------------------

@promise
def a_second_daemon_on_the_bus_is_told_who_is_there(world):
    with world.daemon() as first, world.daemon_that_fails() as second:
        status, said = second.outcome()
        equal(status, 1)
        assert str(first.pid) in said and world.bus.address in said, said


@promise
def a_second_daemon_on_the_state_is_told_who_holds_it(world):
    place = world.place()
    other_bus = Bus(world.directory / 'other-bus', world.options.bus)
    with world.daemon(place) as first:
        with world.daemon_that_fails(place, bus=other_bus) as second:
            status, said = second.outcome()
        equal(status, 1)
        assert str(first.pid) in said and world.bus.address in said, said
    other_bus.stop()


@promise
def without_a_session_bus_it_serves_the_private_one_that_was_noted(world):
    def note(place, mode):
        directory = place / 'run' / 'sourceos-syncd'
        for made in (place, place / 'run', directory):
            made.mkdir(mode=0o700)
        (directory / 'bus-address').write_text(world.bus.address + '\n')
        (directory / 'bus-address').chmod(mode)

    no_session = ('DBUS_SESSION_BUS_ADDRESS',)
    place = world.place()
    note(place, 0o600)
    with world.daemon(place, without=no_session), world.caller() as caller:
        caller.enqueue()
    # What others can write is not to be believed.
    place = world.place()
    note(place, 0o666)
    with world.daemon_that_fails(place, without=no_session) as daemon:
        status, said = daemon.outcome()
    equal(status, 1)
    assert 'session bus' in said, said


# --- the world around --------------------------------------------------------------------------

@promise
def the_status_file_follows_and_says_when_nobody_is_there(world):
    with world.served() as (daemon, caller):
        equal(daemon.status()['daemon_available'], True)
        _, sequence, _ = caller.enqueue()
        eventually(lambda: daemon.status()['sequence'] >= sequence, 'the file follows')
        equal(daemon.status()['daemon_state'], 'clean')
        equal(oct(daemon.status_file.stat().st_mode & 0o777), '0o600')
        daemon.stop()
        equal(daemon.status()['daemon_available'], False)
        equal(daemon.status()['daemon_state'], 'daemon-unavailable')


def made(directory):
    try:
        directory.mkdir()
    except FileExistsError:
        return False
    return True


@promise
def a_status_file_that_cannot_be_written_is_gone_until_it_can(world):
    with world.served() as (daemon, caller):
        in_the_way = daemon.status_file.with_name('.status.json.new')
        # The daemon may be writing a file of this very name.
        eventually(lambda: made(in_the_way), 'nothing is being written')
        caller.enqueue()
        eventually(lambda: not daemon.status_file.exists(), 'the old status goes')
        in_the_way.rmdir()
        caller.enqueue()
        eventually(daemon.status_file.exists, 'the status is back')
        equal(daemon.said().count('status.json'), 1)


@promise
def one_that_keeps_a_long_journal_at_its_end_asks_for_the_time(world):
    place = world.place()
    with world.daemon(place), world.caller() as caller:
        for _ in range(100):
            caller.enqueue('{"a":"' + 'x' * 60_000 + '"}')
    with world.daemon(place) as daemon, world.caller() as caller:
        (daemon.state / 'journal.db').unlink()
        refused_as(STORAGE_FAILED, caller.enqueue)
        equal(daemon.stop(), 0)
        assert (daemon.state / 'journal.1').is_file(), daemon.said()
        assert any(line.startswith('EXTEND_TIMEOUT_USEC=') for line in daemon.notified), \
            daemon.notified


@promise
def the_state_is_the_owners_alone(world):
    with world.served() as (daemon, caller):
        caller.enqueue('{"a":"' + 'x' * 100_000 + '"}')
        for path in [daemon.state, *daemon.state.rglob('*')]:
            try:
                mode = path.stat().st_mode
            except FileNotFoundError:
                continue  # it was about to get its name
            equal(mode & 0o077, 0, str(path))


@promise
def the_log_level_can_be_changed_while_it_runs(world):
    control, path = 'org.freedesktop.LogControl1', '/org/freedesktop/LogControl1'
    with world.served() as (_, caller):
        equal(caller.get(control, 'LogLevel', path), 'info')
        equal(caller.get(control, 'SyslogIdentifier', path), 'sourceos-syncd')
        caller.call(PROPERTIES, 'Set', '(ssv)', control, 'LogLevel', text('debug'), path=path)
        equal(caller.get(control, 'LogLevel', path), 'debug')
        refused_as(INVALID_ARGS, caller.call, PROPERTIES, 'Set', '(ssv)', control, 'LogLevel',
                   text('loud'), path=path)


@promise
def an_idle_daemon_sleeps(world):
    with world.served() as (daemon, caller):
        caller.enqueue()
        eventually(lambda: daemon.status()['sequence'] >= 1, 'the status')

        def switches():
            status = open(f'/proc/{daemon.pid}/status', encoding='ascii').read()
            return int(re.search(r'^voluntary_ctxt_switches:\s*(\d+)', status, re.M)[1])

        # It settles within a while that nobody can name; then nothing moves for a second.
        for _ in range(20):
            before = switches()
            GLib.usleep(1_000_000)
            if switches() == before:
                return
        raise AssertionError('it wakes up every second')


@promise
def the_configuration_can_be_checked(world):
    def check(content):
        path = world.directory / 'checked.conf'
        path.write_text(content)
        return subprocess.run([world.program, 'daemon', '--check-config', f'--config={path}'],
                              capture_output=True, text=True, check=False)

    good = check('[Limits]\nCallsInFlight=7\n')
    equal((good.returncode, 'CallsInFlight=7' in good.stdout), (0, True), good.stderr)
    bad = check('[Limits]\nCallsInFlight=none\n')
    equal(bad.returncode, 2)
    assert 'checked.conf:2' in bad.stderr, bad.stderr


main(session_world)
