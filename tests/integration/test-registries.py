#!/usr/bin/python3
"""The verbs of the registries: each family's record is registered, updated, shown, found and ended."""

import json
import pathlib

from gi.repository import GLib

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, on_terminal, served
from harness import NAME, equal, main, promise, refused_as, session_world

REGISTRY = NAME + '.Registry'
STALE = 6

# verbs, kind, id, what it is registered and updated with, filters that find it, its state at the end
FAMILIES = (
    ('profiles', 'profile', 'profile:work', ('profile_id=profile:work', 'profile_class=work'),
     ('display_name=Office',), ('--type=work',), 'revoked'),
    ('workspaces', 'workspace', 'workspace:plans',
     ('workspace_id=workspace:plans', 'profile_id=profile:work'), ('display_name=Plans',),
     ('--profile=profile:work',), 'revoked'),
    ('actors', 'actor', 'helper', ('actor_id=helper', 'actor_type=agent', 'identity_id=unit:helper.service',
      'workspace_scope=["workspace:plans"]', 'profile_scope=["profile:work"]'),
     ('display_name=Helper',), ('--type=agent',), 'revoked'),
    ('devices', 'device', 'tablet', ('device_id=tablet',), ('device_state=trusted',),
     ('--type=user',), 'revoked'),
    ('encryption-profiles', 'encryption-profile', 'strong',
     ('encryption_profile_id=strong', 'encryption_scope=workspace'), ('display_name=Strong',),
     ('--type=workspace',), 'revoked'),
    ('schemas', 'schema', 'note/v1@1',
     ('schema_id=note/v1', 'schema_version="1"', 'object_type=note', 'required_fields=[]', 'field_owners={}',
      'migration_policy=ask', 'conflict_policy=ask', 'tombstone_policy=keep',
      'sync_visibility=workspace', 'retention_class=normal'), (), ('--schema=note/v1',), 'revoked'),
    ('objects', 'object', 'note-1',
     ('object_id=note-1', 'object_type=note', 'schema_id=note/v1', 'schema_version="1"',
      'workspace_id=workspace:plans', 'profile_id=profile:work', 'owner_identity=me',
      'privacy_class=work'), ('policy_tags=["kept"]',),
     ('--workspace=workspace:plans', '--type=note', '--schema=note/v1'), 'tombstoned'),
    ('plans', 'plan', 'plan-1',
     ('plan_id=plan-1', 'target_actor=helper', 'workspace_id=workspace:plans', 'profile_id=profile:work',
      'object_ids=["note-1"]', 'operation_class=import', 'retry_policy=none', 'conflict_policy=ask',
      'user_explanation=why'), ('status=running',),
     ('--workspace=workspace:plans', '--type=import', '--scope=workspace:plans'), 'cancelled'),
)


def settings(members):
    return [f'--set={member}' for member in members]


def register(cli, family):
    verbs, _, _, members, *_ = family
    return cli.json(verbs, 'register', *settings(members))


def ids(rows):
    return [row['id'] for row in rows]


@promise
def every_family_goes_through_its_life(world):
    with served(world) as (cli, _), world.caller() as caller:
        for family in FAMILIES:
            verbs, kind, name, _, changes, filters, _ = family
            equal(register(cli, family)['id'], name, verbs)
            shown = cli.json(verbs, 'show', name)
            equal((shown['kind'], shown['id']), (kind, name))
            equal(json.loads(caller.call(REGISTRY, 'Show', '(ssa{sv})', kind, name, {})), shown)
            if changes:
                changed = cli.json(verbs, 'update', name, *settings(changes))
                assert changed['sequence'] > shown['sequence'], changed
                member, value = changes[0].split('=')
                assert str(value).strip('[]"') in str(cli.json(verbs, 'show', name)['record'][member]), verbs
            for words in (filters, *((one,) for one in filters)):
                assert name in ids(cli.json(verbs, 'list', *words)), (verbs, words)
            assert name in cli.does(verbs, 'list') and name.split('@')[0] in cli.does(verbs, 'show', name)
            for word in filters:
                option = word.split('=')[0]
                nothing = verbs, 'list', f'{option}=none-such'
                if option == '--type' and verbs not in ('schemas', 'objects'):
                    assert 'one of: ' in cli.fails(NEGATIVE, 'Usage', *nothing), nothing
                elif option != '--scope':
                    equal(cli.json(*nothing), [], nothing)
        for verbs, kind, name, *_, end in reversed(FAMILIES):
            cli.does(verbs, 'revoke', name, '--yes')
            equal(cli.json(verbs, 'show', name)['state'], end, verbs)
            assert name in ids(cli.json(verbs, 'list', f'--state={end}')), verbs
            before = {'devices': 'trusted', 'plans': 'planned'}.get(verbs, 'active')
            assert name not in ids(cli.json(verbs, 'list', f'--state={before}')), verbs
            equal(cli.run(verbs, 'revoke', name, '--yes')[0], NEGATIVE, verbs)


@promise
def every_step_of_a_plan_is_an_event(world):
    with served(world) as (cli, _):
        for family in FAMILIES:
            register(cli, family)
        for status in ('blocked', 'running', 'failed', 'planned', 'running', 'completed'):
            cli.does('plans', 'update', 'plan-1', f'--set=status={status}')
        cli.does('plans', 'register', *settings(FAMILIES[-1][3]), '--set=plan_id=plan-2')
        cli.does('plans', 'revoke', 'plan-2', '--yes')
        steps = [event['event_type'] for event in cli.json('log', 'plan-1', '--oldest-first')]
        equal(steps, [f'sync.plan.{step}' for step in (
            'created', 'blocked', 'started', 'failed', 'updated', 'started', 'completed')])
        for kind, count in (('created', 2), ('started', 2), ('cancelled', 1)):
            equal(len(cli.json('events', 'list', f'--type=sync.plan.{kind}')), count, kind)


@promise
def what_a_verb_cannot_do_it_says(world):
    with served(world) as (cli, _):
        register(cli, FAMILIES[0])
        for verbs, _, name, members, *_ in FAMILIES:
            cli.fails(NOT_FOUND, 'NotFound', verbs, 'show', 'none-such')
            equal(cli.run(verbs, 'register', *settings(members[:1]), '--set=revoked_at=7')[0] in
                  (DONE, FAILED, NEGATIVE, NOT_FOUND), True)
        cli.fails(NEGATIVE, 'Usage', 'profiles', 'update', 'profile:work', '--set=novalue')
        cli.fails(NEGATIVE, 'Usage', 'profiles', 'revoke', 'profile:work')
        on_terminal(cli, ['profiles', 'revoke', 'profile:work'], b'n\n', FAILED)
        equal(cli.json('profiles', 'show', 'profile:work')['state'], 'active')
        dry = cli.json('profiles', 'register', '--set=profile_id=profile:dry', '--set=profile_class=lab',
                       '--dry-run')
        equal((dry['dry_run'], dry['record']['profile_id'], dry['unknown']), (True, 'profile:dry', []))
        cli.fails(NOT_FOUND, 'NotFound', 'profiles', 'show', 'profile:dry')
        cli.fails(NEGATIVE, 'InvalidContract', 'profiles', 'register', '--set=profile_id=profile:dry',
                  '--set=profile_class=none-such', '--dry-run')
        odd = {'profile_id': 'profile:odd', 'profile_class': 'lab', 'display_name': 'odd', 'policy_tags': []}
        code, _, told = cli.run('profiles', 'register', '-', stdin=json.dumps(odd | {'displayname': 'odd'}))
        equal((code, told), (DONE, 'Kept, not known to sourceos.profile-record/v1alpha1: displayname\n'))
        code, out, _ = cli.run('profiles', 'update', 'profile:odd', '-', '--json',
                               stdin=json.dumps(odd | {'x': 1, 'y': 2}))
        equal((code, json.loads(out)['unknown']), (DONE, ['x', 'y']))
        for words in (('register',), ('update', 'profile:odd')):
            code, out, told = cli.run('profiles', *words, '-', '--dry-run', '--json', stdin=json.dumps(
                odd | {'profile_id': f'profile:{"odd" if words[1:] else "new"}', 'z': 1}))
            dry = json.loads(out)
            equal((code, told, dry['unknown'], dry['record']['z']), (DONE, '', ['z'], 1), words)
        equal(cli.json('profiles', 'register', '--dry-run')['record']['policy_tags'], [])


@promise
def pages_of_records_join_to_the_whole(world):
    with served(world) as (cli, _), world.caller() as caller:
        names = [f'profile:p{number}' for number in range(7)]
        for name in names:
            cli.does('profiles', 'register', f'--set=profile_id={name}', '--set=profile_class=lab')
        found, cursor = [], ''
        while True:
            records, cursor = caller.call(REGISTRY, 'List', '(sa{sv})', 'profile', {
                'limit': GLib.Variant('u', 2), 'cursor': GLib.Variant('s', cursor),
                'type': GLib.Variant('s', 'lab')})
            found += ids(json.loads(records))
            if not cursor:
                break
        equal(found, names)
        equal(len(cli.json('profiles', 'list', '--limit=3')), 3)
        refused_as('org.freedesktop.DBus.Error.InvalidArgs', caller.call, REGISTRY, 'List', '(sa{sv})',
                   'none', {})


@promise
def a_reconciliation_is_found_from_either_end(world):
    with served(world) as (cli, _):
        operation = cli.enqueue('note-1', '{"provisional_artifact_ids":{"artifact:temp-1":"note-1"}}')['operation']
        words = ('ops', 'reconcile', operation, '--remote=remote-7', f'--evidence={operation}')
        assert cli.run(*words)[0] != DONE, 'before it was carried out'
        cli.does('tasks', 'complete', cli.json('tasks', 'claim')['lease'])
        decision = cli.json('ops', 'show', operation)['policy_decision_ref']
        words += ('--artifact=artifact:temp-1=artifact:final-44', f'--admission={decision}')
        first = cli.json(*words)
        equal(cli.json(*words), {**first, 'duplicate': True})
        cli.fails(STALE, 'AlreadyResolved', 'ops', 'reconcile', operation, '--remote=remote-8',
                  f'--evidence={operation}')
        for words in (f'--operation={operation}', '--remote=remote-7', '--artifact=artifact:temp-1',
                      '--artifact=artifact:final-44'):
            one, = cli.json('ops', 'reconciled', words)
            equal((one['reconciled_operation_id'], one['evidence_ref']), (operation, first['evidence_ref']))
            assert operation in cli.does('ops', 'reconciled', words)
        equal(cli.json('ops', 'reconciled', '--remote=remote-8'), [])
        record = cli.json('ops', 'show', operation)
        equal((record['status'], record['remote_operation_id']), ('reconciled', 'remote-7'))


@promise
def what_cannot_be_done_says_what_can(world):
    schema = ('--set=object_type=note', '--set=schema_id=schema:x')
    with served(world) as (cli, _):
        told = cli.fails(NEGATIVE, 'InvalidContract', 'schemas', 'register', *schema)
        assert 'schema_version must be there' in told and 'schema_id must' not in told, told
        register = ('schemas', 'register', *schema, '--set=schema_version=1', '--key=once')
        assert 'would be' in cli.does(*register, '--dry-run')
        cli.does(*register)
        assert 'recorded earlier' in cli.does(*register, '--dry-run')
        equal(cli.json(*register, '--dry-run')['duplicate'], True)
        told = cli.fails(NEGATIVE, 'InvalidArgs', *register[:-1])
        assert 'is registered already' in told, told
        cli.does('profiles', 'register', '--set=profile_id=profile:p', '--set=profile_class=work')
        cli.does('profiles', 'revoke', 'profile:p', '--yes')
        told = cli.fails(NEGATIVE, 'InvalidContract', 'profiles', 'update', 'profile:p',
                         '--set=display_name=P')
        assert 'is revoked already, and is not changed any more' in told, told
        told = cli.fails(NEGATIVE, 'InvalidContract', 'actors', 'register', '--set=actor_id=a',
                         '--set=identity_id=agent:a', '--set=actor_type=agent',
                         '--set=expires_at=tomorrow')
        assert told.startswith('/record/expires_at '), told


@promise
def documents_that_people_write_keep_to_their_contracts(world):
    with served(world) as (cli, _):
        cases = pathlib.Path(world.options.source, 'tests/integration/lanes.cases.json')
        cli.does('contract', 'validate', str(cases))
        evidence = cli.json('ops', 'replay', cli.enqueue('note-1')['operation'], '--key=again')['evidence']
        cli.does('contract', 'validate', '-', stdin=json.dumps(evidence))
        equal(evidence['schema'], 'sourceos.replay-evidence/v1')


if __name__ == '__main__':
    main(session_world)
