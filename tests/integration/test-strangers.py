#!/usr/bin/python3
"""No anonymous durable write: every method that introspection/ describes is called by somebody who
is no actor, by one who was revoked, who has expired, is quarantined, may not write, or may write
elsewhere only, with polkit saying yes to all of them. Whoever once stood well has operations, a task
that waits, leases and a deleted object of its own from then. Nothing changes but the record of the
refusals."""

import json
import pathlib
import tempfile
from xml.etree import ElementTree

from agent_key import Key
from harness import (MANAGER, NAME, OPERATIONS, ROOT, STANDARD, GLib, Refused, equal, main, promise,
                     refused_as)
from polkit_world import ALLOWED, system_world, uid

REGISTRY = NAME + '.Registry'
KINDS = ('profile', 'device', 'actor', 'schema', 'object', 'workspace', 'plan',
         'encryption-profile', 'migration', 'root')
REFUSED = {'policy.refused', 'profile.violated'}
DENIED = STANDARD + 'AccessDenied'
RECONCILED = {'remote_operation_id': 'remote-1', 'ledger_evidence_refs': ['sha256:' + '0' * 64]}
# What root is let through. Whoever finds no task may ask for one; migrations want what came of their
# plan, and a task that is completed does not fail.
WRITES = {'Enqueue', 'EnqueueMany', 'Replay', 'Reconcile', 'ClaimTask', 'RenewTask', 'CompleteTask',
          'FailTask', 'CancelTask', 'Purge', 'Register', 'Update', 'Revoke'}

# How an actor that stood well comes to stand; None is to be revoked.
FALLS = {'revoked': None,
         'expired': {'expires_at': '2020-01-01T00:00:00Z'},
         'quarantined': {'trust_level': 'quarantined'},
         'reader': {'capabilities': ['read']},
         'elsewhere': {'workspace_scope': ['workspace:elsewhere'],
                       'profile_scope': ['profile:elsewhere']}}

# One record a kind that the right caller could register.
RECORDS = {
    'profile': {'profile_id': 'profile:p', 'display_name': 'P', 'profile_class': 'work',
                'policy_tags': []},
    'device': {'device_id': 'device-other', 'display_name': 'D', 'trust_level': 'user',
               'device_state': 'trusted'},
    'actor': {'actor_id': 'actor-other', 'actor_type': 'human', 'display_name': 'A',
              'identity_id': 'uid:4711', 'workspace_scope': [], 'profile_scope': [],
              'capabilities': ['read', 'write'], 'trust_level': 'user', 'policy_subject': 'a',
              'signing_key_ref': 'none'},
    'schema': {'schema_id': 'note/v1', 'object_type': 'note', 'schema_version': '1',
               'required_fields': [], 'field_owners': {}, 'migration_policy': 'ask',
               'conflict_policy': 'ask', 'tombstone_policy': 'keep', 'sync_visibility': 'workspace',
               'retention_class': 'normal'},
    'object': {'object_id': 'o-1', 'object_type': 'note', 'schema_id': 'note/v1',
               'schema_version': '1', 'workspace_id': 'workspace:notes',
               'profile_id': 'profile:default', 'owner_identity': 'uid:0', 'privacy_class': 'work',
               'sync_visibility': 'workspace', 'retention_class': 'normal', 'policy_tags': [],
               'provenance': []},
    'workspace': {'workspace_id': 'workspace:w', 'profile_id': 'profile:default'},
    'plan': {'plan_id': 'p-1', 'target_actor': 'actor-other', 'profile_id': 'profile:default',
             'workspace_id': 'workspace:notes', 'object_ids': [], 'operation_class': 'restore',
             'dependencies': [], 'retry_policy': 'none', 'conflict_policy': 'ask',
             'status': 'planned', 'user_explanation': 'x'},
    'root': {'root_id': 'r-1', 'workspace_id': 'workspace:w', 'directory': '/srv/nowhere',
             'root_state': 'active'},
    'encryption-profile': {'encryption_profile_id': 'e-1', 'encryption_scope': 'workspace'},
    'migration': {'schema': 'sourceos.schema-migration/v1', 'migration_id': 'm-1',
                  'author': 'actor-author', 'from_schema_id': 'note/v1', 'from_schema_version': '1',
                  'to_schema_id': 'note/v1', 'to_schema_version': '2', 'steps': [],
                  'compatibility': [{'program': program, 'document': document, 'read': True,
                                     'write': program == document}
                                    for program in ('from', 'to') for document in ('from', 'to')]},
}
IDS = {'profile': 'profile:p', 'device': 'device-other', 'actor': 'actor-other',
       'schema': 'note/v1@1', 'object': 'o-1', 'workspace': 'workspace:w', 'plan': 'p-1',
       'encryption-profile': 'e-1', 'migration': 'm-1', 'root': 'r-1'}


def described(source):
    """(interface, method, [(argument, type)]) of all that is served at the root."""
    for path in sorted(pathlib.Path(source, 'introspection').glob('*.xml')):
        for interface in ElementTree.parse(path).getroot().iter('interface'):
            for method in interface.findall('method'):
                yield (interface.get('name'), method.get('name'),
                       [(arg.get('name'), arg.get('type')) for arg in method.findall('arg')
                        if arg.get('direction') == 'in'])


def register(caller, kind, record):
    return caller.call(REGISTRY, 'Register', '(ssa{sv})', kind, json.dumps(record), {})


def register_all(root):
    """One of each kind. The migration needs an author who signs it, and where it leads to."""
    with tempfile.TemporaryDirectory() as directory:
        key = Key(directory)
        register(root, 'actor', {**RECORDS['actor'], 'actor_id': 'actor-author',
                                 'identity_id': 'author', 'capabilities': ['migrate_schema'],
                                 'signing_key_ref': key.ref})
        register(root, 'schema', {**RECORDS['schema'], 'schema_version': '2'})
        text = json.dumps(RECORDS['migration'], sort_keys=True, separators=(',', ':'))
        RECORDS['migration']['attestation'] = {
            'signed': True, 'signer': 'actor-author', 'key_id': key.key_id('actor-author'),
            'algorithm': 'ed25519', 'signature': key.sign(text.encode())}
    for kind in KINDS:
        register(root, kind, RECORDS[kind])


def enqueue(caller, thing, body='{}', **options):
    return caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                       'workspace:notes', thing, body,
                       {'create_scope': GLib.Variant('b', True), **options})[0]


def claim(caller, operation):
    return caller.call(OPERATIONS, 'ClaimTask', '(a{sv})',
                       {'operation': GLib.Variant('s', operation)})[0]


def complete(caller, operation):
    caller.call(OPERATIONS, 'CompleteTask', '(sa{sv})', claim(caller, operation), {})
    return operation


def prepared(caller, name):
    """What the calls are about, all of it the caller's to ask for: an operation that is done and
    may be done again, leases, tasks that wait, an object of which nothing is left but what a purge
    would take."""
    gone = f'gone-{name}'
    done = complete(caller, enqueue(caller, 'o-1', '{"replay_safe":true}',
                                    idempotency_key=GLib.Variant('s', f'once-{name}')))
    complete(caller, enqueue(caller, gone))
    enqueue(caller, gone, lane=GLib.Variant('s', 'tombstone'))
    digest = caller.call(OPERATIONS, 'PlanPurge', '(ssa{sv})', 'workspace:notes', gone, {})[1]
    return {'operation': done, 'task': done, 'lease': claim(caller, enqueue(caller, 'o-2')),
            'FailTask.lease': claim(caller, enqueue(caller, 'o-3')),
            'CancelTask.task': enqueue(caller, 'o-4'),
            'ClaimTask.options': {'operation': GLib.Variant('s', enqueue(caller, 'o-6'))},
            'PlanPurge.object': gone, 'Purge.object': gone, 'Purge.digest': digest}


def value(method, name, kind, type_, known):
    """An argument that a good call could have."""
    if f'{method}.{name}' in known:
        return known[f'{method}.{name}']
    request = {'type': 'sync.operation.enqueue', 'scope': 'workspace:notes', 'object': 'o-1',
               'body': {}}
    by_name = {
        'type': request['type'], 'scope': request['scope'], 'object': 'o-1', 'body': '{}',
        'document': json.dumps(RECONCILED), 'reason': 'no room', **known, 'kind': kind, 'record': json.dumps(RECORDS[kind]), 'id': IDS[kind],
        'requests': list(json.dumps(request).encode()), 'migration': IDS['migration'],
    }
    by_type = {'s': known['operation'], 'b': True, 'u': 1, 't': 1, 'i': 1, 'x': 1, 'd': 1.0, 'ay': [], 'as': [],
               'o': ROOT, 'a{sv}': {}}
    if type_ == 'a{sv}':
        return {}
    found = by_name.get(name)
    if isinstance(found, str) and type_ != 's' or isinstance(found, list) and type_ != 'ay':
        found = None
    return by_type[type_] if found is None else found


def call_everything(world, caller, known):
    """Each method, once for each kind of record where it takes one. Those that were let through."""
    through = set()
    # After a purge the index is made anew, and what needs it has to wait.
    methods = sorted(described(world.options.source), key=lambda one: one[1] == 'Purge')
    for interface, method, arguments in methods:
        kinds = KINDS if 'kind' in dict(arguments) else ('actor',)
        for kind in kinds:
            values = [value(method, name, kind, type_, known) for name, type_ in arguments]
            signature = '(' + ''.join(type_ for _, type_ in arguments) + ')'
            try:
                caller.call(interface, method, signature, *values)
                through.add(method)
            except Refused:
                pass
    return through


def log_of(root):
    entries, cursor = [], ''
    while True:
        options = {'all': GLib.Variant('b', True), 'bodies': GLib.Variant('b', True)}
        if cursor:
            options['cursor'] = GLib.Variant('s', cursor)
        page, cursor = root.list('ListBytes', **options)
        entries += page
        if not cursor:
            return entries


def everything(root):
    """All that the log and the registries say, as root sees it."""
    entries = log_of(root)
    kept = [entry for entry in entries if entry['header']['kind'] not in REFUSED]
    records = [root.call(REGISTRY, 'List', '(sa{sv})', kind, {'all': GLib.Variant('b', True)})
               for kind in KINDS]
    tasks = root.call(OPERATIONS, 'ListTasks', '(a{sv})', {})
    return kept, records + [tasks], len(entries) - len(kept)


@promise
def whoever_may_not_write_changes_nothing(world):
    with world.system(ALLOWED) as (_, caller), world.caller() as root:
        known = prepared(root, 'root')
        register_all(root)
        actor = {**RECORDS['actor'], 'identity_id': f'uid:{uid(ALLOWED)}', 'actor_type': 'agent',
                 'capabilities': ['read', 'write', 'delete'],
                 'workspace_scope': ['workspace:notes'], 'profile_scope': ['profile:default']}

        def compare(what, known, may_be_recorded):
            before = everything(root)
            through = call_everything(world, caller, known)
            after = everything(root)
            new = [entry['header']['kind'] for entry in after[0][len(before[0]):]]
            assert after[:2] == before[:2], f'{what}: something changed: {new}'
            if not may_be_recorded:
                equal(after[2], before[2], f'{what}: the log grew')
            # Reading is for others as well: a test that is let through nowhere would prove little.
            assert through, what
            equal(through & WRITES, set(), what)
            refused_as(DENIED, caller.call, OPERATIONS, 'Enqueue', '(ssssa{sv})',
                       'sync.operation.enqueue', 'workspace:notes', 'o-1', '{}', {})

        compare('unregistered', known, False)
        for what, change in FALLS.items():
            name = f'actor-{what}'
            register(root, 'actor', {**actor, 'actor_id': name})
            own = prepared(caller, what)
            if change is None:
                root.call(REGISTRY, 'Revoke', '(ssa{sv})', 'actor', name, {})
            else:
                root.call(REGISTRY, 'Update', '(sssa{sv})', 'actor', name,
                          json.dumps({**actor, 'actor_id': name, **change}), {})
            # Whoever stands well otherwise is heard, and that it was refused is its record.
            compare(what, own, what in ('elsewhere', 'reader'))
            if change is not None:
                root.call(REGISTRY, 'Revoke', '(ssa{sv})', 'actor', name, {})


def said(call, name, *arguments):
    """What is answered to a call about a name, whatever the name is."""
    try:
        return call(*arguments)
    except Refused as refused:
        return refused.name, refused.text.replace(name, '<id>')


def ask_for(caller, kind, name, record):
    """Every verb about one record, and the object, workspace, operation or migration that names it."""
    dry = {'dry_run': GLib.Variant('b', True)}
    id_ = f'{name}@1' if kind == 'schema' else name
    for options in ({}, dry):
        yield caller.call, REGISTRY, 'Update', '(sssa{sv})', kind, id_, json.dumps(record), options
        yield caller.call, REGISTRY, 'Revoke', '(ssa{sv})', kind, id_, options
    yield caller.call, REGISTRY, 'Show', '(ssa{sv})', kind, id_, {}
    yield caller.call, REGISTRY, 'List', '(sa{sv})', kind, {}
    yield caller.call, REGISTRY, 'PlanMigration', '(sa{sv})', name, {}
    yield caller.call, REGISTRY, 'ApplyMigration', '(ssa{sv})', name, 'sha256:00', {}
    yield (caller.call, REGISTRY, 'Register', '(ssa{sv})', 'object',
           json.dumps({**RECORDS['object'], 'object_id': 'o-named', 'schema_id': name}), dry)
    yield (caller.call, REGISTRY, 'Register', '(ssa{sv})', 'workspace',
           json.dumps({**RECORDS['workspace'], 'workspace_id': 'workspace:mine',
                       'encryption_profile_ref': name}), dry)
    yield (caller.call, OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
           'workspace:notes', '', json.dumps({'encryption_profile_ref': name}), {})


@promise
def what_lies_in_a_scope_that_is_not_reached_is_not_there(world):
    there, nowhere = 'hidden', 'absent'
    records = {'schema': lambda name: {**RECORDS['schema'], 'schema_id': name},
               'encryption-profile': lambda name: {'encryption_profile_id': name,
                                                   'encryption_scope': 'workspace'},
               'migration': lambda name: {**RECORDS['migration'], 'migration_id': name}}
    elsewhere = {'scope': GLib.Variant('s', 'workspace:b')}
    with world.system(ALLOWED) as (_, caller), world.caller() as root:
        for name in ('workspace:notes', 'workspace:b'):
            register(root, 'workspace', {**RECORDS['workspace'], 'workspace_id': name})
        register(root, 'actor', {**RECORDS['actor'], 'identity_id': f'uid:{uid(ALLOWED)}',
                                 'capabilities': ['read', 'write', 'delete', 'migrate_schema'],
                                 'workspace_scope': ['workspace:notes', 'workspace:mine'],
                                 'profile_scope': ['profile:default']})
        for kind in ('schema', 'encryption-profile'):
            root.call(REGISTRY, 'Register', '(ssa{sv})', kind, json.dumps(records[kind](there)),
                      elsewhere)
        for kind, record in records.items():
            pairs = zip(ask_for(caller, kind, there, record(there)),
                        ask_for(caller, kind, nowhere, record(nowhere)))
            for hidden, absent in pairs:
                equal(said(hidden[0], there, *hidden[1:]), said(absent[0], nowhere, *absent[1:]),
                      f'{kind}: {hidden[2]}')
        # The control: whoever reaches it is told.
        shown = said(root.call, there, REGISTRY, 'Show', '(ssa{sv})', 'schema', f'{there}@1', {})
        equal(json.loads(shown)['state'], 'active')


@promise
def the_same_calls_change_something_when_root_makes_them(world):
    """The control: calls that nobody could make would be refused to everybody."""
    with world.system() as (_,), world.caller() as root:
        known = prepared(root, 'root')
        before = log_of(root)
        equal(WRITES - call_everything(world, root, known), set())
        after = log_of(root)
        assert len(after) > len(before) + len(KINDS), (len(before), len(after))


@promise
def a_registered_actor_writes_where_it_may(world):
    with world.system(ALLOWED) as (_, caller), world.caller() as root:
        root.enqueue(scope='workspace:elsewhere')
        register(root, 'actor', {**RECORDS['actor'], 'identity_id': f'uid:{uid(ALLOWED)}',
                                 'actor_type': 'agent',
                                 'workspace_scope': ['workspace:elsewhere'],
                                 'profile_scope': ['profile:default']})
        caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                    'workspace:elsewhere', '', '{}', {})
        record = json.loads(caller.call(OPERATIONS, 'List', '(a{sv})', {})[0])[0]
        equal(record['actor_id'], 'actor-other')
        refused_as(DENIED, register, caller, 'workspace', RECORDS['workspace'])
        assert caller.call('org.freedesktop.DBus.Properties', 'Get', '(ss)', MANAGER, 'Sequence')


main(system_world)
