#!/usr/bin/python3
"""The matrix of authorisation. Every method of the daemon's own table is called by everybody there is,
with every answer that the real polkitd can give, in both instances: whatever has no yes has no
effect. A method that is added to the table is called here too, and fails until its arguments are
known."""

import contextlib
import json
import os
import subprocess

from damage import plan, plans, spoilt, spoilt_system_instance, spoilt_user_instance
from every_method import (IDS, RECONCILED, RECORDS, REGISTRY, arguments_of, everything, prepared,
                          register, register_all)
from harness import (JOB, MANAGER, NAME, OPERATIONS, ROOT, STANDARD, STANDARD_BUS, Bus, Caller, GLib,
                     Refused, equal, eventually, main, promise, refused_as)
from polkit_agent import CONSENTS, REFUSES, WAITS, Agent
from polkit_world import (ALLOWED, ASKED, SERVICE, STRANGER, a_user_instance_beside_polkit,
                          system_world, uid)

WORKSPACES = NAME + '.Workspaces'
PROPERTIES = STANDARD_BUS + '.Properties'
DENIED = STANDARD + 'AccessDenied'
CHALLENGED = STANDARD + 'InteractiveAuthorizationRequired'
ALL = {'all': GLib.Variant('b', True)}
PAST = {**RECORDS['actor'], 'actor_id': 'actor-past', 'identity_id': 'uid:4713'}
NEW = {**RECORDS['actor'], 'actor_id': 'actor-new', 'identity_id': 'uid:4714'}
REQUEST = {'type': 'sync.operation.enqueue', 'scope': 'workspace:notes', 'object': 'o-8', 'body': {}}
ANNOUNCED = [{'path': 'new', 'sha256': '0' * 64}]
CONSENT = 'org.sourceos.sync.user.'

# What is refused to root as well, each for a reason of its own that has nothing to do with rights.
NOT_NOW = {'Operations.Purge', 'Operations.PurgeReport', 'Registry.MigrationReport',
           'Registry.ApplyMigration', 'Registry.PlanRollback', 'Registry.ApplyRollback',
           'Workspaces.AcceptFile', 'Repair.Plan', 'RepairPlan.Report', 'RepairPlan.Rollback'}


def arguments(known):
    """Of each method, such that it is about what others did. Those of an object have its path."""
    file = ('workspace:matrix', list(b'file'))
    migration = RECORDS['migration']['migration_id']
    return {
        'Manager.Describe': (), 'Manager.Explain': ('o-1', ALL), 'Manager.ListEvents': (ALL,),
        'Manager.Health': ({},), 'Manager.Diagnose': (ALL,), 'Manager.ListEvidence': (ALL,),
        'Manager.GetEvidence': (known['operation'], ALL),
        'Manager.Find': ('note', ALL), 'Manager.Verify': ({},), 'Manager.ListJobs': (ALL,),
        'Operations.Enqueue': ('sync.operation.enqueue', 'workspace:notes', 'o-7', '{}', {}),
        'Operations.EnqueueMany': (list(json.dumps(REQUEST).encode()), {}),
        'Operations.Get': (known['operation'], ALL),
        'Operations.List': (ALL,), 'Operations.ListBytes': (ALL,),
        'Operations.Replay': (known['operation'], {}),
        'Operations.Reconcile': (known['operation'], json.dumps(RECONCILED), {}),
        'Operations.ListReconciled': ({**ALL, 'remote': GLib.Variant('s', 'remote-1')},),
        'Operations.ClaimTask': ({**ALL, **known['ClaimTask.options']},),
        'Operations.RenewTask': (known['lease'], {}),
        'Operations.CompleteTask': (known['lease'], {}),
        'Operations.FailTask': (known['FailTask.lease'], 'no room', {}),
        'Operations.CancelTask': (known['CancelTask.task'], {}),
        'Operations.GetTask': (known['task'], ALL), 'Operations.ListTasks': (ALL,),
        'Operations.Checkpoint': ('device', {}), 'Operations.Proof': (known['operation'], ALL),
        'Operations.PlanPurge': ('workspace:notes', known['Purge.object'], {}),
        'Operations.Purge': ('workspace:notes', known['Purge.object'], known['Purge.digest'], {}),
        'Operations.PurgeReport': (known['operation'], ALL),
        'Registry.Register': ('actor', json.dumps(NEW), {}),
        'Registry.Update': ('actor', 'actor-other',
                            json.dumps({**RECORDS['actor'], 'display_name': 'B'}), {}),
        'Registry.Revoke': ('actor', 'actor-past', {}),
        'Registry.Show': ('actor', 'actor-other', ALL), 'Registry.List': ('actor', ALL),
        'Registry.PlanMigration': (migration, {}),
        'Registry.ApplyMigration': (migration, 'sha256:0', {}),
        'Registry.PlanRollback': (known['operation'], {}),
        'Registry.ApplyRollback': (known['operation'], 'sha256:0', {}),
        'Registry.MigrationReport': (known['operation'], ALL),
        'Workspaces.List': (ALL,), 'Workspaces.ListFiles': ('workspace:matrix', [], ALL),
        'Workspaces.GetFile': (*file, ALL), 'Workspaces.FileHistory': (known['file'], ALL),
        'Workspaces.CheckIgnored': (*file, ALL), 'Workspaces.Scan': ('workspace:matrix', {}),
        'Workspaces.Announce': ('workspace:matrix', json.dumps(ANNOUNCED), {}),
        'Workspaces.PlanRestore': (*file, {**ALL, **known['restored']}),
        'Workspaces.Restore': (*file, known['restore'], {**ALL, **known['restored']}),
        'Workspaces.AcceptFile': (*file, known['sha256'], ALL),
        'Repair.Plan': ({},), 'Repair.List': (ALL,), 'Job.Describe': (), 'Job.Cancel': (),
    }


def plan_arguments(digest):
    """Of the methods that a plan has."""
    return {'RepairPlan.Describe': (), 'RepairPlan.Document': (), 'RepairPlan.Report': (),
            'RepairPlan.Approve': (digest,), 'RepairPlan.Apply': (digest,),
            'RepairPlan.Rollback': (digest,), 'RepairPlan.Discard': ()}


class Matrix:
    """The rows, their arguments, and what is there before anybody calls: all of it root's, or the
    user's, who is `owner`."""

    def __init__(self, world, instance, owner, user):
        self.world, self.instance, self.owner = world, instance, owner
        done = subprocess.run([world.options.rules], capture_output=True, text=True, check=True)
        rules = [json.loads(line) for line in done.stdout.splitlines()]
        self.rights = {name_of(rule['interface'], rule['method']): rule[instance] for rule in rules}
        self.signatures = {name_of(interface, method): '(' + ''.join(type_ for _, type_ in args) + ')'
                           for interface, method, args in arguments_of(world.options.source)}
        self.paths = {}
        self.arguments = self.prepare(user)
        self.rights = {name: right for name, right in self.rights.items()
                       if name.startswith('RepairPlan.') == self.of_a_plan}
        equal(set(self.rights) - set(self.arguments), set(), 'methods whose arguments are not known')

    of_a_plan = False

    def prepare(self, user):
        self.directory = self.world.place()
        known = prepared(self.owner, 'owner')
        register_all(self.owner)
        register(self.owner, 'actor', PAST)
        # The daemon would look for its directory again and again.
        self.owner.call(REGISTRY, 'Revoke', '(ssa{sv})', 'root', IDS['root'], {})
        self.directory.mkdir(mode=0o755)
        (self.directory / 'file').write_text('1')
        for path in (self.directory, self.directory / 'file'):
            os.chown(path, uid(user), uid(user))
        register(self.owner, 'workspace', {'workspace_id': 'workspace:matrix',
                                           'profile_id': 'profile:default'})
        register(self.owner, 'root', {'workspace_id': 'workspace:matrix', 'root_state': 'active',
                                      'directory': str(self.directory),
                                      'keep': {'versions': 8, 'max_bytes': 4096}})
        file = {}

        def recorded():
            with contextlib.suppress(Refused):
                file.update(json.loads(self.owner.call(WORKSPACES, 'GetFile', '(saya{sv})',
                                                       'workspace:matrix', list(b'file'), ALL)))
            return file

        eventually(recorded, 'the file is recorded')
        restored = {'version': GLib.Variant('t', 1), 'to': GLib.Variant('s', 'restored')}
        restore = json.loads(self.owner.call(WORKSPACES, 'PlanRestore', '(saya{sv})', 'workspace:matrix',
                                          list(b'file'), {**ALL, **restored}))
        job = self.paths['Job'] = self.owner.call(MANAGER, 'Verify', '(a{sv})', {})
        eventually(lambda: json.loads(self.owner.call(JOB, 'Describe', path=job))['state'] == 'done',
                   'the job ends')
        return arguments({**known, 'file': file['file_id'], 'sha256': file['sha256'],
                          'restore': restore['digest'], 'restored': restored})

    def rows(self, *kinds):
        """What changes much comes last."""
        names = [name for name, right in self.rights.items() if right[0] in kinds or not kinds]
        return sorted(names, key=lambda name: name in NOT_NOW)

    def send(self, caller, name, **keywords):
        interface, method = name.split('.')
        return caller.call(f'{NAME}.{interface}', method, self.signatures[name], *self.arguments[name],
                           path=self.paths.get(interface, ROOT), **keywords)

    def outcome(self, caller, name, **keywords):
        """"done", or why not: "polkit" said no, nobody could be "asked", "denied" by somebody else, or
        the name of another error."""
        try:
            self.send(caller, name, **keywords)
            return 'done'
        except Refused as refused:
            if refused.name == CHALLENGED:
                return 'asked'
            if refused.name == DENIED:
                return 'polkit' if 'polkit' in refused.text else 'denied'
            return refused.name.rsplit('.', 1)[1]

    def begin(self, caller, name):
        interface, method = name.split('.')
        caller.start(f'{NAME}.{interface}', method, self.signatures[name], *self.arguments[name],
                     path=self.paths.get(interface, ROOT), interactive=True)

    def seen(self):
        kept, records, _ = everything(self.owner)
        jobs = json.loads(self.owner.call(MANAGER, 'ListJobs', '(a{sv})', ALL))
        files = {path.name: path.read_bytes() for path in self.directory.iterdir()}
        return kept, records, jobs, files

    @contextlib.contextmanager
    def nothing_happens(self, what):
        before = self.seen()
        yield
        after = self.seen()
        new = [entry['header']['kind'] for entry in after[0][len(before[0]):]]
        assert after == before, f'{what}: something happened: {new}'


class PlanMatrix(Matrix):
    """The same of a plan of repair: root's, or the user's."""

    of_a_plan = True

    def prepare(self, user):
        path, digest = plan(self.owner)
        self.paths['RepairPlan'] = path
        return plan_arguments(digest)

    def seen(self):
        return (plans(self.owner, all=True), self.owner.call(MANAGER, 'ListJobs', '(a{sv})', ALL),
                self.owner.call(PROPERTIES, 'Get', '(ss)', MANAGER, 'Sequence'))

    @contextlib.contextmanager
    def nothing_happens(self, what):
        before = self.seen()
        yield
        equal(self.seen(), before, what)


def name_of(interface, method):
    return f'{interface.removeprefix(NAME + ".")}.{method}'


# --- the columns -------------------------------------------------------------------------------

def check_refused(matrix, what, caller, why, **keywords):
    """A caller without a yes: whatever needs one is refused for that very reason, and what only actors
    may is refused as well; nothing happens."""
    with matrix.nothing_happens(what):
        for name in matrix.rows('own', 'action'):
            equal(matrix.outcome(caller, name, **keywords), why, f'{name}, {what}')
        for name in matrix.rows('owner'):
            equal(matrix.outcome(caller, name, **keywords), 'denied', f'{name}, {what}')
        for name in matrix.rows('actor'):
            got = matrix.outcome(caller, name, **keywords)
            assert got not in ('done', 'polkit', 'asked'), f'{name}, {what}: {got}'
        for name in matrix.rows('everyone'):
            equal(matrix.outcome(caller, name, **keywords), 'done', f'{name}, {what}')


def check_allowed(matrix, what, caller, names, **keywords):
    """A caller with a yes. Some want an actor besides, which is no word of polkit's."""
    for name in names:
        got = matrix.outcome(caller, name, **keywords)
        assert got not in ('polkit', 'asked'), f'{name}, {what}: {got}'


def check_vanished(matrix, user, bus, names):
    """Each asks, and leaves while somebody looks for a password."""
    with matrix.nothing_happens('who has gone'):
        for name in names:
            with matrix.world.other(uid(user), bus) as caller:
                agent = Agent(matrix.world.bus, caller.pid, how=WAITS)
                matrix.begin(caller, name)
                eventually(lambda: agent.asked, f'{name} is asked about')
                equal(agent.asked, [matrix.rights[name][1]], name)
                caller.kill()
                eventually(lambda: agent.cancelled, f'the question about {name} is withdrawn')
                agent.close()


@promise
def nothing_happens_in_the_system_instance_without_a_yes(world):
    with world.system(ALLOWED, ASKED, STRANGER, SERVICE) as (_, allowed, asked, stranger, service), \
            world.caller() as root:
        matrix = Matrix(world, 'system', root, SERVICE)
        check_refused(matrix, 'polkit says no', stranger, 'polkit', interactive=True)
        check_refused(matrix, 'nobody can be asked', asked, 'asked', interactive=True)
        agent = Agent(world.bus, asked.pid, how=REFUSES)
        check_refused(matrix, 'who is asked refuses', asked, 'polkit', interactive=True)
        equal(agent.asked, [matrix.rights[name][1] for name in matrix.rows('own', 'action')])
        check_refused(matrix, 'nobody may be asked', asked, 'asked')
        agent.close()
        check_vanished(matrix, ASKED, None, matrix.rows('own', 'action'))
        with matrix.nothing_happens('the service user'):
            for name in matrix.rows('own', 'action'):
                equal(matrix.outcome(service, name, interactive=True), 'polkit', name)

        check_allowed(matrix, 'polkit says yes', allowed, matrix.rows('own', 'action', 'everyone'))
        agent = Agent(world.bus, asked.pid, how=CONSENTS)
        check_allowed(matrix, 'who is asked consents', asked, matrix.rows('own', 'action'),
                      interactive=True)
        equal(agent.asked, [matrix.rights[name][1] for name in matrix.rows('own', 'action')])
        agent.close()
        check_allowed(matrix, 'the service user', service, matrix.rows('actor', 'everyone'))


@promise
def root_may_do_everything_there(world):
    """The control: calls that nobody could make would be refused to everybody."""
    with world.system() as (_,), world.caller() as root:
        matrix = Matrix(world, 'system', root, SERVICE)
        for name in matrix.rows():
            got = matrix.outcome(root, name)
            assert got == 'done' or name in NOT_NOW and got not in ('polkit', 'asked', 'denied'), \
                f'{name}: {got}'


@promise
def nothing_happens_to_a_plan_of_the_system_instance_without_a_yes(world):
    with spoilt_system_instance(world) as (_, root), world.other(uid(ALLOWED)) as allowed, \
            world.other(uid(ASKED)) as asked, world.other(uid(STRANGER)) as stranger, \
            world.other(uid(SERVICE)) as service:
        matrix = PlanMatrix(world, 'system', root, SERVICE)
        for approved in (False, True):
            if approved:
                equal(matrix.outcome(root, 'RepairPlan.Approve'), 'done')
            check_refused(matrix, 'polkit says no', stranger, 'polkit', interactive=True)
            check_refused(matrix, 'the service user', service, 'polkit', interactive=True)
            check_refused(matrix, 'nobody can be asked', asked, 'asked', interactive=True)
            agent = Agent(world.bus, asked.pid, how=REFUSES)
            check_refused(matrix, 'who is asked refuses', asked, 'polkit', interactive=True)
            check_refused(matrix, 'nobody may be asked', asked, 'asked')
            agent.close()
            check_vanished(matrix, ASKED, None, matrix.rows('own', 'action'))
        # Though polkit lets him do everything, it is root's.
        equal(matrix.outcome(allowed, 'RepairPlan.Apply'), 'denied')
        check_allowed(matrix, 'polkit says yes', allowed, matrix.rows('own', 'action'))
        equal(plans(root), [])


@promise
def root_may_do_everything_with_a_plan(world):
    with spoilt_system_instance(world) as (_, root):
        matrix = PlanMatrix(world, 'system', root, SERVICE)
        for name in matrix.rows():
            got = matrix.outcome(root, name)
            assert got == 'done' or name in NOT_NOW and got not in ('polkit', 'asked', 'denied') \
                or (name, got) == ('RepairPlan.Discard', 'Busy'), f'{name}: {got}'


@promise
def nothing_happens_to_a_plan_of_the_user_without_his_consent(world):
    for user, how, why, interactive in ((STRANGER, None, 'polkit', True), (ASKED, None, 'asked', True),
                                        (ASKED, REFUSES, 'polkit', True),
                                        (ASKED, CONSENTS, 'asked', False)):
        with spoilt_user_instance(world, user) as (daemon, owner), \
                world.other(uid(SERVICE), daemon.bus) as other:
            matrix = PlanMatrix(world, 'user', owner, user)
            root = Caller(daemon.bus.address)
            agent = Agent(world.bus, owner.pid, how=how) if how else None
            with matrix.nothing_happens(why):
                for name in matrix.rows('action'):
                    equal(matrix.outcome(owner, name, interactive=interactive), why, name)
                for what, caller in (('another user', other), ('root', root)):
                    for name in matrix.rows():
                        equal(matrix.outcome(caller, name, interactive=True), 'denied', f'{name}, {what}')
            if user == ASKED:
                check_vanished(matrix, user, daemon.bus, matrix.rows('action'))
            equal(matrix.outcome(owner, 'RepairPlan.Apply'), 'ApprovalRequired')
            root.close()
            if agent:
                agent.close()


@promise
def nothing_happens_there_when_polkit_cannot_be_asked(world):
    bus = Bus(world.directory / 'bus-without-polkit', world.options.bus, world.config)
    with world.system_daemon(bus=bus), world.other(uid(ALLOWED), bus) as caller, \
            world.caller(bus) as root:
        matrix = Matrix(world, 'system', root, SERVICE)
        check_refused(matrix, 'there is no polkit', caller, 'polkit', interactive=True)
    with spoilt(world, 0, bus=bus, instance='system', uid=uid(SERVICE)), \
            world.other(uid(ALLOWED), bus) as caller, world.caller(bus) as root:
        check_refused(PlanMatrix(world, 'system', root, SERVICE), 'there is no polkit', caller, 'polkit',
                      interactive=True)
    bus.stop()


@promise
def a_user_instance_does_nothing_for_others(world):
    for user in (ALLOWED, ASKED):
        with a_user_instance_beside_polkit(world, user) as (daemon, owner), \
                world.other(uid(STRANGER), daemon.bus) as other, \
                world.other(uid(SERVICE), daemon.bus) as service:
            matrix = Matrix(world, 'user', owner, user)
            root = Caller(daemon.bus.address)
            for what, caller in (('another user', other), ('the service user', service), ('root', root)):
                with matrix.nothing_happens(what):
                    for name in matrix.rows():
                        equal(matrix.outcome(caller, name, interactive=True), 'denied', f'{name}, {what}')
            root.close()


@promise
def a_user_instance_does_nothing_without_the_consent_it_needs(world):
    columns = ((STRANGER, None, 'polkit', True), (ASKED, None, 'asked', True),
               (ASKED, REFUSES, 'polkit', True), (ASKED, CONSENTS, 'asked', False),
               (ALLOWED, None, None, True), (ASKED, CONSENTS, None, True))
    for user, how, why, interactive in columns:
        with a_user_instance_beside_polkit(world, user) as (daemon, owner):
            matrix = Matrix(world, 'user', owner, user)
            consents = matrix.rows('action')
            assert consents and all(matrix.rights[name][1].startswith(CONSENT) for name in consents)
            equal(set(matrix.rows('own')), set(), 'there is nobody else')
            agent = Agent(world.bus, owner.pid, how=how) if how else None
            if why:
                with matrix.nothing_happens(why):
                    for name in consents:
                        equal(matrix.outcome(owner, name, interactive=interactive), why, name)
            else:
                check_allowed(matrix, 'the user', owner, consents, interactive=interactive)
            if agent:
                equal(agent.asked, [matrix.rights[name][1] for name in consents] if interactive else [])
                agent.close()
            if user == ASKED and why:
                check_vanished(matrix, user, daemon.bus, consents)
            check_allowed(matrix, 'the user', owner, matrix.rows('everyone', 'actor'))


def check_consents(matrix, owner):
    with matrix.nothing_happens('there is no polkit'):
        for name in matrix.rows('action'):
            equal(matrix.outcome(owner, name, interactive=True), 'polkit', name)


@promise
def a_user_instance_without_polkit_consents_to_nothing(world):
    bus = Bus(world.directory / 'session-bus-without-polkit', world.options.bus)
    os.chmod(bus.socket, 0o666)
    with world.daemon(bus=bus, uid=uid(ALLOWED),
                      environment={'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent'}), \
            world.other(uid(ALLOWED), bus) as owner:
        matrix = Matrix(world, 'user', owner, ALLOWED)
        check_consents(matrix, owner)
    with spoilt(world, uid(ALLOWED), bus=bus, uid=uid(ALLOWED),
                environment={'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent'}), \
            world.other(uid(ALLOWED), bus) as owner:
        check_consents(PlanMatrix(world, 'user', owner, ALLOWED), owner)
    bus.stop()


# --- ways around it ----------------------------------------------------------------------------

# Operations that are the result of an authorised method, and of nothing else.
RESULTS = ('sync.repair.apply', 'sync.conflict.resolve', 'sync.conflict.detect', 'sync.checkpoint.write',
           'sync.tombstone.apply')


def check_enqueue(caller):
    for type_ in RESULTS:
        for body in ('{}', json.dumps({'status': 'approved', 'approved_by': 'root'})):
            refused_as('ApprovalRequired', caller.call, OPERATIONS, 'Enqueue', '(ssssa{sv})', type_,
                       'device', '', body, {})
        line = json.dumps({'type': type_, 'scope': 'device', 'object': '', 'body': {}})
        refused_as('ApprovalRequired', caller.call, OPERATIONS, 'EnqueueMany', '(aya{sv})',
                   list(line.encode()), {})


@promise
def enqueueing_is_no_way_around_an_authorisation(world):
    with world.system(SERVICE) as (_, service), world.caller() as root:
        before = everything(root)
        check_enqueue(root)
        check_enqueue(service)
        equal(everything(root)[:2], before[:2], 'the log of the machine')
    with a_user_instance_beside_polkit(world, ALLOWED) as (_, owner):
        before = everything(owner)
        check_enqueue(owner)
        equal(everything(owner)[:2], before[:2], 'the log of the user')


main(system_world)
