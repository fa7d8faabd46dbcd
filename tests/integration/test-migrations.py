#!/usr/bin/python3
"""Objects go from one version of their schema to the next and back, on the bus and on the command
line: a manifest that its author has signed, a dry run, the migration, the event, the rollback. The
signature is put together here from docs/format.md alone, and made by openssl."""

import contextlib
import json
import tempfile

from agent_key import Key
from cli_user import NEGATIVE, NOT_AUTHORISED, NOT_FOUND, Cli
from harness import (MANAGER, NAME, OPERATIONS, STANDARD, GLib, equal, eventually, main, promise,
                     refused_as, session_world)

REGISTRY = NAME + '.Registry'
STALE = 6
AUTHOR = 'actor:ada'
SCHEMA = {'schema_id': 'schema:note', 'object_type': 'note', 'field_owners': {},
          'migration_policy': 'forward_compatible_required', 'conflict_policy': 'ask',
          'tombstone_policy': 'keep', 'sync_visibility': 'workspace', 'retention_class': 'normal'}
NOTE = {'object_type': 'note', 'schema_id': 'schema:note', 'schema_version': 'v1',
        'workspace_id': 'workspace:notes', 'profile_id': 'profile:default', 'owner_identity': 'me',
        'privacy_class': 'work', 'sync_visibility': 'workspace', 'retention_class': 'normal',
        'policy_tags': [], 'provenance': []}
MANIFEST = {
    'schema': 'sourceos.schema-migration/v1', 'migration_id': 'migration:note-v2', 'author': AUTHOR,
    'from_schema_id': 'schema:note', 'from_schema_version': 'v1',
    'to_schema_id': 'schema:note', 'to_schema_version': 'v2',
    'steps': [{'op': 'move', 'path': '/title', 'to': '/heading'},
              {'op': 'map', 'path': '/status', 'values': {'open': 'draft', 'done': 'final'}},
              {'op': 'wrap', 'path': '/heading', 'member': 'de'},
              {'op': 'remove', 'path': '/colour'}],
    'compatibility': [
        {'program': program, 'document': document, 'read': True,
         'write': program == document} for program in ('from', 'to') for document in ('from', 'to')],
}
NOTES = {
    'note:1': {'title': 'Käse', 'status': 'open', 'colour': 'red'},
    'note:2': {'title': 'Brot', 'status': 'done'},
    'note:3': {'title': 'Wein', 'status': 'lost'},
    'note:4': {'title': 'ein viel zu langer Titel', 'status': 'open'},
}


def register(caller, kind, record):
    return caller.call(REGISTRY, 'Register', '(ssa{sv})', kind, json.dumps(record), {})[0]


def show(caller, kind, name):
    return json.loads(caller.call(REGISTRY, 'Show', '(ssa{sv})', kind, name, {}))


def signed(key, manifest):
    message = json.dumps(manifest, sort_keys=True, separators=(',', ':')).encode()
    return {**manifest, 'attestation': {
        'signed': True, 'signer': AUTHOR, 'key_id': key.key_id(AUTHOR), 'algorithm': 'ed25519',
        'signature': key.sign(message)}}


def register_schemas(caller):
    register(caller, 'schema', {**SCHEMA, 'schema_version': 'v1', 'required_fields': ['title']})
    register(caller, 'schema', {
        **SCHEMA, 'schema_version': 'v2', 'required_fields': ['heading'],
        'json_schema': {'properties': {
            'heading': {'type': 'object', 'additionalProperties': {'maxLength': 10}}}}})


@contextlib.contextmanager
def migrating_world(world):
    """Two versions of a schema, notes of the first one, an author; the CLI of the user as well."""
    with world.served() as (daemon, caller), tempfile.TemporaryDirectory() as directory:
        caller.enqueue()
        key = Key(directory)
        register(caller, 'actor', {
            'actor_id': AUTHOR, 'actor_type': 'agent', 'display_name': 'Ada',
            'identity_id': 'agent:ada', 'workspace_scope': [], 'profile_scope': [],
            'capabilities': ['migrate_schema'], 'trust_level': 'user', 'policy_subject': 'ada',
            'signing_key_ref': key.ref})
        for name, members in NOTES.items():
            register(caller, 'object', {**NOTE, 'object_id': name, **members})
        yield caller, key, Cli(world, daemon.directory, world.bus.address)


def plan(caller, subject, method='PlanMigration'):
    report, digest = caller.call(REGISTRY, method, '(sa{sv})', subject, {})
    report = json.loads(report)
    equal((report['digest'], report['status']), (digest, 'planned'))
    return report


def apply(caller, subject, digest, method='ApplyMigration'):
    operation, sequence, report = caller.call(REGISTRY, method, '(ssa{sv})', subject, digest, {})
    report = json.loads(report)
    equal((report['digest'], report['status']), (digest, 'applied'))
    return operation, sequence, report


@promise
def objects_go_to_the_next_version_and_back(world):
    with migrating_world(world) as (caller, key, _):
        # Nobody knows yet what these objects are.
        found = show(caller, 'object', 'note:1')
        equal((found['state'], found['reasons']), ('quarantined', ['schema_unknown']))
        register_schemas(caller)
        equal(show(caller, 'object', 'note:1')['reasons'], ['migration_required'])

        register(caller, 'migration', signed(key, MANIFEST))
        before = {name: show(caller, 'object', name) for name in NOTES}
        sequence = caller.get(MANAGER, 'Sequence')
        report = plan(caller, MANIFEST['migration_id'])
        equal(caller.get(MANAGER, 'Sequence'), sequence, 'a dry run changes nothing')
        equal([row['object_id'] for row in report['objects']], ['note:1', 'note:2'])
        equal([row['before'] for row in report['objects']],
              [before['note:1']['digest'], before['note:2']['digest']])
        equal([(row['object_id'], row['reason'], row['errors'][0]['path'])
               for row in report['failures']],
              [('note:3', 'step_failed', '/status'), ('note:4', 'schema_violation', '/heading/de')])
        equal((report['reversible'], report['losses']), (False, ['/colour']))
        refused_as('StaleDigest', apply, caller, MANIFEST['migration_id'], 'sha256:' + '0' * 64)

        heard = caller.listen(MANAGER, 'EventRecorded')
        run, number, done = apply(caller, MANIFEST['migration_id'], report['digest'])
        eventually(lambda: any(values[1] >= number for _, _, values in heard), 'the signal')
        assert any('sync.schema.migrated' in values[2] for _, _, values in heard), heard
        events, _ = caller.list('ListEvents', MANAGER,
                                type=GLib.Variant('s', 'sync.schema.migrated'))
        equal([(event['operation_id'], event['sequence']) for event in events], [(run, number)])
        assert events[0]['policy_decision_ref'].startswith('policy-'), events
        check_entries(caller, sequence, done)

        note = show(caller, 'object', 'note:1')
        equal((note['state'], note['reasons']), ('active', []))
        equal((note['record']['heading'], note['record']['status'],
               note['record']['schema_version']), ({'de': 'Käse'}, 'draft', 'v2'))
        assert not {'title', 'colour'} & set(note['record']), note
        equal(show(caller, 'object', 'note:3')['record'], before['note:3']['record'])
        equal(json.loads(caller.call(REGISTRY, 'MigrationReport', '(sa{sv})', run, {})), done)

        # A program of before may read this and not write it.
        refused_as('PolicyDenied', caller.call, REGISTRY, 'Update', '(sssa{sv})', 'object', 'note:1',
                   json.dumps({**NOTE, 'object_id': 'note:1', **NOTES['note:1']}), {})

        report = plan(caller, run, 'PlanRollback')
        equal((report['direction'], report['from']['schema_version'], report['failures']),
              ('rollback', 'v2', []))
        apply(caller, run, report['digest'], 'ApplyRollback')
        note = show(caller, 'object', 'note:1')
        volatile = ('updated_at', 'state')
        equal({name: value for name, value in note['record'].items() if name not in volatile},
              {name: value for name, value in before['note:1']['record'].items()
               if name not in volatile})
        refused_as('PlanStale', apply, caller, run, report['digest'], 'ApplyRollback')


def check_entries(caller, sequence, report):
    """One entry of the caller's for each object, in the lane migration, each by a decision."""
    entries, _ = caller.list('ListBytes', after=GLib.Variant('t', sequence),
                             order=GLib.Variant('s', 'oldest'))
    entries = [entry['header'] for entry in entries if entry['header']['kind'] != 'policy.decision']
    actor = json.loads(caller.call(OPERATIONS, 'List', '(a{sv})', {})[0])[0]['actor_id']
    equal([(entry['kind'], entry['object']) for entry in entries],
          [('object.changed', 'note:1'), ('object.changed', 'note:2'), ('schema.migrated', '')])
    equal({(entry['actor'], entry['lane']) for entry in entries}, {(actor, 'migration')})
    assert all(entry['decision'] for entry in entries), entries
    equal([row['operation'] for row in report['objects']], [entry['op'] for entry in entries[:2]])


@promise
def a_manifest_that_nobody_has_signed_is_not_taken(world):
    with migrating_world(world) as (caller, key, _):
        register_schemas(caller)
        good = signed(key, MANIFEST)
        refused_as('InvalidContract', register, caller, 'migration', MANIFEST)
        refused_as(STANDARD + 'AccessDenied', register, caller, 'migration',
                   {**good, 'steps': MANIFEST['steps'][1:]})
        with tempfile.TemporaryDirectory() as directory:
            refused_as(STANDARD + 'AccessDenied', register, caller, 'migration',
                       signed(Key(directory), MANIFEST))
        register(caller, 'migration', good)
        refused_as(STANDARD + 'InvalidArgs', register, caller, 'migration',
                   signed(key, {**MANIFEST, 'migration_id': 'migration:other'}))


@promise
def what_was_changed_since_is_not_rolled_back(world):
    with migrating_world(world) as (caller, key, _):
        register_schemas(caller)
        register(caller, 'migration', signed(key, MANIFEST))
        run, _, _ = apply(caller, MANIFEST['migration_id'],
                          plan(caller, MANIFEST['migration_id'])['digest'])
        note = show(caller, 'object', 'note:2')['record']
        caller.call(REGISTRY, 'Update', '(sssa{sv})', 'object', 'note:2',
                    json.dumps({**note, 'status': 'x'}), {})
        report = plan(caller, run, 'PlanRollback')
        equal([row['reason'] for row in report['failures']], ['changed_since'])
        sequence = caller.get(MANAGER, 'Sequence')
        refused_as('PlanStale', apply, caller, run, report['digest'], 'ApplyRollback')
        equal(caller.get(MANAGER, 'Sequence'), sequence)


# --- on the command line -----------------------------------------------------------------------

@promise
def the_command_line_signs_plans_applies_and_takes_back(world):
    with migrating_world(world) as (caller, key, cli):
        register_schemas(caller)
        signed_here = cli.does('migrations', 'sign', '-', f'--signing-key={key.path}',
                               stdin=json.dumps(MANIFEST))
        equal(json.loads(signed_here), signed(key, MANIFEST))
        cli.does('migrations', 'register', '-', stdin=signed_here)
        subject = MANIFEST['migration_id']
        code, out, _ = cli.run('migrations', 'apply', subject, '--dry-run')
        equal(code, NEGATIVE)
        for part in ('note:1', 'schema_violation: /heading/de', '2 objects would be changed; left as they are: 2',
                     'schema:note@v2', '/colour'):
            assert part in out, (part, out)
        planned = json.loads(cli.run('migrations', 'apply', subject, '--dry-run', '--json')[1])
        assert planned['digest'] in out, out
        cli.fails(STALE, 'StaleDigest', 'migrations', 'apply', subject, '--yes', '--digest=x')
        # Shown first, and then asked about, where there is somebody to ask.
        code, out, err = cli.run('migrations', 'apply', subject)
        equal(code, NEGATIVE, err)
        assert '2 objects would be changed' in out and 'confirmation' in err, (out, err)
        code, out, err = cli.run('migrations', 'apply', subject, '--yes', '--json',
                                 f'--digest={planned["digest"]}')
        equal((code, err), (NEGATIVE, ''))
        done = json.loads(out)
        equal(done['digest'], planned['digest'])
        assert 'entries' not in planned, planned
        code, out, err = cli.run('migrations', 'show', subject)
        assert '--type=sync.schema.migrated' in err and 'migrations rollback' in err, err
        assert '\n                     { "op": "remove", "path": "/colour" }\n' in out, out
        run = json.loads(cli.does('events', 'list', '--type=sync.schema.migrated',
                                  '--json'))[0]['operation_id']
        equal(done['entries'], [run])
        equal(json.loads(cli.run('migrations', 'report', run, '--json')[1])['reports'],
              done['reports'])
        assert '2 objects were changed; left as they are: 0' in cli.does('migrations', 'rollback', run, '--yes')
        equal(show(caller, 'object', 'note:2')['record']['title'], 'Brot')


@promise
def what_was_applied_says_how_it_is_taken_back(world):
    with migrating_world(world) as (caller, key, cli):
        register_schemas(caller)
        register(caller, 'migration', signed(key, MANIFEST))
        subject = MANIFEST['migration_id']
        _, out, _ = cli.run('migrations', 'apply', subject, '--yes')
        words = out.splitlines()[-1].split()
        equal(words[:3], ['sourceos-syncd', 'migrations', 'rollback'], out)
        message = cli.run('migrations', 'rollback', subject, '--yes')[2]
        assert 'events list --type=sync.schema.migrated' in message, message
        assert '2 objects were changed' in cli.does(*words[1:], '--yes')


@promise
def the_command_line_says_what_is_wrong(world):
    with migrating_world(world) as (caller, key, cli):
        cli.fails(NOT_FOUND, 'NotFound', 'migrations', 'apply', 'none', '--dry-run')
        cli.fails(NOT_FOUND, 'NotFound', 'migrations', 'rollback', 'none', '--dry-run')
        cli.fails(NOT_FOUND, 'NotFound', 'migrations', 'report', 'none')
        cli.fails(NEGATIVE, 'InvalidContract', 'migrations', 'sign', '-',
                  f'--signing-key={key.path}', stdin='{}')
        cli.fails(NEGATIVE, 'Usage', 'migrations', 'sign', '-', stdin='{}')
        manifest = signed(key, MANIFEST)
        cli.fails(NEGATIVE, 'InvalidContract', 'migrations', 'sign', '-',
                  f'--signing-key={key.path}.statement', stdin='{"author":"a"}')
        cli.fails(NOT_FOUND, 'NotFound', 'migrations', 'register', '-', stdin=json.dumps(manifest))
        register_schemas(caller)
        manifest['author'] = 'nobody'
        cli.fails(NOT_AUTHORISED, 'AccessDenied', 'migrations', 'register', '-',
                  stdin=json.dumps(manifest))


main(session_world)
