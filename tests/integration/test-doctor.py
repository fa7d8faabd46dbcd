#!/usr/bin/python3
"""Somebody who suspects that something is wrong asks, and is told what, on what evidence, and what to do next."""

import contextlib
import json
import os
import pathlib
import shutil

from cli_user import DONE, NEGATIVE, UNREACHABLE, Cli
from harness import equal, eventually, main, promise, session_world


@contextlib.contextmanager
def user(world):
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        notes = pathlib.Path(cli.directory) / 'notes'
        notes.mkdir()
        for name in 'abcdefgh':
            (notes / name).write_text(name)
        yield cli, notes


def add(cli, notes):
    cli.does('workspace', 'add', str(notes))
    eventually(lambda: len(cli.json('workspace', 'files', 'notes')) == 8, 'the files are recorded')


def findings(cli, expected, *words):
    """By code, with the exit code that goes with them."""
    code, out, err = cli.run('doctor', '--json', *words)
    equal((code, err), (expected, ''), out)
    report = json.loads(out)
    equal((report['schema'], report['deep']), ('sourceos.doctor/v1', '--deep' in words))
    for finding in report['findings']:
        assert not set('{}') & set(finding['summary'] + finding['next']), finding
        assert finding['summary'][0] != '-' and not finding['next'].endswith(' -'), finding
    found = {finding['code']: finding for finding in report['findings']}
    equal(len(found), len(report['findings']), 'nothing is said twice')
    return found


@promise
def nothing_is_found_where_nothing_is_wrong(world):
    with user(world) as (cli, notes):
        code, out, err = cli.run('doctor')
        equal((code, out), (DONE, 'No faults were found.\n'))
        assert '--deep' in err
        add(cli, notes)
        equal(findings(cli, DONE), {})
        equal(findings(cli, DONE, '--deep'), {})


@promise
def a_workspace_is_told_of_with_what_to_do(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        cli.does('workspace', 'pause', 'notes', '--reason=moving house')
        found = findings(cli, DONE)
        equal(found['workspace-paused']['summary'], 'workspace:notes is paused: moving house.')
        equal(found['workspace-paused']['next'], 'sourceos-syncd workspace resume workspace:notes')
        cli.does('workspace', 'resume', 'notes')
        eventually(lambda: findings(cli, DONE) == {}, 'all is well again')
        os.rename(notes, notes.with_name('elsewhere'))
        eventually(lambda: 'workspace-missing' in findings_of(cli), 'it is missed')
        missing = findings(cli, NEGATIVE)['workspace-missing']
        assert ' missing ' in cli.does('workspace', 'list')
        assert str(notes) in missing['summary'], missing
        equal(len(missing['evidence']), 1)
        out = cli.run('doctor')[1]
        assert 'warning: workspace-missing' in out and 'sourceos-syncd workspace show' in out, out


def findings_of(cli):
    return {finding['code'] for finding in json.loads(cli.run('doctor', '--json')[1])['findings']}


@promise
def deletions_wait_for_somebody_and_the_state_says_so(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        for name in 'abcdef':
            (notes / name).unlink()
        eventually(lambda: 'workspace-asks' in findings_of(cli), 'it is asked')
        found = findings(cli, NEGATIVE)
        equal(set(found), {'workspace-asks'})
        status = json.loads(cli.run('status', '--user', '--json')[1])
        equal((status['daemon_state'], status['state_reasons'], status['pending_approvals']),
              ('degraded', ['workspace-asks'], 1))
        cli.does('workspace', 'resume', 'notes')
        eventually(lambda: len(cli.json('workspace', 'files', 'notes')) == 2, 'it was meant')
        equal(findings(cli, DONE), {})
        status = cli.json('status', '--user')
        equal((status['daemon_state'], status['pending_approvals']), ('clean', 0))


@promise
def objects_and_tasks_are_evidence(world):
    with user(world) as (cli, _):
        cli.does('workspaces', 'register', '--set=workspace_id=workspace:notes')
        cli.does('objects', 'register', '--set=object_id=note-1', '--set=object_type=note', '--set=schema_id=note/v1',
                 '--set=schema_version=1', '--set=workspace_id=workspace:notes', '--set=owner_identity=me',
                 '--set=privacy_class=work')
        found = findings(cli, NEGATIVE)
        equal(found['objects-quarantined']['evidence'], ['note-1'])
        operation = cli.enqueue('note-2')['operation']
        lease = cli.json('tasks', 'claim', operation)['lease']
        cli.does('tasks', 'fail', lease, 'it did not work', '--final')
        found = findings(cli, NEGATIVE)
        equal(len(found['tasks-failed']['evidence']), 1)
        assert operation in found['tasks-failed']['evidence'][0], found


@promise
def without_a_daemon_that_is_what_is_found(world):
    directory = pathlib.Path(world.directory) / 'nobody'
    cli = Cli(world, directory, 'unix:path=/nonexistent')
    code, out, _ = cli.run('doctor', '--json')
    equal(code, UNREACHABLE, out)
    equal([finding['code'] for finding in json.loads(out)['findings']], ['daemon-unavailable'])
    shutil.rmtree(directory)


if __name__ == '__main__':
    main(session_world)
