#!/usr/bin/python3
"""The system instance with the real polkitd: who is let in, who is not, who is asked, and what
everybody may see. Nothing outside of the test's own mounts is changed."""

import json
import os
import subprocess

from cli_user import FAILED, NEGATIVE, Cli
from harness import (JOB, MANAGER, OPERATIONS, PATIENCE, ROOT, STANDARD, Bus, GLib, as_user,
                     equal, eventually, main, promise, refused_as)
from mounts import Skip
from polkit_agent import REFUSES, WAITS, Agent
from polkit_world import (ALLOWED, ASKED, SERVICE, STRANGER, a_user_instance_beside_polkit,
                          system_world, uid)

STALE = 6
DENIED = STANDARD + 'AccessDenied'
CHALLENGED = STANDARD + 'InteractiveAuthorizationRequired'


def verify(caller, **keywords):
    return caller.call(MANAGER, 'Verify', '(a{sv})', {}, **keywords)


ALL = {'all': GLib.Variant('b', True)}


def list_operations(caller, options=None, **keywords):
    records, _ = caller.call(OPERATIONS, 'List', '(a{sv})', options or {}, **keywords)
    return json.loads(records)


def enqueue(caller, body='{}', scope='workspace:notes', thing='note:1'):
    return caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', scope, thing,
                       body, {'create_scope': GLib.Variant('b', True)})[0]


# --- who is let in -----------------------------------------------------------------------------

@promise
def whom_polkit_allows_may_run(world):
    with world.system(ALLOWED) as (_, caller):
        path = verify(caller)
        equal(json.loads(caller.call(JOB, 'Describe', path=path))['operation'], 'verify')
        caller.call(JOB, 'Cancel', path=path)


@promise
def whom_polkit_denies_may_not(world):
    with world.system(STRANGER) as (_, caller):
        refused_as(DENIED, verify, caller)
        refused_as(DENIED, verify, caller, interactive=True)
        refused_as(DENIED, caller.call, OPERATIONS, 'Checkpoint', '(sa{sv})', 'device', {})


@promise
def who_must_be_asked_and_cannot_is_told_so(world):
    with world.system(ASKED) as (_, caller):
        refused_as(CHALLENGED, verify, caller)
        refused_as(CHALLENGED, verify, caller, interactive=True)


@promise
def who_is_asked_and_answers_is_let_in_once(world):
    with world.system(ASKED) as (_, caller):
        agent = Agent(world.bus, caller.pid)
        verify(caller, interactive=True)
        equal(agent.asked[0], 'org.sourceos.sync.run')
        refused_as(CHALLENGED, verify, caller)
        equal(len(agent.asked), 1, 'asked without leave')
        agent.close()


@promise
def who_is_asked_and_does_not_answer_well_is_not(world):
    with world.system(ASKED) as (_, caller):
        agent = Agent(world.bus, caller.pid, how=REFUSES)
        refused_as(DENIED, verify, caller, interactive=True)
        equal(agent.asked, ['org.sourceos.sync.run'])
        agent.close()


@promise
def root_is_let_in_without_a_question(world):
    with world.system() as (_,), world.caller() as root:
        verify(root)
        equal(len(list_operations(root, ALL)), 0)


@promise
def a_bad_call_is_refused_before_anybody_is_asked(world):
    with world.system(ASKED) as (_, caller):
        agent = Agent(world.bus, caller.pid)
        refused_as(STANDARD + 'InvalidArgs', caller.call, MANAGER, 'Verify', '(a{sv})',
                   {'mode': GLib.Variant('s', 'half')}, interactive=True)
        # What waits for an answer is kept in memory.
        large = 'x' * 100_000
        refused_as(STANDARD + 'InvalidArgs', caller.call, OPERATIONS, 'List', '(a{sv})',
                   {**ALL, 'scope': GLib.Variant('s', large)}, interactive=True)
        refused_as(STANDARD + 'InvalidArgs', caller.call, OPERATIONS, 'Get', '(sa{sv})', large, ALL,
                   interactive=True)
        equal(agent.asked, [])
        agent.close()


@promise
def without_polkit_the_missing_package_is_named(world):
    bus = Bus(world.directory / 'bare-bus', world.options.bus, world.config)
    with world.system_daemon(bus=bus), world.other(uid(ALLOWED), bus) as caller, \
            world.caller(bus) as root:
        said = refused_as(DENIED, verify, caller)
        assert 'package polkitd' in said, said
        verify(root)
    bus.stop()


@promise
def only_registered_actors_write(world):
    with world.system(SERVICE, STRANGER) as (_, service, stranger):
        assert enqueue(service).startswith('op-')
        refused_as(DENIED, enqueue, stranger)
        refused_as(DENIED, stranger.call, OPERATIONS, 'EnqueueMany', '(aya{sv})',
                   list(b'{"type":"sync.operation.enqueue","scope":"device","object":"x","body":{}}'),
                   {})


# --- who sees what -----------------------------------------------------------------------------

@promise
def everybody_sees_his_own_and_others_need_the_right_to_inspect(world):
    with world.system(SERVICE, ALLOWED, STRANGER) as (_, service, allowed, stranger):
        operation = enqueue(service)
        equal([record['operation_id'] for record in list_operations(service)], [operation])
        for caller in (allowed, stranger):
            equal(list_operations(caller), [])
            refused_as('NotFound', caller.call, OPERATIONS, 'Get', '(sa{sv})', operation, {})
        equal([record['operation_id'] for record in list_operations(allowed, ALL)], [operation])
        record = json.loads(allowed.call(OPERATIONS, 'Get', '(sa{sv})', operation, ALL))
        equal(record['operation_id'], operation)
        for interface, method, signature, values in (
                (OPERATIONS, 'List', '(a{sv})', ()), (OPERATIONS, 'ListBytes', '(a{sv})', ()),
                (OPERATIONS, 'Get', '(sa{sv})', (operation,)),
                (OPERATIONS, 'Proof', '(sa{sv})', (operation,)),
                (MANAGER, 'ListEvents', '(a{sv})', ()), (MANAGER, 'ListEvidence', '(a{sv})', ()),
                (MANAGER, 'GetEvidence', '(sa{sv})', (operation,)), (MANAGER, 'ListJobs', '(a{sv})', ())):
            refused_as(DENIED, stranger.call, interface, method, signature, *values, ALL)


@promise
def a_job_is_its_callers(world):
    with world.system(ALLOWED, STRANGER) as (_, allowed, stranger):
        path = verify(allowed)
        refused_as(DENIED, stranger.call, JOB, 'Describe', path=path)
        refused_as(DENIED, stranger.call, JOB, 'Cancel', path=path)
        equal(json.loads(stranger.call(MANAGER, 'ListJobs', '(a{sv})', {})), [])


COUNTS = {'version', 'api_version', 'instance', 'state', 'state_reasons', 'sequence',
          'pending_operations', 'conflict_count', 'policy_blocked_count', 'pending_approvals',
          'repair_needed', 'paused', 'last_activity_usec'}


@promise
def strangers_are_told_counts(world):
    with world.system(STRANGER) as (daemon, stranger), world.caller() as root:
        equal(set(json.loads(stranger.call(MANAGER, 'Describe'))), COUNTS)
        assert 'device_id' in json.loads(root.call(MANAGER, 'Describe'))
        equal(daemon.status()['active_device'], None)
        equal(oct(daemon.status_file.stat().st_mode & 0o777), '0o644')


@promise
def nothing_that_is_recorded_leaks_to_a_stranger(world):
    marker = 'mArKeR'
    with world.system(SERVICE, ALLOWED, STRANGER) as (_, service, allowed, stranger):
        stranger.listen()
        operation = enqueue(service, json.dumps({'note': marker}), f'workspace:{marker}',
                            f'note:{marker}')
        job = verify(allowed)
        eventually(lambda: json.loads(allowed.call(JOB, 'Describe', path=job))['state'] != 'running',
                   'the job ends')
        properties = 'org.freedesktop.DBus.Properties'
        seen = [stranger.call(properties, 'GetAll', '(s)', MANAGER),
                stranger.call(properties, 'GetAll', '(s)', OPERATIONS),
                stranger.call('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'),
                stranger.call(MANAGER, 'Describe')]
        for path in ('/', '/org/sourceos', ROOT, ROOT + '/job'):
            seen.append(stranger.call('org.freedesktop.DBus.Introspectable', 'Introspect', path=path))
        equal(stranger.call(properties, 'GetAll', '(s)', JOB, path=job), {})
        eventually(lambda: any('OperationRecorded' in part for part in stranger.heard()),
                   'the stranger hears the signals')
        seen += stranger.heard()
        actor = json.loads(service.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))['actor_id']
        job_id = job.rsplit('/', 1)[1]
        for secret in (marker, operation, actor, job_id, 'sync.operation'):
            assert secret not in str(seen), f'{secret} is in {seen}'


# --- departures --------------------------------------------------------------------------------

@promise
def a_user_has_a_bounded_number_of_questions_open(world):
    with world.system(ASKED, STRANGER) as (_, caller, other):
        agent = Agent(world.bus, caller.pid, how=WAITS)
        equal(caller.burst(17, MANAGER, 'Verify', '(a{sv})', {}), [STANDARD + 'LimitsExceeded'])
        refused_as(DENIED, verify, other)
        caller.kill()
        agent.close()


@promise
def a_question_ends_with_its_caller(world):
    with world.system(ASKED, ASKED) as (_, first, second):
        agent = Agent(world.bus, first.pid, how=WAITS)
        first.start(MANAGER, 'Verify', '(a{sv})', {}, interactive=True)
        eventually(lambda: agent.asked, 'the agent is asked')
        first.kill()
        eventually(lambda: agent.cancelled, 'the question is withdrawn')
        agent.close()
        # It left nothing behind that would count.
        for _ in range(20):
            refused_as(CHALLENGED, verify, second)


@promise
def who_waits_for_an_answer_when_the_daemon_stops_is_told(world):
    with world.system(ASKED) as (daemon, caller):
        agent = Agent(world.bus, caller.pid, how=WAITS)
        caller.start(MANAGER, 'Verify', '(a{sv})', {}, interactive=True)
        eventually(lambda: agent.asked, 'the agent is asked')
        equal(daemon.stop(), 0)
        equal(caller._answer()['name'], 'org.sourceos.Sync.Error.Cancelled')
        agent.close()


# --- the user instance -------------------------------------------------------------------------

@promise
def a_user_instance_serves_nobody_else_not_even_root(world):
    bus = Bus(world.directory / 'session-bus', world.options.bus)
    os.chmod(bus.socket, 0o666)
    with world.daemon(bus=bus, uid=uid(STRANGER)), world.caller(bus) as root, \
            world.other(uid(STRANGER), bus) as user:
        refused_as(DENIED, root.call, MANAGER, 'Describe')
        refused_as(DENIED, enqueue, root)
        assert enqueue(user).startswith('op-')
    bus.stop()


@promise
def a_user_instance_asks_about_a_process(world):
    if not world.options.asker:
        raise Skip('no --asker')
    bus = Bus(world.directory / 'asking-bus', world.options.bus)
    os.chmod(bus.socket, 0o666)
    environment = {**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': world.bus.address,
                   'DBUS_SESSION_BUS_ADDRESS': bus.address}

    def ask(user, system=world.bus.address):
        # The shell is the process that is asked about: of that user, as its asker.
        done = subprocess.run(
            ['sh', '-c', '"$0" org.sourceos.sync.user.repair-approve; exit $?', world.options.asker],
            env={**environment, 'DBUS_SYSTEM_BUS_ADDRESS': system}, preexec_fn=as_user(uid(user)),
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout.strip()

    equal(ask(ALLOWED), 'allowed')
    equal(ask(STRANGER), 'AccessDenied')
    equal(ask(ASKED), 'InteractiveAuthorizationRequired')
    equal(ask(ALLOWED, 'unix:path=/nonexistent'), 'AccessDenied')
    bus.stop()


# --- purges ------------------------------------------------------------------------------------

def delete(caller, thing):
    caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', 'public:board', thing,
                '{}', {'lane': GLib.Variant('s', 'tombstone')})


def carry_out(caller, operation):
    lease, _, _ = caller.call(OPERATIONS, 'ClaimTask', '(a{sv})',
                              {'operation': GLib.Variant('s', operation)})
    caller.call(OPERATIONS, 'CompleteTask', '(sa{sv})', lease, {})


def plan(caller, thing):
    return caller.call(OPERATIONS, 'PlanPurge', '(ssa{sv})', 'public:board', thing, {})


def purge(caller, thing, digest, **keywords):
    return caller.call(OPERATIONS, 'Purge', '(sssa{sv})', 'public:board', thing, digest, {},
                       **keywords)


def report(caller, operation):
    return json.loads(caller.call(OPERATIONS, 'PurgeReport', '(sa{sv})', operation, {}))


def holds(state, marker):
    return [str(path) for path in state.rglob('*')
            if path.is_file() and marker.encode() in path.read_bytes()]


MARKER = 'what-nobody-shall-find-again'


def prepare(caller, thing='note:1'):
    operation = enqueue(caller, json.dumps({'text': MARKER * 5000}), 'public:board', thing)
    carry_out(caller, operation)
    delete(caller, thing)
    return operation


@promise
def whom_polkit_allows_purges_and_nothing_of_it_is_left(world):
    with a_user_instance_beside_polkit(world, ALLOWED) as (daemon, caller):
        operation = prepare(caller)
        document, digest = plan(caller, 'note:1')
        assert json.loads(document)['chunks'] == 1, document
        assert holds(daemon.state, MARKER)
        purged, _ = purge(caller, 'note:1', digest)
        eventually(lambda: report(caller, purged)['state'] == 'proven', 'it is proven')
        equal(holds(daemon.state, MARKER), [])
        record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
        equal(record['purged']['operation_id'], purged)
        types = [event['event_type'] for event in json.loads(
            caller.call(MANAGER, 'ListEvents', '(a{sv})', {})[0])]
        equal(types[:2], ['sync.object.purge_proven', 'sync.object.purged'])
        refused_as('AlreadyResolved', purge, caller, 'note:1', digest)
        refused_as('NotFound', enqueue, caller, '{}', 'public:board', 'note:1')
    equal(holds(daemon.state, MARKER), [])


@promise
def the_command_line_shows_what_would_go_and_waits_for_the_proof(world):
    with a_user_instance_beside_polkit(world, ALLOWED) as (daemon, caller):
        cli = Cli(world, world.directory / 'home-of-purger', daemon.bus.address)
        os.chown(cli.directory, uid(ALLOWED), uid(ALLOWED))
        words = ('ops', 'purge', 'note:1', '--scope=public:board')
        user = {'preexec_fn': as_user(uid(ALLOWED))}
        operation = enqueue(caller, json.dumps({'text': MARKER}), 'public:board')
        cli.fails(NEGATIVE, 'InvalidContract', *words, '--yes', **user)
        delete(caller, 'note:1')
        cli.fails(FAILED, 'Busy', *words, '--yes', **user)
        caller.call(OPERATIONS, 'CancelTask', '(sa{sv})', operation, {})
        looked = cli.json(*words, '--dry-run', **user)
        equal((looked['entries'], looked['chunks']), (2, 0))
        assert 'Out of reach' in cli.does(*words, '--dry-run', **user)
        code, out, err = cli.run(*words, **user)
        equal(code, NEGATIVE, 'nobody can be asked here')
        assert 'Out of reach' in out and '--yes' in err, out + err
        cli.fails(STALE, 'StaleDigest', *words, '--yes', '--digest=sha256:0', **user)
        assert holds(daemon.state, MARKER)
        done = cli.json(*words, '--yes', f'--digest={looked["digest"]}', **user)
        equal((done['state'], done['entries']), ('proven', 2))
        equal(holds(daemon.state, MARKER), [])
        cli.fails(STALE, 'AlreadyResolved', *words, '--yes', **user)
        shown = cli.json('ops', 'show', operation, **user)
        equal(shown['purged']['operation_id'], done['operation'])
        assert done['operation'] in cli.does('ops', 'show', operation, **user)
        lines = cli.does('log', 'note:1', **user)
        assert 'purge_proven' in lines, lines
    cli.does('verify', 'log', f'--state-dir={daemon.state}', '--full', **user)


@promise
def whom_polkit_denies_purges_nothing(world):
    for user, refusal in ((STRANGER, DENIED), (ASKED, CHALLENGED)):
        with a_user_instance_beside_polkit(world, user) as (daemon, caller):
            operation = prepare(caller)
            _, digest = plan(caller, 'note:1')
            refused_as(refusal, purge, caller, 'note:1', digest)
            record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
            assert MARKER in record['text'], record
            assert holds(daemon.state, MARKER)


@promise
def who_is_asked_consents_to_one_purge(world):
    with a_user_instance_beside_polkit(world, ASKED) as (_, caller):
        prepare(caller, 'note:1')
        prepare(caller, 'note:2')
        agent = Agent(world.bus, caller.pid)
        purge(caller, 'note:1', plan(caller, 'note:1')[1], interactive=True)
        equal(agent.asked, ['org.sourceos.sync.user.purge'])
        refused_as(CHALLENGED, purge, caller, 'note:2', plan(caller, 'note:2')[1])
        refused_as('StaleDigest', purge, caller, 'note:2', 'sha256:0', interactive=True)
        agent.close()


@promise
def the_system_instance_needs_an_actor_and_polkits_yes(world):
    with world.system(SERVICE, ALLOWED, ASKED) as (_, service, allowed, asked):
        enqueue(service, '{}', 'public:board')
        agent = Agent(world.bus, asked.pid)
        for who, why in ((service, 'polkit'), (allowed, 'actor'), (asked, 'actor')):
            said = refused_as(DENIED, purge, who, 'note:1', 'sha256:0', interactive=True)
            assert why in said, said
        equal(agent.asked, ['org.sourceos.sync.purge'])
        refused_as(DENIED, plan, allowed, 'note:1')
        agent.close()


@promise
def without_polkit_nothing_is_purged(world):
    bus = Bus(world.directory / 'bare-session-bus', world.options.bus)
    with world.daemon(bus=bus), world.caller(bus) as caller:
        prepare(caller)
        _, digest = plan(caller, 'note:1')
        said = refused_as(DENIED, purge, caller, 'note:1', digest)
        assert 'package polkitd' in said, said
    bus.stop()


main(system_world)
