#!/usr/bin/python3
"""What a caller may rely on: every method, every refusal, paging, signals and jobs."""

import json
import re

from asking import finished, number, pages, text
from harness import (JOB, MANAGER, NAME, OPERATIONS, ROOT, STANDARD, GLib, eventually, equal, main,
                     promise, refusal, refused_as, session_world)

INVALID_ARGS = STANDARD + 'InvalidArgs'
REGISTRY = NAME + '.Registry'
PROPERTIES = 'org.freedesktop.DBus.Properties'


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
        equal(everything['ApiVersion'], 4)
        described = json.loads(caller.call(MANAGER, 'Describe'))
        equal(described['api_version'], everything['ApiVersion'])
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
    (MANAGER, 'ListEvidence', '(a{sv})', ()),
    (MANAGER, 'GetEvidence', '(sa{sv})', ('op-x',)),
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
def a_change_is_answered_whatever_characters_its_names_have(world):
    """libsystemd sends no noncharacters; by then the change is durable."""
    names = ('\\ufffe', 'a\\ufdd0', '\\ud83f\\udffe', 'none\\u0000', 'caf\\u00e9')
    record = json.dumps({'workspace_id': 'workspace:names', 'profile_id': 'profile:default'})[:-1]
    record += ''.join(f',"{name}":1' for name in names) + '}'
    with world.served() as (_, caller):
        identity, operation, sequence, duplicate, unknown = caller.call(
            REGISTRY, 'Register', '(ssa{sv})', 'workspace', record, {'idempotency_key': text('k')})
        equal((identity, duplicate), ('workspace:names', False))
        equal(unknown, ['\\ufffe', 'a\\ufdd0', '\\ud83f\\udffe', 'caf\u00e9'])
        again = caller.call(REGISTRY, 'Register', '(ssa{sv})', 'workspace', record, {'idempotency_key': text('k')})
        equal(tuple(again), (identity, operation, sequence, True, unknown))
        caller.call(REGISTRY, 'Show', '(ssa{sv})', 'workspace', identity, {})

        # Bytes come as they are, and are given back as the same document.
        line = json.dumps({'type': 'sync.operation.enqueue', 'scope': 'workspace:names', 'object': '',
                           'body': {'a': '\ufffe'}}, ensure_ascii=False).encode() + b'\n'
        results = bytes(caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', line, {}))
        got = caller.call(OPERATIONS, 'Get', '(sa{sv})', json.loads(results)['operation'], {})
        assert '\\ufffe' in got, got
        refused_as(INVALID_ARGS, caller.call, REGISTRY, 'Register', '(ssa{sv})', 'workspace', record,
                   {'expected': GLib.Variant('t', sequence)})


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


main(session_world)
