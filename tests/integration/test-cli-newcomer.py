#!/usr/bin/python3
"""What somebody meets who knows the README alone: from what a verb shows one can go on to the next
one, and what is refused says what would not be."""

import pathlib
import re
import shlex
import shutil
import subprocess

from cli_user import DONE, NEGATIVE, NOT_FOUND, served
from harness import PATIENCE, equal, main, promise, session_world


def table(text):
    """The rows of a table by its titles, where no cell has two spaces."""
    titles, *rows = [[cell for cell in line.split('  ') if cell.strip()] for line in text.splitlines()]
    return [dict(zip((title.strip() for title in titles), (cell.strip() for cell in row)))
            for row in rows]


# --- going on ----------------------------------------------------------------------------------

@promise
def events_lead_to_their_operation_and_decision(world):
    with served(world) as (cli, _):
        operation = cli.enqueue('note-1')['operation']
        rows = table(cli.does('events', 'list'))
        row, = (row for row in rows if row['TYPE'] == 'sync.operation.enqueued')
        equal(row['OPERATION'], operation)
        equal(cli.json('ops', 'show', row['OPERATION'])['object_id'], 'note-1')
        assert 'allowed: write' in cli.does('policy', 'explain', row['DECISION'])
        registered = next(row for row in rows if row['TYPE'] == 'sync.device.registered')
        equal(registered['DECISION'], '-', 'the daemon itself asked nobody')
        code, _, err = cli.run('ops', 'show', registered['OPERATION'])
        equal(code, NOT_FOUND)
        hint = f'events show {registered["OPERATION"]}'
        assert hint in err, err
        assert 'sync.device.registered' in cli.does(*hint.split())


# --- names -------------------------------------------------------------------------------------

@promise
def records_are_shown_by_what_they_are_called(world):
    with served(world) as (cli, _):
        cli.does('workspaces', 'register', '--set=workspace_id=workspace:notes')
        helper = ['--set=actor_type=agent', '--set=identity_id=agent:helper', '--set=display_name=Helper']
        cli.does('actors', 'register', '--set=actor_id=actor-1', *helper)
        for verbs, name, wanted in (('actors', 'agent:helper', 'actor-1'), ('actors', 'Helper', 'actor-1'),
                                    ('workspaces', 'notes', 'workspace:notes')):
            equal(cli.json(verbs, 'show', name)['id'], wanted, name)
        # Only its id names what is changed.
        cli.fails(NOT_FOUND, 'NotFound', 'actors', 'revoke', 'Helper', '--yes')
        for words in (('revoke', 'Helper', '--yes'), ('update', 'Helper', '--set=trust_level=local')):
            assert 'say its id, which is actor-1' in cli.run('actors', *words)[2], words
        equal(cli.json('actors', 'show', 'actor-1')['state'], 'active')

        cli.does('actors', 'register', '--set=actor_id=actor-2', '--set=actor_type=agent',
                 '--set=identity_id=agent:other', '--set=display_name=Helper')
        cli.fails(NOT_FOUND, 'NotFound', 'actors', 'show', 'Helper')
        err = cli.run('actors', 'show', 'Helper')[2]
        assert 'called so: actor-1, actor-2' in err, err
        cli.does('actors', 'revoke', 'actor-1', '--yes')
        equal(cli.json('actors', 'show', 'Helper')['id'], 'actor-2', 'the one that has not ended')
        for name, hint in (('Hepler', 'the nearest is `Helper`; '), ('nobody-at-all', '')):
            err = cli.run('actors', 'show', name)[2]
            assert f'Next: {hint}list what there is with `sourceos-syncd actors list`' in err, err


@promise
def objects_are_listed_with_name_and_schema(world):
    with served(world) as (cli, _):
        examples = world.options.source + '/examples/records/'
        cli.does('workspaces', 'register', examples + 'workspace-notes.json')
        cli.does('schemas', 'register', examples + 'schema-note.json')
        cli.does('objects', 'register', examples + 'object-note.json')
        row, = table(cli.does('objects', 'list'))
        equal((row['NAME'], row['SCHEMA'], row['TYPE']), ('Remember the milk', 'schema:note@v1', 'note'))
        equal(cli.json('schemas', 'show', 'schema:note')['id'], 'schema:note@v1')
        assert 'SCHEMA' not in cli.does('schemas', 'list').splitlines()[0], 'it is in the id'


# --- records -----------------------------------------------------------------------------------

KINDS = ('profiles', 'workspaces', 'actors', 'devices', 'encryption-profiles', 'schemas', 'objects', 'plans')


def example(text):
    """What stands between the last two backquotes."""
    return shlex.split(text.split('`')[-2])[1:]


@promise
def the_examples_of_messages_work(world):
    with served(world) as (cli, _):
        for verbs in KINDS:
            code, _, err = cli.run(verbs, 'register')
            equal(code, NEGATIVE)
            words = example(err)
            equal(words[:2], [verbs, 'register'], err)
            cli.does(*words)
            equal(cli.json(verbs, 'list', '--limit=0') != [], True, verbs)
        equal(cli.json('objects', 'show', 'note-1')['state'], 'active')


@promise
def what_is_wrong_with_a_record_is_named_with_an_example(world):
    """The member, what it may be, and a command that works."""
    actor = ('actors', '--set=identity_id=agent:x', '--set=actor_type=agent')
    note = ('objects', '--set=object_id=note-1', '--set=object_type=note', '--set=owner_identity=me',
            '--set=schema_id=schema:note', '--set=schema_version=v1', '--set=privacy_class=work')
    cases = (
        (('actors', '--set=actor_type=agent'), '"identity_id"'),
        ((*actor, '--set=capabilities=raed'), '/capabilities/0 must be one of "read", "write"'),
        ((*actor, '--set=trust_level=5'), '/trust_level must be one of "local", "user"'),
        ((*actor, '--set=expires_at=tomorrow'), '/expires_at must be a time with a zone'),
        (('profiles', '--set=profile_class=work'), '/profile_id must be there'),
        (('profiles', '--set=profile_id=work', '--set=profile_class=work'), '/profile_id must be "profile:"'),
        (('profiles', '--set=profile_id=profile:x', '--set=profile_class=home'), '"personal", "work"'),
        (('workspaces', '--set=workspace_id=notes'), '/workspace_id must be "workspace:"'),
        (note, '/workspace_id must be there, as "workspace:notes"'),
        (('schemas', '--set=schema_id=schema:note'), '/schema_version'),
        (('schemas', '--set=schema_id=schema:note', '--set=schema_version=v1'), '"object_type"'),
        (('plans', '--set=plan_id=plan-1', '--set=workspace_id=workspace:notes'), '"target_actor"'),
    )
    with served(world) as (cli, _):
        for (verbs, *settings), part in cases:
            code, _, err = cli.run(verbs, 'register', *settings)
            equal(code, NEGATIVE, err)
            assert part in err, (part, err)
            equal(example(err)[:2], [verbs, 'register'], err)
        for words in ((*note, '--set=workspace_id=workspace:none'),
                      ('workspaces', '--set=workspace_id=workspace:a', '--set=profile_id=profile:none')):
            code, _, err = cli.run(words[0], 'register', *words[1:])
            equal(code, NOT_FOUND, err)
            missing = 'workspaces' if 'workspace:none' in err else 'profiles'
            equal(example(err)[:2], [missing, 'register'], err)
        for words, hint in ((('--set=capabilites=read',), '--set=capabilities='),
                            (('--display_name=x',), '--set=display_name=VALUE'),
                            (('--set=display_name',), 'actors register --help')):
            cli.fails(NEGATIVE, 'Usage', 'actors', 'register', *words)
            assert hint in cli.run('actors', 'register', *words)[2], words
        broken = cli.directory / 'broken.json'
        broken.write_text('{"actor_type": "agent"')
        message = cli.fails(NEGATIVE, 'InvalidEncoding', 'actors', 'register', str(broken))
        assert message.startswith(f'{broken}: JSON: '), message


# --- the manual --------------------------------------------------------------------------------

AS_OF = '--at=2026-05-28T20:27:10Z'
MAKES = {'decision.json': 'trust', 'scorecard.json': 'scorecard'}


def commands(world):
    """Of the code blocks of the manual, as a reader sees them."""
    page = pathlib.Path(world.options.source, 'docs/man/sourceos-syncd.1.scd').read_text()
    blocks = re.findall(r'^```\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    for block in blocks:
        yield from block.replace('\\\\\n', '').replace('\\\\', '\\').splitlines()


def made_real(command, ids):
    """With what a reader puts in the place of an example's ids, files and moment."""
    for pattern, real in (('/media/stick/', ''), (r'op-[0-9a-z]{26}', ids['operation']),
                          (r'policy-[0-9a-f]{16}', ids['decision']), (r' \| jq .*', ''),
                          (r'evidence/evidence-[0-9a-f]+\.json', 'evidence/*.json'),
                          ('> report.json', '> fresh.json')):  # what follows is of the other's time
        command = re.sub(pattern, real, command)
    return command + (f' {AS_OF}' if 'report.json' in command and '>' not in command else '')


@promise
def the_commands_of_the_manual_work(world):
    with served(world) as (cli, _):
        source = pathlib.Path(world.options.source)
        place = cli.directory / 'reader'
        place.mkdir()
        (place / 'examples').symlink_to(source / 'examples')
        (place / 'sourceos-syncd').symlink_to(cli.program)
        documents = source / 'examples/documents'
        # A copy: what a command of the manual writes is not to go into the source.
        shutil.copy(documents / 'report-healthy.json', place / 'report.json')
        environment = {**cli.environment, 'PATH': f'{place}:{cli.environment["PATH"]}',
                       'VKEY': (documents / 'report-signed.vkey').read_text().strip()}

        def run(command):
            done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], cwd=place, env=environment,
                                  capture_output=True, text=True, check=False, timeout=PATIENCE)
            assert done.returncode == DONE, (command, done.returncode, done.stdout[-500:], done.stderr)
            return done.stdout

        for name, group in MAKES.items():
            words = '--subject=agent:one --action=read' if group == 'trust' else ''
            run(f'sourceos-syncd {group} evaluate --file report.json {AS_OF} {words} >{name}')
        run(f'sourceos-syncd repair plan --file report.json {AS_OF} >plan.json')
        (place / 'observation.json').symlink_to(documents / 'observation.json')
        cli.enqueue('note-0')
        event = cli.json('events', 'list', '--type=sync.operation.enqueued')[0]
        ids = {'operation': event['operation_id'], 'decision': event['policy_decision_ref']}
        ran = 0
        for command in commands(world):
            # Those of a repair want something that is broken: test-repair-cli.py.
            if '--follow' in command or command.startswith('sourceos-syncd repair') and '--file' not in command:
                continue
            run(made_real(command, ids))
            ran += 1
        assert ran > 20, ran
        equal(cli.json('objects', 'show', 'note:1')['record']['heading'], 'Remember the milk')


# --- what is asked for -------------------------------------------------------------------------

@promise
def what_is_missing_is_what_was_asked_for(world):
    with served(world) as (cli, _):
        cli.does('workspaces', 'register', '--set=workspace_id=workspace:notes')
        for words, code, name, says, hint in (
                (('tasks', 'show', 'x'), NOT_FOUND, 'NotFound', 'There is no task x', 'tasks list'),
                (('tasks', 'cancel', 'x'), NOT_FOUND, 'NotFound', 'There is no task x', 'tasks list'),
                (('tasks', 'renew', 'task:x'), NEGATIVE, 'Usage', '`task:x` is no lease', 'tasks claim'),
                (('tasks', 'complete', 'x'), NEGATIVE, 'Usage', '`x` is no lease', 'tasks claim'),
                (('tasks', 'fail', 'x', 'y'), NEGATIVE, 'Usage', '`x` is no lease', 'tasks claim'),
                (('workspaces', 'revoke', 'notes', '--yes'), NOT_FOUND, 'NotFound',
                 'There is no workspace notes', 'its id, which is workspace:notes'),
                (('profiles', 'revoke', 'x', '--yes'), NOT_FOUND, 'NotFound',
                 'There is no profile x', 'profiles list')):
            message = cli.fails(code, name, *words)
            assert message.startswith(says), message
            assert hint in cli.run(*words)[2], words
        equal([row['id'] for row in cli.json('workspaces', 'list', '--profile=default')],
              ['workspace:notes'])


# --- scopes ------------------------------------------------------------------------------------

@promise
def an_object_of_another_scope_is_not_deleted_nor_purged_here(world):
    with served(world) as (cli, _):
        cli.enqueue('note-1', '{}', '--scope=workspace:notes', '--create-scope')
        before = cli.json('events', 'list', '--limit=1')[0]['sequence']
        for words in (('delete', 'note-1', '--yes'), ('purge', 'note-1', '--dry-run')):
            message = cli.fails(NEGATIVE, 'Usage', 'ops', *words)
            equal(message, 'The object note-1 is not in the scope device, but in: workspace:notes.')
            assert '--scope=workspace:notes' in cli.run('ops', *words)[2], words
        equal(cli.json('events', 'list', '--limit=1')[0]['sequence'], before, 'nothing was done')
        cli.does('ops', 'delete', 'note-1', '--yes', '--scope=workspace:notes')
        # It is hidden now, which the log of the device says.
        message = cli.fails(NEGATIVE, 'Usage', 'ops', 'purge', 'note-1', '--dry-run')
        equal(message, 'The object note-1 is not in the scope device, but in: workspace:notes.')
        # What is known here as well is meant, and what nobody knows is asked of the daemon.
        cli.enqueue('note-2')
        cli.enqueue('note-2', '{}', '--scope=workspace:notes')
        cli.does('ops', 'delete', 'note-2', '--yes')
        equal(cli.run('ops', 'delete', 'note-3', '--yes')[0], NOT_FOUND)


if __name__ == '__main__':
    main(session_world)
