#!/usr/bin/python3
"""In the user instance an agent is known by the key that it signs with, or by the systemd unit that
it runs in. The statement is put together here from docs/format.md alone, and signed by openssl."""

import contextlib
import json
import os
import tempfile
import time

from agent_key import Key
from harness import (MANAGER, NAME, OPERATIONS, STANDARD, GLib, equal, main, promise, refused_as,
                     session_world)
from mounts import Skip, in_private_mounts, mount

REGISTRY = NAME + '.Registry'
DENIED = STANDARD + 'AccessDenied'
AGENT = {'actor_type': 'agent', 'display_name': 'A', 'workspace_scope': ['workspace:notes'],
         'profile_scope': ['*'], 'capabilities': ['read', 'write'], 'trust_level': 'user',
         'policy_subject': 'agent', 'signing_key_ref': 'none'}


def register(caller, **members):
    return caller.call(REGISTRY, 'Register', '(ssa{sv})', 'actor',
                       json.dumps({**AGENT, **members}), {})[0]


def statement(device, actor, expires, method, key, *arguments):
    parts = [device, actor, str(expires), method, key, *arguments]
    return b'sourceos-signed-request-v1\n' + b''.join(
        b'%d:%s\n' % (len(part.encode()), part.encode()) for part in parts)


@contextlib.contextmanager
def signing_world(world):
    with world.served() as (_, caller), tempfile.TemporaryDirectory() as directory:
        caller.enqueue()
        key = Key(directory)
        device = json.loads(caller.call(MANAGER, 'Describe'))['device_id']
        yield caller, key, device


def options(actor, signature, expires, key):
    return {'actor': GLib.Variant('s', actor), 'signature': GLib.Variant('s', signature),
            'expires': GLib.Variant('t', expires), 'idempotency_key': GLib.Variant('s', key)}


@promise
def a_signed_operation_is_the_agents(world):
    with signing_world(world) as (caller, key, device):
        actor = register(caller, identity_id='agent:one', signing_key_ref=key.ref)
        expires = int(time.time() * 1e6) + 60_000_000
        request = ('sync.operation.enqueue', 'workspace:notes', 'note:2', '{"a":"ü"}')
        signature = key.sign(statement(device, actor, expires, 'Operations.Enqueue', 'k1', *request,
                                       '', '', '', '', ''))
        given = options(actor, signature, expires, 'k1')
        operation, sequence, duplicate = caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', *request,
                                                     given)
        equal(duplicate, False)
        record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
        equal(record['actor_id'], actor)
        equal(caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', *request, given),
              (operation, sequence, True))
        before = caller.get(MANAGER, 'Sequence')
        refused_as(DENIED, caller.call, OPERATIONS, 'Enqueue', '(ssssa{sv})', *request[:3], '{}',
                   given)
        refused_as(DENIED, caller.call, OPERATIONS, 'Enqueue', '(ssssa{sv})', *request,
                   {**given, 'expires': GLib.Variant('t', expires + 1)})
        entries, _ = caller.list('ListBytes', after=GLib.Variant('t', before))
        assert {entry['header']['kind'] for entry in entries} <= {'policy.refused'}, entries


@promise
def a_signed_worker_is_the_agent(world):
    with signing_world(world) as (caller, key, device):
        actor = register(caller, identity_id='agent:one', signing_key_ref=key.ref)
        operation, _, _ = caller.enqueue()
        expires = int(time.time() * 1e6) + 60_000_000

        def signed(method, *arguments):
            signature = key.sign(statement(device, actor, expires, f'Operations.{method}', '', *arguments))
            given = options(actor, signature, expires, '')
            del given['idempotency_key']
            return given

        wanted = {**signed('ClaimTask', '', '', '', operation, '', ''), 'operation': GLib.Variant('s', operation)}
        lease, task, _ = caller.call(OPERATIONS, 'ClaimTask', '(a{sv})', wanted)
        equal(json.loads(task)['status'], 'running')
        # it is the agent's, and the signature counts once and for what was signed
        refused_as('LeaseLost', caller.call, OPERATIONS, 'CompleteTask', '(sa{sv})', lease, {})
        refused_as(DENIED, caller.call, OPERATIONS, 'ClaimTask', '(a{sv})', wanted)
        refused_as(DENIED, caller.call, OPERATIONS, 'CompleteTask', '(sa{sv})', lease,
                   signed('CompleteTask', 'another', ''))
        caller.call(OPERATIONS, 'RenewTask', '(sa{sv})', lease, signed('RenewTask', lease, ''))
        done = caller.call(OPERATIONS, 'CompleteTask', '(sa{sv})', lease, signed('CompleteTask', lease, ''))
        equal(json.loads(done)['status'], 'succeeded')
        entries, _ = caller.list('ListBytes')
        equal({entry['header']['actor'] for entry in entries
               if entry['header']['kind'] in ('task.claimed', 'task.completed')}, {actor})


@promise
def many_signed_operations_are_the_agents(world):
    with signing_world(world) as (caller, key, device):
        actor = register(caller, identity_id='agent:one', signing_key_ref=key.ref)
        expires = int(time.time() * 1e6) + 60_000_000
        lines = ''.join(json.dumps({'type': 'sync.operation.enqueue', 'scope': 'workspace:notes',
                                    'object': f'note:{n}', 'body': {}}) + '\n' for n in range(3))
        given = options(actor, key.sign(statement(device, actor, expires, 'Operations.EnqueueMany', '', lines)),
                        expires, '')
        del given['idempotency_key']
        for other in (lines[:-1], lines + '\n', lines + '\0'):
            refused_as(DENIED, caller.call, OPERATIONS, 'EnqueueMany', '(aya{sv})', other.encode(), given)
        results = bytes(caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', lines.encode(), given))
        for line in results.splitlines():
            record = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', json.loads(line)['operation'], {}))
            equal(record['actor_id'], actor)
        equal(len(results.splitlines()), 3)
        again = bytes(caller.call(OPERATIONS, 'EnqueueMany', '(aya{sv})', lines.encode(), given))
        equal(again.replace(b'true', b'false'), results)
        equal(again.count(b'true'), 3)


@promise
def a_signed_change_of_a_registry_is_the_agents(world):
    with signing_world(world) as (caller, key, device):
        actor = register(caller, identity_id='agent:one', signing_key_ref=key.ref)
        expires = int(time.time() * 1e6) + 60_000_000
        record = json.dumps({
            'object_id': 'o-1', 'object_type': 'note', 'schema_id': 's', 'schema_version': '1',
            'workspace_id': 'workspace:notes', 'profile_id': 'profile:default',
            'owner_identity': 'me', 'privacy_class': 'work', 'sync_visibility': 'workspace',
            'retention_class': 'normal', 'policy_tags': [], 'provenance': []})

        def change(method, kind, *arguments):
            signature = key.sign(statement(device, actor, expires, f'Registry.{method}', method,
                                           kind, *arguments, '', '', '0'))
            texts = [argument for argument in (kind, *arguments) if argument]
            return caller.call(REGISTRY, method, '(' + 's' * len(texts) + 'a{sv})', *texts,
                               options(actor, signature, expires, method))

        change('Register', 'object', '', record)
        shown = json.loads(caller.call(REGISTRY, 'Show', '(ssa{sv})', 'object', 'o-1', {}))
        equal(shown['record']['created_by_actor'], actor)
        equal(shown['state'], 'quarantined')
        # What an agent may not, it may not with a signature either.
        refused_as(DENIED, change, 'Revoke', 'object', 'o-1')
        refused_as(DENIED, change, 'Revoke', 'actor', actor)


@promise
def who_runs_in_a_registered_unit_is_its_agent(world):
    with world.served() as (_, caller):
        caller.enqueue()
        user = json.loads(caller.call(OPERATIONS, 'List', '(a{sv})', {})[0])[0]['actor_id']
        actor = register(caller, identity_id='unit:builder.service')
        with contextlib.ExitStack() as stack:
            other = stack.enter_context(world.other(os.geteuid()))
            path = (f'/user.slice/user-{os.geteuid()}.slice/user@{os.geteuid()}.service/app.slice/'
                    'builder.service')
            fake = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), 'cgroup')
            with open(fake, 'w', encoding='ascii') as file:
                file.write(f'1:name=systemd:{path}\n0::{path}\n')
            mount('--bind', fake, f'/proc/{other.pid}/cgroup')
            arguments = ('sync.operation.enqueue', 'workspace:notes', 'note:3', '{}', {})
            operation = other.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', *arguments)[0]
            found = json.loads(caller.call(OPERATIONS, 'Get', '(sa{sv})', operation, {}))
            if found['actor_id'] == user and not os.path.ismount('/sys/fs/cgroup'):
                raise Skip('there are no control groups here')
            equal(found['actor_id'], actor)
            caller.call(REGISTRY, 'Revoke', '(ssa{sv})', 'actor', actor, {})
            refused_as(DENIED, other.call, OPERATIONS, 'Enqueue', '(ssssa{sv})', *arguments)


@contextlib.contextmanager
def agent_world(given):
    in_private_mounts('the control group of a process is replaced')
    with session_world(given) as world:
        yield world


main(agent_world)
