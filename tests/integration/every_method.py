"""What every method of the bus is about: its arguments as introspection/ has them, a record of each
kind, and all that a log and the registries say before and after."""

import json
import pathlib
import tempfile
from xml.etree import ElementTree

from agent_key import Key
from harness import NAME, OPERATIONS, GLib

REGISTRY = NAME + '.Registry'
KINDS = ('profile', 'device', 'actor', 'schema', 'object', 'workspace', 'plan',
         'encryption-profile', 'migration', 'root')
REFUSED = {'policy.refused', 'profile.violated'}
RECONCILED = {'remote_operation_id': 'remote-1', 'ledger_evidence_refs': ['sha256:' + '0' * 64]}

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


def arguments_of(source):
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
        RECORDS['migration'].pop('attestation', None)
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
