#!/usr/bin/python3
"""No anonymous durable write: every method that introspection/ describes is called by somebody who
is no actor, by one who was revoked, who has expired, is quarantined, may not write, or may write
elsewhere only, with polkit saying yes to all of them. Whoever once stood well has operations, a task
that waits, leases and a deleted object of its own from then. Nothing changes but the record of the
refusals."""

import contextlib
import hashlib
import json
import os
import pathlib

from cli_user import NEGATIVE, Cli
from every_method import (IDS, KINDS, RECONCILED, RECORDS, REGISTRY, arguments_of, everything, log_of,
                          prepared, register, register_all)
from harness import (MANAGER, NAME, OPERATIONS, ROOT, STANDARD, GLib, Refused, equal, eventually, main,
                     promise, refused_as)
from polkit_world import ALLOWED, SERVICE, STRANGER, system_world, uid
from rot import rotting

DENIED = STANDARD + 'AccessDenied'
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
    methods = sorted(arguments_of(world.options.source), key=lambda one: one[1] == 'Purge')
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
def whoever_plans_a_purge_is_not_told_what_others_keep(world):
    with world.system(ALLOWED) as (daemon, caller), world.caller() as root:
        root.enqueue(scope='workspace:notes')
        register(root, 'actor', {**RECORDS['actor'], 'identity_id': f'uid:{uid(ALLOWED)}',
                                 'capabilities': ['read', 'write', 'delete'],
                                 'workspace_scope': ['workspace:notes'],
                                 'profile_scope': ['profile:default']})
        gone = prepared(caller, 'own')['Purge.object']
        (daemon.state / 'journal-before-tuesday.db').write_bytes(b'0123456789')

        def plan(who):
            return who.call(OPERATIONS, 'PlanPurge', '(ssa{sv})', 'workspace:notes', gone, {})

        document, digest = plan(caller)
        equal(json.loads(document)['copies'], [{'count': 1, 'bytes': 10}])
        assert 'tuesday' not in document, document
        # The control: root is told.
        equal(json.loads(plan(root)[0])['copies'],
              [{'file': 'journal-before-tuesday.db', 'bytes': 10}])
        # What was shown is what is purged, though polkit would let this one inspect.
        caller.call(OPERATIONS, 'Purge', '(sssa{sv})', 'workspace:notes', gone, digest, {})


MARK = 'mArKeR'
PROPERTIES = 'org.freedesktop.DBus.Properties'
INTERFACES = ('Manager', 'Operations', 'Registry', 'Repair', 'RepairPlan', 'Job', 'Workspaces')


@contextlib.contextmanager
def machine_with_something_to_hide(world):
    """A system instance with a workspace, one file of which has lost its content, and another has
    other bytes than are recorded; a plan about it; and all words that only an inspector may read."""
    notes = world.place() / f'{MARK}-notes'
    notes.mkdir(parents=True)
    os.chown(notes, uid(SERVICE), uid(SERVICE))
    large = os.urandom(200000)
    (notes / f'{MARK}-large').write_bytes(large)
    (notes / f'{MARK}-rots').write_bytes(b'a')
    with world.system_daemon() as daemon:
        cli = Cli(world, world.place(), None)
        cli.environment['DBUS_SYSTEM_BUS_ADDRESS'] = world.bus.address
        cli.does('workspace', 'add', str(notes), f'--name={MARK}-workspace', '--system')
        workspace = f'workspace:{MARK}-workspace'
        eventually(lambda: len(cli.json('workspace', 'files', workspace, '--system')) == 2, 'both are recorded')
        chunk, = daemon.state.glob('blobs/*/*')
        # Nobody has the first version but the daemon.
        (notes / f'{MARK}-large').write_bytes(b'')
        eventually(lambda: any(file['version'] == 2 for file in
                               cli.json('workspace', 'files', workspace, '--system')), 'it is recorded anew')
        yield daemon, cli, notes, workspace, chunk, {
            MARK, MARK.lower(), str(notes), chunk.stem, hashlib.sha256(large).hexdigest(),
            hashlib.sha256(b'a').hexdigest(), hashlib.sha256(b'A').hexdigest(),
            *(file['file_id'] for file in cli.json('workspace', 'files', workspace, '--system'))}


def harvest(world, caller, daemon, known, paths):
    """All that is said to every call, to every read of a property, and in the file that is for all."""
    # What was asked with is no news.
    asked = sorted({text for text in known.values() if len(text) > 3}, key=len, reverse=True)

    def answer(*call, **keywords):
        try:
            text = str(caller.call(*call, **keywords))
        except Refused as refused:
            text = f'{refused.name} {refused.text}'
        for name in asked:
            text = text.replace(name, '<asked>')
        return text

    said = [daemon.status_file.read_text()]
    for interface, method, arguments in arguments_of(world.options.source):
        for kind in KINDS if 'kind' in dict(arguments) else ('root',):
            values = [known.get(name, value(method, name, kind, type_, known)) if type_ == 's'
                      else value(method, name, kind, type_, known) for name, type_ in arguments]
            signature = '(' + ''.join(type_ for _, type_ in arguments) + ')'
            of_plan = interface == NAME + '.RepairPlan'
            for path in paths if of_plan or interface == NAME + '.Job' else (ROOT,):
                said.append(answer(interface, method, signature, *values, path=path))
    for path in ('/', ROOT, ROOT + '/plan', ROOT + '/job', *paths):
        said += [answer('org.freedesktop.DBus.Introspectable', 'Introspect', path=path),
                 answer('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', path=path)]
        said += [answer(PROPERTIES, 'GetAll', '(s)', f'{NAME}.{name}', path=path) for name in INTERFACES]
    return said


def says_none_of(said, secrets):
    for text in said:
        for secret in secrets:
            assert secret not in text, f'{secret} is in {text}'


@promise
def what_is_found_and_planned_is_named_to_nobody_who_may_not_inspect(world):
    with machine_with_something_to_hide(world) as (daemon, cli, notes, workspace, chunk, secrets), \
            world.other(uid(STRANGER)) as stranger, world.caller() as root:
        stranger.listen()
        with rotting(notes / f'{MARK}-rots', lambda: cli.does('workspace', 'scan', workspace, '--system')):
            pass
        equal(cli.run('workspace', 'scan', workspace, '--deep', '--system')[0], NEGATIVE)
        chunk.write_bytes(b'other bytes')
        equal(cli.run('verify', 'log', '--full', '--system')[0], NEGATIVE)
        path, digest = root.call(NAME + '.Repair', 'Plan', '(a{sv})', {})
        plan = path.rsplit('/', 1)[1]
        file, = (one['file_id'] for one in cli.json('workspace', 'files', workspace, '--system')
                 if one['path'] == f'{MARK}-large')
        known = {'object': file, 'file': file, 'workspace': workspace, 'operation': plan, 'digest': digest,
                 'id': f'{MARK}-large', 'task': 'none', 'lease': 'none'}

        def look(who, about):
            return harvest(world, who, daemon, about, (path,))

        blind = {**known, 'object': 'no-such', 'file': 'no-such', 'workspace': 'workspace:no-such', 'id': 'no-such'}
        for about in (blind, known):
            says_none_of(look(stranger, about), secrets - set(about.values()) | {MARK})
        # What it gives up is named in what is said of it afterwards.
        root.call(NAME + '.RepairPlan', 'Approve', '(s)', digest, path=path)
        root.call(NAME + '.RepairPlan', 'Apply', '(s)', digest, path=path)
        eventually(lambda: json.loads(root.call(NAME + '.RepairPlan', 'Describe', path=path))['state']
                   not in ('approved', 'running'), 'it is carried out')
        found = cli.run('doctor', '--system')[1]
        assert 'blob-lost' in found and f'{MARK}-large of {workspace}, version 1' in found, found
        heard = [str(one) for one in stranger.heard()]
        assert any('FindingsChanged' in one for one in heard), heard
        says_none_of(look(stranger, blind) + heard, secrets)
        # Nor to who is known, and may write there: such a one knows what the workspace is called.
        register(root, 'actor', {**RECORDS['actor'], 'identity_id': f'uid:{uid(STRANGER)}',
                                 'workspace_scope': [workspace], 'profile_scope': ['profile:default']})
        says_none_of(look(stranger, blind), secrets - {MARK, MARK.lower()} | {f'{MARK}-large', f'{MARK}-rots'})
        # The control: root is told.
        told = '\n'.join(look(root, blind))
        for secret in (MARK, file, str(notes), chunk.stem):
            assert secret in told, secret


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
