#!/usr/bin/python3
"""Repair on the bus: a plan and its object as introspection/ has them, the consent that it needs, what
is told of it, and what others of the machine are not told. With the real polkitd."""

import hashlib
import json
import pathlib
from xml.etree import ElementTree

from damage import (GARBAGE, PLAN, REPAIR, ended, plan, plans, spoilt_system_instance,
                    spoilt_user_instance, state_of, tell)
from harness import MANAGER, ROOT, STANDARD, STANDARD_BUS, equal, eventually, main, promise, refused_as
from polkit_agent import Agent
from polkit_world import ALLOWED, ASKED, STRANGER, system_world, uid

DENIED = STANDARD + 'AccessDenied'
CHALLENGED = STANDARD + 'InteractiveAuthorizationRequired'
OBJECTS = STANDARD_BUS + '.ObjectManager'
INTROSPECTABLE = STANDARD_BUS + '.Introspectable'
PROPERTIES = STANDARD_BUS + '.Properties'


def members(xml):
    """What an interface offers, without what is said about it."""
    interface = next(one for one in ElementTree.fromstring(xml).iter('interface') if one.get('name') == PLAN)
    return sorted((member.tag, member.get('name'), member.get('type'), member.get('access'),
                   [(part.get('name'), part.get('type') or part.get('value'), part.get('direction'))
                    for part in member])
                  for member in interface)


def applied(caller, path, digest):
    tell(caller, 'Apply', path, digest)
    eventually(lambda: ended(caller, path), 'the repair ends')
    return state_of(caller, path)


# --- the user instance -------------------------------------------------------------------------

@promise
def a_plan_is_as_described(world):
    with spoilt_user_instance(world, ALLOWED) as (_, caller):
        path, digest = plan(caller)
        contract = pathlib.Path(world.options.source, 'introspection', PLAN + '.xml').read_text()
        served = members(caller.call(INTROSPECTABLE, 'Introspect', path=path))
        described = [(tag, name, type_, access, [(part, kind, way or ('out' if tag == 'signal' else None))
                                                 for part, kind, way in parts])
                     for tag, name, type_, access, parts in members(contract)]
        equal([one[:4] for one in served], [one[:4] for one in described])
        values = caller.call(PROPERTIES, 'GetAll', '(s)', PLAN, path=path)
        equal((values['State'], values['Digest']), ('preview', digest))
        assert values['Risk'] in ('low', 'medium', 'high') and values['ExpiresUSec'] > 0, values
        assert path in caller.call(OBJECTS, 'GetManagedObjects'), 'it is managed'
        document = caller.call(PLAN, 'Document', path=path)
        equal('sha256:' + hashlib.sha256(document.encode()).hexdigest(), digest)
        equal(json.loads(document)['status'], 'preview')
        refused_as('NotFound', caller.call, PLAN, 'Report', path=path)


@promise
def a_repair_is_planned_approved_applied_and_taken_back(world):
    with spoilt_user_instance(world, ALLOWED) as (daemon, caller):
        caller.listen()
        equal(caller.call(PROPERTIES, 'Get', '(ss)', MANAGER, 'RepairNeeded'), True)
        path, digest = plan(caller)
        equal(caller.call(PROPERTIES, 'Get', '(ss)', MANAGER, 'PendingApprovals'), 1)
        equal((daemon.state / 'index.db').read_bytes(), GARBAGE, 'planning changes nothing')
        refused_as('ApprovalRequired', tell, caller, 'Apply', path, digest)
        for method in ('Approve', 'Apply', 'Rollback'):
            refused_as('StaleDigest', tell, caller, method, path, 'sha256:' + '0' * 64)
        refused_as('NotFound', tell, caller, 'Rollback', path, digest)
        tell(caller, 'Approve', path, digest)
        equal(caller.call(PROPERTIES, 'Get', '(ss)', MANAGER, 'PendingApprovals'), 0)
        equal(applied(caller, path, digest), 'complete')
        equal(caller.call(PROPERTIES, 'Get', '(ss)', MANAGER, 'RepairNeeded'), False)
        report = json.loads(caller.call(PLAN, 'Report', path=path))
        equal((report['outcome'], report['plan_digest']), ('complete', digest))
        refused_as('AlreadyResolved', tell, caller, 'Apply', path, digest)
        tell(caller, 'Rollback', path, digest)
        eventually(lambda: state_of(caller, path) == 'rolled_back', 'it is taken back')
        equal((daemon.state / 'index.db').read_bytes(), GARBAGE, 'byte for byte')
        heard = [(part[3], part[4]) for part in caller.heard() if part[1] == path]
        states = [values.strip("(',)") for member, values in heard if member == 'PlanChanged']
        equal(states, ['preview', 'approved', 'running', 'complete', 'running', 'rolled_back'])


@promise
def whoever_is_asked_consents_to_each_step_anew(world):
    with spoilt_user_instance(world, ASKED) as (_, caller):
        path, digest = plan(caller)
        refused_as(CHALLENGED, tell, caller, 'Approve', path, digest)
        agent = Agent(world.bus, caller.pid)
        # Nobody is asked about what is not there.
        refused_as('StaleDigest', tell, caller, 'Approve', path, 'sha256:0', interactive=True)
        equal(agent.asked, [])
        tell(caller, 'Approve', path, digest, interactive=True)
        equal(agent.asked, ['org.sourceos.sync.user.repair-approve'])
        equal(applied(caller, path, digest), 'complete')
        refused_as(CHALLENGED, tell, caller, 'Rollback', path, digest)
        tell(caller, 'Rollback', path, digest, interactive=True)
        equal(agent.asked[1:], ['org.sourceos.sync.user.repair-rollback'])
        agent.close()


@promise
def a_plan_that_is_discarded_is_gone(world):
    with spoilt_user_instance(world, ALLOWED) as (daemon, caller):
        path, digest = plan(caller)
        caller.listen()
        caller.call(PLAN, 'Discard', path=path)
        equal(plans(caller), [])
        equal(caller.call(OBJECTS, 'GetManagedObjects').get(path), None)
        eventually(lambda: any(part[3] == 'InterfacesRemoved' for part in caller.heard()), 'it is told')
        equal((daemon.state / 'index.db').read_bytes(), GARBAGE)


# --- the system instance -----------------------------------------------------------------------

@promise
def only_the_approver_or_root_applies(world):
    with spoilt_system_instance(world) as (_, root), world.other(uid(ALLOWED)) as allowed, \
            world.other(uid(ASKED)) as asked, world.other(uid(STRANGER)) as stranger:
        path, digest = plan(allowed)
        refused_as(DENIED, plan, stranger)
        refused_as(DENIED, tell, stranger, 'Approve', path, digest)
        agent = Agent(world.bus, asked.pid)
        tell(asked, 'Approve', path, digest, interactive=True)
        equal(agent.asked, ['org.sourceos.sync.repair-approve'])
        for part in (digest, 'approve a repair', 'risk low', 'destroys nothing'):
            assert part in agent.messages[0], agent.messages
        # Not who planned it, though polkit lets him do everything; nor who may do nothing.
        for other in (allowed, stranger):
            said = refused_as(DENIED, tell, other, 'Apply', path, digest)
            assert 'whom it belongs to' in said, said
        equal(state_of(root, path), 'approved')
        agent.close()
        tell(asked, 'Apply', path, digest)
        eventually(lambda: ended(root, path), 'the repair ends')
        equal(state_of(root, path), 'complete')


@promise
def root_applies_what_others_approved(world):
    with spoilt_system_instance(world) as (_, root), world.other(uid(ALLOWED)) as allowed:
        path, digest = plan(allowed)
        tell(allowed, 'Approve', path, digest)
        equal(applied(root, path, digest), 'complete')
        equal(plans(allowed)[0]['approver'], f'uid:{uid(ALLOWED)}')


@promise
def a_second_user_learns_states_and_counts_only(world):
    with spoilt_system_instance(world) as (_, root), world.other(uid(ALLOWED)) as allowed, \
            world.other(uid(STRANGER)) as stranger:
        stranger.listen()
        path, digest = plan(allowed)
        tell(allowed, 'Approve', path, digest)
        equal(applied(allowed, path, digest), 'complete')
        report = json.loads(allowed.call(PLAN, 'Report', path=path))
        seen = [stranger.call(PROPERTIES, 'GetAll', '(s)', interface) for interface in (MANAGER, REPAIR)]
        seen += [stranger.call(OBJECTS, 'GetManagedObjects'), stranger.call(MANAGER, 'Describe'),
                 stranger.call(PROPERTIES, 'GetAll', '(s)', PLAN, path=path)]
        seen += [stranger.call(INTROSPECTABLE, 'Introspect', path=place)
                 for place in ('/', ROOT, ROOT + '/plan')]
        equal(seen[4], {}, 'a plan has no properties there')
        equal(plans(stranger), [])
        refused_as(DENIED, plans, stranger, all=True)
        for method in ('Describe', 'Document', 'Report'):
            refused_as(DENIED, stranger.call, PLAN, method, path=path)
        eventually(lambda: any('PropertiesChanged' in part for part in stranger.heard()), 'it is told')
        seen += stranger.heard()
        plan_id = path.rsplit('/', 1)[1]
        for secret in (plan_id, plan_id.replace('_2d', '-'), digest, report['report_id'],
                       report['steps'][0]['id'], 'index-unavailable', f'uid:{uid(ALLOWED)}'):
            assert secret not in str(seen), f'{secret} is in {seen}'


main(system_world)
