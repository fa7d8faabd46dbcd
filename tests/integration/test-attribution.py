#!/usr/bin/python3
"""Whose a change of a file is: an agent's that announced exactly that, by its key or its unit; the
user's otherwise; and nobody's who can be named where the file is another user's."""

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

from gi.repository import GLib

from agent_key import Key
from cli_user import NEGATIVE, NOT_AUTHORISED, Cli
from harness import (MANAGER, NAME, PATIENCE, STANDARD, Refused, equal, eventually, main, promise, refusal,
                     refused_as, session_world)
from mounts import Skip, in_private_mounts, mount

REGISTRY, WORKSPACES = NAME + '.Registry', NAME + '.Workspaces'
DENIED = STANDARD + 'AccessDenied'
TREE = 'workspace:tree'
STRANGER = 4711


def register(caller, kind, **record):
    return caller.call(REGISTRY, 'Register', '(ssa{sv})', kind, json.dumps(record), {})[0]


def register_agent(caller, **members):
    return register(caller, 'actor', **{
        'actor_type': 'agent', 'display_name': 'Builder', 'workspace_scope': [TREE], 'profile_scope': ['*'],
        'capabilities': ['read', 'write', 'delete'], 'trust_level': 'user', 'policy_subject': 'agent',
        'signing_key_ref': 'none', 'identity_id': 'agent:one', **members})


def file_of(caller, path):
    """What is recorded of it, or nothing."""
    with contextlib.suppress(Refused):
        return json.loads(caller.call(WORKSPACES, 'GetFile', '(saya{sv})', TREE, os.fsencode(path), {}))
    return {}


def is_recorded(caller, path, content):
    return file_of(caller, path).get('sha256') == digest(content)


def written(caller, directory, path, content, uid=None):
    """What is recorded of a file once it is there, at once and as a whole."""
    with tempfile.NamedTemporaryFile('w', dir=directory.parent, delete=False) as file:
        file.write(content)
    if uid is not None:
        os.chown(file.name, uid, uid)
    os.rename(file.name, directory / path)
    eventually(lambda: is_recorded(caller, path, content), f'{path} is recorded')
    return file_of(caller, path)


def digest(content):
    return hashlib.sha256(content.encode()).hexdigest()


def announce(caller, *changes, **options):
    return json.loads(caller.call(WORKSPACES, 'Announce', '(ssa{sv})', TREE, json.dumps(changes), options))


def statement(device, actor, expires, method, *arguments):
    parts = [device, actor, str(expires), method, '', *arguments]
    return b'sourceos-signed-request-v1\n' + b''.join(
        b'%d:%s\n' % (len(part.encode()), part.encode()) for part in parts)


def signed(caller, key, actor, *changes):
    device = json.loads(caller.call(MANAGER, 'Describe'))['device_id']
    expires = int(time.time() * 1e6) + 60_000_000
    signature = key.sign(statement(device, actor, expires, 'Workspaces.Announce', TREE, json.dumps(changes)))
    return {'actor': GLib.Variant('s', actor), 'signature': GLib.Variant('s', signature),
            'expires': GLib.Variant('t', expires)}


def changed_last(caller, file):
    answers = json.loads(caller.call(MANAGER, 'Explain', '(sa{sv})', file['file_id'], {}))['answers']
    (answer,) = [answer for answer in answers if answer['question'] == 'last_changed_by']
    return answer['reason_code'], answer['answer']


def become_workspace(caller, directory):
    directory.mkdir()
    register(caller, 'workspace', workspace_id=TREE, profile_id='profile:default')
    register(caller, 'root', workspace_id=TREE, directory=str(directory), root_state='active')
    eventually(lambda: json.loads(caller.call(WORKSPACES, 'List', '(a{sv})', {}))[0].get('recording') == 'watching',
               'it is watched')


@contextlib.contextmanager
def tree(world):
    """A workspace, and who its user is."""
    with world.served() as (daemon, caller), tempfile.TemporaryDirectory() as place:
        directory = pathlib.Path(place) / 'tree'
        become_workspace(caller, directory)
        yield daemon, caller, directory, written(caller, directory, 'first', 'first')['actor_id']


@promise
def what_a_signing_agent_announced_is_its_doing(world):
    with tree(world) as (_, caller, directory, user), tempfile.TemporaryDirectory() as place:
        key = Key(place)
        actor = register_agent(caller, signing_key_ref=key.ref)
        changes = [{'path': 'a', 'sha256': digest('one')}, {'path': 'first', 'sha256': digest('first')}]
        options = signed(caller, key, actor, *changes)
        answer = announce(caller, *changes, **options)
        equal((answer['actor_id'], answer['announced'], answer['already_recorded']), (actor, 1, [{'path': 'first'}]))
        # It counts once, and for what was signed.
        refused_as(DENIED, announce, caller, *changes, **options)
        refused_as(DENIED, announce, caller, changes[0], **signed(caller, key, actor, *changes))

        file = written(caller, directory, 'a', 'one')
        equal((file['actor_id'], file.get('changed_by')), (actor, None))
        equal(changed_last(caller, file)[0], 'recorded')
        assert changed_last(caller, file)[1].startswith('Builder (agent), '), changed_last(caller, file)
        for path, content in (('a', 'two'), ('b', 'one'), ('a', 'one')):
            equal(written(caller, directory, path, content)['actor_id'], user)
        steps, _ = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', file['file_id'], {})
        equal([step['actor_id'] for step in json.loads(steps)], [user, user, actor])
        equal(file_of(caller, 'first')['actor_id'], user)
        entries, _ = caller.list('ListBytes')
        equal(len([entry for entry in entries if entry['header']['actor'] == actor]), 1)


def put_into_unit(stack, pid, unit):
    """What the kernel says of that process from now on."""
    path = f'/user.slice/user-{os.geteuid()}.slice/user@{os.geteuid()}.service/app.slice/{unit}'
    fake = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), 'cgroup')
    with open(fake, 'w', encoding='ascii') as file:
        file.write(f'1:name=systemd:{path}\n0::{path}\n')
    mount('--bind', fake, f'/proc/{pid}/cgroup')


@promise
def what_an_agent_in_its_unit_announced_is_its_doing(world):
    with tree(world) as (_, caller, directory, user), contextlib.ExitStack() as stack:
        actor = register_agent(caller, identity_id='unit:builder.service')
        other = stack.enter_context(world.other(os.geteuid()))
        put_into_unit(stack, other.pid, 'builder.service')
        answer = announce(other, {'path': 'a', 'sha256': digest('one')}, {'path': 'first', 'deleted': True})
        if answer['actor_id'] == user and not os.path.ismount('/sys/fs/cgroup'):
            raise Skip('there are no control groups here')
        equal(answer['actor_id'], actor)
        equal(written(caller, directory, 'a', 'one')['actor_id'], actor)
        gone = file_of(caller, 'first')
        (directory / 'first').unlink()

        def last():
            steps, _ = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', gone['file_id'], {})
            return json.loads(steps)[0]
        eventually(lambda: last()['change'] == 'deleted', 'its end is recorded')
        equal(last()['actor_id'], actor)


@promise
def the_example_of_an_agent_is_one(world):
    """In its unit; anybody else who runs it is the user."""
    command = ['/usr/bin/python3', '-B', os.path.join(world.options.source, 'examples', 'agent.py'), TREE]
    with tree(world) as (_, caller, directory, user), contextlib.ExitStack() as stack:
        actor = register_agent(caller, identity_id='unit:scribe.service')
        for unit, wanted in ((None, user), ('scribe.service', actor)):
            agent = subprocess.Popen([*command, str(directory), f'by-{wanted}'], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True,
                                     env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address})
            if unit:
                put_into_unit(stack, agent.pid, unit)
            said, _ = agent.communicate(f'text of {wanted}', timeout=PATIENCE)
            if unit and said.endswith(f'{user}\n') and not os.path.ismount('/sys/fs/cgroup'):
                raise Skip('there are no control groups here')
            equal((agent.returncode, said), (0, f'by-{wanted} is written as {wanted}\n'))
            eventually(lambda: is_recorded(caller, f'by-{wanted}', f'text of {wanted}'), 'it is recorded')
            equal(file_of(caller, f'by-{wanted}')['actor_id'], wanted)


@promise
def who_may_not_write_there_announces_nothing(world):
    with tree(world) as (_, caller, directory, user), tempfile.TemporaryDirectory() as place:
        key = Key(place)
        actor = register_agent(caller, signing_key_ref=key.ref, workspace_scope=['workspace:other'])
        change = {'path': 'a', 'sha256': digest('one')}
        refused_as(DENIED, announce, caller, change, **signed(caller, key, actor, change))
        equal(written(caller, directory, 'a', 'one')['actor_id'], user)
        for bad in ('{}', '[{"path":"a"}]', '[{"path":"/a","folder":true}]', '[' * 100000):
            equal(refusal(caller.call, WORKSPACES, 'Announce', '(ssa{sv})', TREE, bad, {}) is None, False)


@promise
def a_restart_forgets_what_was_announced(world):
    with tempfile.TemporaryDirectory() as place:
        directory = pathlib.Path(place) / 'tree'
        with world.daemon() as daemon:
            with world.caller() as caller:
                become_workspace(caller, directory)
                register_agent(caller)
                user = written(caller, directory, 'first', 'first')['actor_id']
                key = Key(place)
                actor = register_agent(caller, signing_key_ref=key.ref, identity_id='agent:two')
                change = {'path': 'a', 'sha256': digest('one')}
                options = signed(caller, key, actor, change)
                equal(announce(caller, change, **options)['announced'], 1)
            daemon.stop()
            with world.daemon(daemon.directory), world.caller() as caller:
                refused_as(DENIED, announce, caller, change, **options)
                equal(written(caller, directory, 'a', 'one')['actor_id'], user)


@promise
def what_another_user_owns_is_done_by_nobody_known(world):
    with tree(world) as (daemon, caller, directory, user):
        file = written(caller, directory, 'theirs', 'one', STRANGER)
        equal(file['changed_by'], 'unknown')
        assert file['actor_id'] != user, file
        equal(changed_last(caller, file)[0], 'unknown')
        equal(written(caller, directory, 'mine', 'one').get('changed_by'), None)
        equal(written(caller, directory, 'theirs', 'two')['actor_id'], user)
        steps, _ = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', file['file_id'], {})
        equal([step.get('changed_by') for step in json.loads(steps)], [None, 'unknown'])
        events, _ = caller.list('ListEvents', MANAGER, type=GLib.Variant('s', 'sync.object.created'))
        equal(len([event for event in events if 'it is not known by whom' in event['summary']]), 1)
        cli = Cli(world, daemon.directory, world.bus.address)
        log = cli.does('log', str(directory / 'theirs')).splitlines()
        equal(['unknown' in line for line in log if 'content' in line or 'created' in line], [False, True], log)
        written(caller, directory, 'other', 'one', STRANGER)
        assert 'It is not known who' in cli.does('explain', str(directory / 'other'))


@promise
def the_command_line_announces_with_a_key(world):
    with tree(world) as (daemon, caller, directory, user), tempfile.TemporaryDirectory() as place:
        key = Key(place)
        actor = register_agent(caller, signing_key_ref=key.ref)
        sign = (f'--as={actor}', f'--signing-key={key.path}')
        cli = Cli(world, daemon.directory, world.bus.address)
        said = cli.json('workspace', 'announce', str(directory / 'a'), '--content=-', *sign, stdin='one')
        equal((said['actor_id'], said['announced']), (actor, 1))
        equal(written(caller, directory, 'a', 'one')['actor_id'], actor)
        name = cli.json('actors', 'show', actor)['record']['display_name']
        told = cli.does('log', str(directory / 'a'))
        assert 'ACTOR' in told and f' {name} ({actor})' in ' '.join(told.split()), told
        equal(cli.json('log', str(directory / 'a'))[0]['actor_id'], actor)

        # What is there is recorded already.
        code, out, err = cli.run('workspace', 'announce', 'first', *sign, cwd=directory)
        equal(code, NEGATIVE, out + err)
        assert 'first: recorded so already' in out, out
        cli.does('workspace', 'announce', 'first', '--rename-to=last', *sign, cwd=directory)
        (directory / 'first').rename(directory / 'last')
        eventually(lambda: file_of(caller, 'last'), 'it is renamed')
        equal(file_of(caller, 'last')['actor_id'], actor)
        cli.does('workspace', 'announce', 'new', '--folder', *sign, cwd=directory)
        (directory / 'new').mkdir()
        eventually(lambda: file_of(caller, 'new'), 'it is made')
        equal(file_of(caller, 'new')['actor_id'], actor)
        # Without them it is the user who says it.
        equal(cli.json('workspace', 'announce', 'last', '--delete', cwd=directory)['actor_id'], user)
        cli.fails(NEGATIVE, 'Usage', 'workspace', 'announce', 'a', '--delete', '--folder', cwd=directory)
        cli.fails(NEGATIVE, 'Usage', 'workspace', 'announce', 'a', f'--as={actor}', cwd=directory)
        caller.call(REGISTRY, 'Revoke', '(ssa{sv})', 'actor', actor, {})
        cli.fails(NOT_AUTHORISED, 'AccessDenied', 'workspace', 'announce', 'a', '--delete', *sign, cwd=directory)


@contextlib.contextmanager
def agent_world(given):
    in_private_mounts('the control group of a process is replaced')
    with session_world(given) as world:
        yield world


main(agent_world)
