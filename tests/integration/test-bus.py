#!/usr/bin/python3
"""What a caller may rely on: every method, every refusal, paging, signals, jobs, limits, and what
happens when caller or daemon go away in the middle."""

import json
import os
import re
import signal
import subprocess
import time

from harness import (JOB, MANAGER, NAME, OPERATIONS, PATIENCE, ROOT, STANDARD, STANDARD_BUS, Bus,
                     Caller, Gio, GLib, eventually, equal, main, promise, refusal, refused_as,
                     session_world)

INVALID_ARGS = STANDARD + 'InvalidArgs'
PROPERTIES = 'org.freedesktop.DBus.Properties'


def text(value):
    return GLib.Variant('s', value)


def number(value):
    return GLib.Variant('u', value)


def finished(caller, path):
    eventually(lambda: caller.get(JOB, 'State', path) != 'running', 'the job ends')
    return caller.get(JOB, 'State', path)


# --- every method ------------------------------------------------------------------------------

@promise
def every_method_of_operations_answers(world):
    with world.served() as (_, caller):
        operation, sequence, duplicate = caller.enqueue('{"title":"one"}')
        assert re.fullmatch(r'op-[0-9a-z]{26}', operation), operation
        equal(duplicate, False)

        record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
        equal(record['operation_id'], operation)
        equal(record['sequence'], sequence)
        equal(record['title'], 'one')

        lines = b'\n'.join(json.dumps({
            'type': 'sync.operation.enqueue', 'scope': 'workspace:notes', 'object': f'note:{i}',
            'body': {'i': i}}).encode() for i in range(3))
        results = [json.loads(line) for line in bytes(
            caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', lines, {})).splitlines()]
        equal(len({result['operation'] for result in results}), 3)
        equal([result['duplicate'] for result in results], [False] * 3)

        records, cursor = caller.list()
        equal(([record['operation_id'] for record in records], cursor),
              ([result['operation'] for result in reversed(results)] + [operation], ''))

        entries, _ = caller.list('ListBytes', bodies=GLib.Variant('b', True))
        mine = next(entry for entry in entries if entry['header']['op'] == operation)
        equal(mine['body'], {'title': 'one'})

        proof = json.loads(caller.call(OPERATIONS, 'Proof', '(sa{sv})', operation, {}))
        equal(proof['operation_id'], operation)

        checkpoint = json.loads(
            caller.call(OPERATIONS, 'Checkpoint', '(sa{sv})', 'workspace:notes', {}))
        equal(checkpoint['scope'], 'workspace:notes')


@promise
def every_method_of_the_manager_answers(world):
    with world.served() as (_, caller):
        caller.enqueue()
        described = json.loads(caller.call(MANAGER, 'Describe'))
        equal(described['instance'], 'user')
        equal(described['sequence'], caller.get(MANAGER, 'Sequence'))
        events, _ = caller.list('ListEvents', MANAGER)
        assert 'sync.operation.enqueued' in {event['event_type'] for event in events}, events
        path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': text('full')})
        jobs = json.loads(caller.call(MANAGER, 'ListJobs', '(a{sv})', {}))
        assert any(path.endswith(job['id'].replace('-', '_2d')) for job in jobs), (path, jobs)
        caller.call(JOB, 'Cancel', path=path)
        equal(json.loads(caller.call(JOB, 'Describe', path=path))['operation'], 'verify')


@promise
def properties_are_readable_and_constant_ones_stay(world):
    with world.served() as (_, caller):
        everything = caller.get_all(MANAGER)
        equal(everything['Instance'], 'user')
        equal(everything['ApiVersion'], 1)
        equal(everything['State'], 'clean')
        equal(everything['StateReasons'], [])
        equal(refusal(caller.call, PROPERTIES, 'Set', '(ssv)', MANAGER, 'Paused',
                      GLib.Variant('b', True)).name, STANDARD + 'PropertyReadOnly')


# --- refusals ----------------------------------------------------------------------------------

DEEP = '[' * 100_000 + ']' * 100_000
BAD_JSON = [
    ('', 'InvalidEncoding'),
    (' ', 'InvalidEncoding'),
    ("{'a':1}", 'InvalidEncoding'),
    ('{"a":1 /* b */}', 'InvalidEncoding'),
    ('{"a":0x10}', 'InvalidEncoding'),
    ('{"a":1}{"b":2}', 'InvalidEncoding'),
    ('{"a":1,"a":2}', 'InvalidEncoding'),
    ('{"a":1,"\\u0061":2}', 'InvalidEncoding'),
    ('{"a":1e999}', 'InvalidEncoding'),
    ('{"a":NaN}', 'InvalidEncoding'),
    ('{"a":01}', 'InvalidEncoding'),
    ('{"a":1,}', 'InvalidEncoding'),
    ('{"a":"\\ud800"}', 'InvalidEncoding'),
    ('{"a":"\t"}', 'InvalidEncoding'),
    ('\ufeff{"a":1}', 'InvalidEncoding'),
    ('{"a":1', 'InvalidEncoding'),
    ('{"a":' + DEEP + '}', 'TooDeep'),
    ('[]', 'InvalidContract'),
    ('null', 'InvalidContract'),
]


@promise
def malformed_bodies_are_refused_by_enqueue(world):
    with world.served() as (_, caller):
        caller.enqueue()
        before = caller.get(MANAGER, 'Sequence')
        for body, error in BAD_JSON:
            refused_as(error, caller.enqueue, body)
        refused_as('TooLarge', caller.enqueue, '{"a":"' + 'x' * (16 << 20) + '"}')
        equal(caller.get(MANAGER, 'Sequence'), before, 'entries were written')


def request_line(body):
    return ('{"type":"sync.operation.enqueue","scope":"workspace:notes","object":"note:1",'
            '"create_scope":true,"body":' + body + '}').encode()


@promise
def malformed_lines_are_refused_by_enqueue_many_as_a_whole(world):
    with world.served() as (_, caller):
        caller.enqueue()
        before = caller.get(MANAGER, 'Sequence')

        def many(lines):
            return caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', lines, {})

        for body, error in BAD_JSON:
            # Without a body at all the line itself is no JSON.
            refused_as(error, many, request_line('{}') + b'\n' + request_line(body))
        for line, error in BAD_JSON:
            if line.strip():
                refused_as(error, many, request_line('{}') + b'\n' + line.encode())
        refused_as('InvalidEncoding', many, b'\xff\xfe')
        refused_as('InvalidEncoding', many, b'{"a":"\xc3\x28"}')
        refused_as('InvalidContract', many,
                   request_line('{}')[:-1] + b',"who_am_i":"root"}')
        refused_as('TooLarge', many, b'\n'.join([request_line('{}')] * 513))
        refused_as('TooLarge', many, request_line('{"a":"' + 'x' * (4 << 20) + '"}'))
        equal(caller.get(MANAGER, 'Sequence'), before, 'entries were written')


@promise
def what_an_operation_is_about_is_checked(world):
    with world.served() as (_, caller):
        for kind in ('', 'nonsense', 'sync.operation.enqueue ', 'x' * 5000):
            refused_as('InvalidContract', caller.enqueue, kind=kind)
        for kind in ('sync.repair.apply', 'sync.conflict.resolve', 'sync.tombstone.apply',
                     'sync.checkpoint.write'):
            refused_as('ApprovalRequired', caller.enqueue, kind=kind)
        # Until it has an effect, it is not recorded.
        refusal(caller.enqueue, kind='sync.operation.replay')
        for scope in ('', 'notes', 'workspace:', 'workspace:../x', 'planet:mars', 'x' * 5000):
            refused_as('InvalidContract', caller.enqueue, scope=scope)
        for thing in ('../etc/passwd', '.hidden', 'a b', 'x' * 129, 'é'):
            refused_as('InvalidContract', caller.enqueue, thing=thing)
        refused_as('NotFound', caller.enqueue, scope='workspace:nowhere',
                   create_scope=GLib.Variant('b', False))
        refused_as('NotFound', caller.enqueue,
                   parents=GLib.Variant('as', ['op-00000000000000000000000000']))


METHODS_WITH_OPTIONS = [
    (MANAGER, 'ListEvents', '(a{sv})', ()),
    (MANAGER, 'Verify', '(a{sv})', ()),
    (MANAGER, 'ListJobs', '(a{sv})', ()),
    (OPERATIONS, 'Enqueue', '(ssssa{sv})', ('sync.operation.enqueue', 'device', 'x', '{}')),
    (OPERATIONS, 'EnqueueMany', '(aya{sv})', (b'',)),
    (OPERATIONS, 'Get', '(sa{sv})', ('op-x',)),
    (OPERATIONS, 'List', '(a{sv})', ()),
    (OPERATIONS, 'ListBytes', '(a{sv})', ()),
    (OPERATIONS, 'Checkpoint', '(sa{sv})', ('device',)),
    (OPERATIONS, 'Proof', '(sa{sv})', ('op-x',)),
]


@promise
def no_method_passes_over_an_unknown_option(world):
    with world.served() as (_, caller):
        for interface, method, signature, values in METHODS_WITH_OPTIONS:
            said = refused_as(INVALID_ARGS, caller.call, interface, method, signature, *values,
                              {'no_such_option': text('x')})
            assert 'no_such_option' in said, said


@promise
def a_refusal_that_quotes_the_caller_stays_valid_text(world):
    with world.served() as (_, caller):
        for shift in range(4):
            long = 'x' * shift + '\N{GRINNING FACE}' * 2000
            refusal(caller.call, MANAGER, 'Verify', '(a{sv})', {'mode': text(long)})
            refusal(caller.call, MANAGER, 'Verify', '(a{sv})', {long[:200]: text('x')})
            refusal(caller.list, order=text(long))
            refusal(caller.list, scope=text(long))
            refusal(caller.list, cursor=text(long))
            refusal(caller.enqueue, kind=long)
            refusal(caller.enqueue, scope='workspace:' + long)
            refusal(caller.enqueue, thing=long)
            refusal(caller.enqueue, lane=text(long))
            refusal(caller.enqueue, data_class=text(long))
            refusal(caller.enqueue, parents=GLib.Variant('as', [long]))
            refusal(caller.enqueue, '{"' + long + '":1,"' + long + '":2}')
            for method in ('Get', 'Proof'):
                refusal(caller.call, OPERATIONS, method, '(sa{sv})', long, {})
        caller.enqueue()


@promise
def options_of_a_wrong_type_or_value_are_refused(world):
    with world.served() as (_, caller):
        caller.enqueue()
        for options in ({'limit': text('1')}, {'limit': number(101)}, {'order': text('sideways')},
                        {'cursor': text('nonsense')}, {'cursor': text('x' * 5000)}):
            refused_as(INVALID_ARGS, caller.list, **options)
        refused_as(INVALID_ARGS, caller.list, 'ListBytes', limit=number(1001))
        refused_as(INVALID_ARGS, caller.call, MANAGER, 'Verify', '(a{sv})', {'mode': text('half')})
        refused_as(INVALID_ARGS, caller.call, MANAGER, 'Verify', '(a{sv})',
                   {'known_heads': GLib.Variant('as', ['not a note'])})


@promise
def wrong_arguments_and_unknown_things_are_refused(world):
    with world.served() as (_, caller):
        for name, interface, method, path in (
                ('InvalidArgs', OPERATIONS, 'Get', ROOT),
                ('UnknownMethod', OPERATIONS, 'Destroy', ROOT),
                ('UnknownMethod', NAME + '.Nothing', 'Describe', ROOT),
                ('UnknownObject', JOB, 'Describe', ROOT + '/job/job_2dnone')):
            equal(refusal(caller.call, interface, method, path=path).name, STANDARD + name)
        for operation in ('op-00000000000000000000000000', '', '../x', 'x' * 5000):
            for method in ('Get', 'Proof'):
                refused_as('NotFound', caller.call, OPERATIONS, method, '(sa{sv})', operation, {})
        refused_as('NotFound', caller.call, OPERATIONS, 'Checkpoint', '(sa{sv})',
                   'workspace:nowhere', {})


# --- reading -----------------------------------------------------------------------------------

def pages(caller, limit, **options):
    cursor, ids, sizes = '', [], []
    while True:
        given = {**options, 'limit': number(limit)}
        if cursor:
            given['cursor'] = text(cursor)
        records, cursor = caller.list(**given)
        ids += [record['operation_id'] for record in records]
        sizes.append(len(records))
        if not cursor:
            return ids, sizes


@promise
def pages_join_to_the_whole_in_either_order(world):
    with world.served() as (_, caller):
        written = [caller.enqueue(json.dumps({'i': i}), thing=f'note:{i % 3}')[0]
                   for i in range(57)]
        ids, sizes = pages(caller, 10)
        equal(ids, list(reversed(written)))
        assert max(sizes) <= 10, sizes
        equal(pages(caller, 10, order=text('oldest'))[0], written)
        equal(pages(caller, 4, object=text('note:1'), order=text('oldest'))[0], written[1::3])
        equal(pages(caller, 100)[0], list(reversed(written)))


@promise
def a_cursor_belongs_to_its_listing(world):
    with world.served() as (_, caller):
        for _ in range(3):
            caller.enqueue()
        _, cursor = caller.list(limit=number(1))
        assert cursor
        refused_as(INVALID_ARGS, caller.list, limit=number(1), cursor=text(cursor),
                   order=text('oldest'))
        refused_as(INVALID_ARGS, caller.list, 'ListEvents', MANAGER, cursor=text(cursor),
                   operation=text('op-x'))


@promise
def pages_stay_whole_while_others_write(world):
    with world.served() as (_, caller), world.caller() as writer:
        written = [caller.enqueue()[0] for _ in range(20)]
        first, cursor = caller.list(limit=number(5))
        later = [writer.enqueue()[0] for _ in range(5)]
        rest, _ = caller.list(limit=number(100), cursor=text(cursor))
        ids = [record['operation_id'] for record in first + rest]
        equal(ids, list(reversed(written)))
        assert not set(later) & set(ids)


@promise
def a_key_gives_the_first_result_again_and_tells_other_bytes(world):
    with world.served() as (_, caller):
        first = caller.enqueue('{"a":1}', idempotency_key=text('k'))
        again = caller.enqueue('{"a":1}', idempotency_key=text('k'))
        equal((first[:2], first[2], again[2]), (again[:2], False, True))
        refusal(caller.enqueue, '{"a":2}', idempotency_key=text('k'))
        equal(len(caller.list()[0]), 1)


# --- signals and jobs --------------------------------------------------------------------------

@promise
def signals_tell_of_commits_and_of_changed_properties(world):
    with world.served() as (_, caller), world.caller() as listener:
        caller.enqueue()
        heard = listener.listen()
        operation, sequence, _ = caller.enqueue()
        changed = lambda: [values for _, name, values in heard if name == 'PropertiesChanged'
                           and values[0] == MANAGER]
        # Commits of the same few milliseconds are told together, and the first was not heard of yet.
        recorded = lambda: [values for _, name, values in heard if name == 'OperationRecorded']
        eventually(lambda: changed() and recorded() and recorded()[-1][1] == sequence,
                   'the signals')
        first, last, count = recorded()[-1]
        equal(count, last - first + 1)
        events = [values for _, name, values in heard if name == 'EventRecorded']
        assert events[0][0] <= sequence <= events[-1][1], (events, sequence)
        assert 'sync.operation.enqueued' in events[0][2], events
        assert 'Sequence' in changed()[0][2], 'invalidated, not sent'


@promise
def changes_are_told_at_most_four_times_a_second(world):
    with world.served() as (_, caller), world.caller() as listener:
        heard = listener.listen(PROPERTIES)
        begun = GLib.get_monotonic_time()
        for _ in range(100):
            caller.enqueue()
        eventually(lambda: heard, 'a change is told')
        seconds = (GLib.get_monotonic_time() - begun) / 1_000_000
        mine = [values for _, _, values in heard if values[0] == MANAGER]
        assert len(mine) <= 4 * seconds + 2, (len(mine), seconds)


@promise
def a_job_appears_finishes_and_keeps_its_result(world):
    with world.served() as (_, caller), world.caller() as listener:
        caller.enqueue()
        heard = listener.listen()
        path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': text('full')})
        eventually(lambda: any(entry[:2] == (path, 'Finished') for entry in heard), 'Finished')
        assert any(name == 'InterfacesAdded' and values[0] == path for _, name, values in heard)
        names = [name for at, name, _ in heard if at == path]
        assert names.index('PropertiesChanged') < names.index('Finished'), names
        equal([values for at, name, values in heard if (at, name) == (path, 'Finished')],
              [('done',)])
        job = caller.get_all(JOB, path)
        equal((job['State'], job['Progress'], job['Error']), ('done', 1.0, ('', '')))
        equal(json.loads(job['Result'])['verdict'], 'sound')
        managed = caller.call('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
        equal(managed[path][JOB]['State'], 'done')
        seen = caller.call('org.freedesktop.DBus.Introspectable', 'Introspect', path=ROOT + '/job')
        assert path.rsplit('/', 1)[1] in seen, seen


@promise
def verification_takes_known_heads(world):
    with world.served() as (_, caller):
        caller.enqueue()
        note = json.loads(caller.call(OPERATIONS, 'Checkpoint', '(sa{sv})', 'workspace:notes',
                                      {}))['note']
        path = caller.call(MANAGER, 'Verify', '(a{sv})',
                           {'mode': text('heads'), 'known_heads': GLib.Variant('as', [note])})
        equal(finished(caller, path), 'done')
        equal(json.loads(caller.get(JOB, 'Result', path))['verdict'], 'sound')


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


@promise
def a_status_file_that_cannot_be_written_is_gone_until_it_can(world):
    with world.served() as (daemon, caller):
        in_the_way = daemon.status_file.with_name('.status.json.new')
        in_the_way.mkdir()
        caller.enqueue()
        eventually(lambda: not daemon.status_file.exists(), 'the old status goes')
        in_the_way.rmdir()
        caller.enqueue()
        eventually(daemon.status_file.exists, 'the status is back')
        equal(daemon.said().count('status.json'), 1)


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
