#!/usr/bin/python3
"""A directory becomes a workspace, is looked at, paused, resumed and removed by somebody who knows
the command line alone, and whoever asks over the bus is told the same."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil

from gi.repository import GLib

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, Cli
from harness import NAME, STANDARD, equal, eventually, main, promise, refusal, refused_as, session_world

WORKSPACES = NAME + '.Workspaces'
BAD = 'no-utf8-\udcff'


@contextlib.contextmanager
def user(world):
    """Somebody with a home, in which there is a directory of notes."""
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        notes = pathlib.Path(cli.directory) / 'My notes'
        (notes / 'sub' / 'deep').mkdir(parents=True)
        (notes / 'a.txt').write_text('a')
        (notes / 'sub' / 'deep' / 'b.txt').write_text('bee')
        (notes / 'link').symlink_to('a.txt')
        (notes / BAD).write_text('?')
        yield cli, notes


def paths(cli, *words):
    return [file['path'] if 'path' in file else
            os.fsdecode(base64.b64decode(file['path_base64']))
            for file in cli.json('workspace', 'files', *words, '--limit=0')]


ALL = ['a.txt', 'link', BAD, 'sub', 'sub/deep', 'sub/deep/b.txt']


def add(cli, notes, *words):
    cli.does('workspace', 'add', str(notes), '--name=notes', *words)
    eventually(lambda: paths(cli, 'notes') == ALL, 'the first scan records what is there')


@promise
def the_manual_explains_what_a_history_says_of_a_change(world):
    source = pathlib.Path(world.options.source)
    tables = re.findall(r'\} (?:changes|differences)\[\] = \{(.*?)\n *\};',
                        (source / 'src/service/file-step.c').read_text(), re.DOTALL)
    words = re.findall(r'(?:, |\{)"([a-z]+)"[,}]', ''.join(tables))
    equal((len(tables), len(words)), (2, 10), tables)
    manual = (source / 'docs/man/sourceos-syncd.1.scd').read_text()
    told = manual[manual.index('## log OBJECT'):manual.index('## find WORD')]
    equal([word for word in words if f'_{word}_' not in told], [])


# --- adding ------------------------------------------------------------------------------------

@promise
def a_directory_is_added_however_it_is_written(world):
    with user(world) as (cli, notes):
        equal(cli.json('workspace', 'list'), [])
        assert 'workspace add' in cli.run('workspace', 'list')[2], 'it says how to have one'
        code, out, err = cli.run('workspace', 'add', '.', cwd=notes)
        equal((code, out), (DONE, f'{notes} is the workspace My-notes now.\n'), err)
        assert 'workspace show My-notes' in err and 'workspace files My-notes' in err, err
        for words, where in ((('My notes',), cli.directory), (('~/My notes/',), '/'),
                             (('sub/..',), notes), ((str(notes), '--name=My-notes'), '/')):
            code, out, err = cli.run('workspace', 'add', *words, cwd=where)
            equal((code, out), (DONE, f'{notes} is the workspace My-notes already (active).\n'), err)
        equal(len(cli.json('workspace', 'list')), 1)
        eventually(lambda: paths(cli, 'My-notes') == ALL, 'it is recorded')


@promise
def what_cannot_be_added_says_what_could(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        (notes.parent / 'more').mkdir()
        more = str(notes.parent / 'more')
        cases = (
            (NOT_FOUND, 'NotFound', (f'{notes}/none here',), f"mkdir '{notes}/none here'"),
            (NEGATIVE, 'Usage', (f'{notes}/a.txt',), 'name the directory'),
            (NEGATIVE, 'InvalidArgs', (f'{notes}/sub',), 'is recorded with it'),
            (NEGATIVE, 'InvalidArgs', (str(notes.parent),), 'workspace remove notes'),
            (NEGATIVE, 'InvalidArgs', (str(notes), '--name=other'), 'leave --name out'),
            (NEGATIVE, 'InvalidArgs', (more, '--name=notes'), '--name=NAME'),
            (NEGATIVE, 'Usage', (more, '--name=a b'), '--name=NAME'),
            (NOT_FOUND, 'NotFound', (more, '--profile=none'), 'profiles register'),
            (NEGATIVE, 'Usage', ('/',), 'a directory in it'),
            (NEGATIVE, 'Usage', ('/proc',), 'with files in it'),
            (NEGATIVE, 'Usage', ('/proc/sys/kernel',), 'with files in it'),
        )
        for code, name, words, hint in cases:
            cli.fails(code, name, 'workspace', 'add', *words)
            err = cli.run('workspace', 'add', *words)[2]
            assert hint in err, (words, err)
        equal(len(cli.json('workspace', 'list')), 1)


@promise
def a_profile_is_the_workspace_s_from_the_beginning(world):
    with user(world) as (cli, notes):
        cli.does('profiles', 'register', '--set=profile_id=profile:work', '--set=profile_class=work')
        add(cli, notes, '--profile=work')
        equal(cli.json('workspaces', 'show', 'notes')['record']['profile_id'], 'profile:work')
        equal(cli.json('workspace', 'show', 'notes')['profile_id'], 'profile:work')
        cli.does('workspace', 'remove', 'notes')
        cli.fails(NEGATIVE, 'InvalidArgs', 'workspace', 'add', str(notes), '--name=notes',
                  '--profile=default')


# --- looking -----------------------------------------------------------------------------------

@promise
def a_workspace_is_named_by_name_or_place(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        for name in ('notes', 'workspace:notes', str(notes), f'{notes}/', '~/My notes'):
            shown = cli.json('workspace', 'show', name)
            equal((shown['workspace_id'], shown['directory'], shown['state']),
                  ('workspace:notes', str(notes), 'active'), name)
        equal({name: shown[name] for name in ('files', 'folders', 'symlinks', 'size')},
              {'files': 3, 'folders': 2, 'symlinks': 1, 'size': 5})
        row, = cli.json('workspace', 'list')
        equal((row['files'], row['root_id']), (3, shown['root_id']))
        for words, hint in ((('show', 'ntes'), 'the nearest is `notes`'),
                            (('pause', f'{notes}/sub'), 'name the workspace: `notes`'),
                            (('remove', '/none'), 'workspace list'),
                            (('files', 'none'), 'workspace list')):
            cli.fails(NOT_FOUND, 'NotFound', 'workspace', *words)
            assert hint in cli.run('workspace', *words)[2], words
        # A directory that is gone is still what it was called.
        shutil.rmtree(notes)
        equal(cli.json('workspace', 'show', str(notes))['workspace_id'], 'workspace:notes')


@promise
def a_scan_says_what_it_found(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        code, out, err = cli.run('workspace', 'scan', 'notes')
        equal((code, out), (DONE, 'Folders: 3. New: 0, changed: 0, deleted: 0.\n'))
        assert 'is recorded already' in err, err
        equal(cli.json('workspace', 'scan', str(notes))['folders'], 3)
        cli.does('workspace', 'pause', 'notes')
        cli.fails(FAILED, 'EngineDisabled', 'workspace', 'scan', 'notes')
        assert 'workspace resume' in cli.run('workspace', 'scan', 'notes')[2]


@promise
def files_are_listed_from_any_place(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        below = ['sub', 'sub/deep', 'sub/deep/b.txt']
        for words, where in ((('notes', 'sub'), '/'), (('notes', './sub/'), '/'), (('.',), notes / 'sub'),
                             ((f'{notes}/sub',), '/')):
            code, out, err = cli.run('workspace', 'files', *words, '--json', cwd=where)
            equal((code, [file['path'] for file in json.loads(out)]), (DONE, below), err)
        equal(paths(cli, 'notes', 'sub/deep/b.txt'), ['sub/deep/b.txt'])
        code, out, err = cli.run('workspace', 'files', 'notes', '--limit=2')
        equal((code, len(out.splitlines()), err), (DONE, 3, 'There is more: use --limit.\n'))
        out = cli.does('workspace', 'files', 'notes')
        assert 'no-utf8-<FF>' in out and 'rw-r--r--' in out, out
        cli.fails(NOT_FOUND, 'NotFound', 'workspace', 'files', 'notes', 'none')

        file, = cli.json('workspace', 'files', 'notes', 'a.txt')
        equal((file['kind'], file['size'], file['version']), ('file', 1, 1))
        event = cli.json('events', 'show', file['operation_id'])
        equal((event['sequence'], event['actor_id'], event['policy_decision_ref']),
              (file['sequence'], file['actor_id'], file['policy_decision_ref']))
        (notes / 'a.txt').write_text('another')
        eventually(lambda: cli.json('workspace', 'files', 'notes', 'a.txt')[0]['version'] == 2,
                   'another version is recorded')


@promise
def a_file_has_a_history(world):
    with user(world) as (cli, notes), world.caller() as caller:
        add(cli, notes)
        file, = cli.json('workspace', 'files', 'notes', 'a.txt')
        (notes / 'a.txt').write_text('another')

        def steps(what, **options):
            return json.loads(cli.run('log', what, '--json', **options)[1])

        eventually(lambda: len(steps(f'{notes}/a.txt')) == 2, 'the change is recorded')
        (notes / 'a.txt').rename(notes / 'sub' / 'c.txt')
        eventually(lambda: 'sub/c.txt' in paths(cli, 'notes'), 'and the new name')
        found = steps('c.txt', cwd=notes / 'sub')
        equal([(step['change'], step['version']) for step in found],
              [('changed', 2), ('changed', 2), ('created', 1)])
        equal([step.get('differences') for step in found], [['name', 'folder'], ['content'], None])
        equal([(step['name'], step['size'], step['mode']) for step in found],
              [('c.txt', 7, 0o644), ('a.txt', 7, 0o644), ('a.txt', 1, 0o644)])
        equal([step['sha256'] == hashlib.sha256(b'another').hexdigest() for step in found], [True, True, False])
        equal(found[-1]['operation_id'], file['operation_id'])
        equal(steps('./sub/c.txt', cwd=notes), found)
        equal(len(steps('~/My notes/sub/c.txt')), 3)
        (notes / 'sub' / 'c.txt').unlink()
        eventually(lambda: steps(file['file_id'])[0]['change'] == 'deleted', 'it is known when it is gone')
        equal(steps(file['file_id'])[1:], found)
        assert not {'size', 'sha256', 'name', 'differences'} & set(steps(file['file_id'])[0])
        out = cli.does('log', file['file_id'], '--limit=1')
        equal(len(out.splitlines()), 2, out)
        cli.does('verify', 'proof', f'--operation={found[0]["operation_id"]}')
        # By the path that it had, too.
        equal(steps(f'{notes}/sub/c.txt'), steps(file['file_id']))
        equal(cli.json('explain', f'{notes}/sub/c.txt')['answers'][0]['reason_code'], 'deleted_file')
        cli.does('prove', f'{notes}/sub/c.txt')
        equal(json.loads(caller.call(WORKSPACES, 'GetFile', '(saya{sv})', 'workspace:notes', b'sub/c.txt',
                                     {'past': GLib.Variant('b', True)}))['gone'], 'deleted')
        cli.fails(NOT_FOUND, 'NotFound', 'log', f'{notes}/sub/a.txt')
        cli.fails(NOT_FOUND, 'NotFound', 'log', 'file-none')
        cli.fails(NOT_FOUND, 'NotFound', 'log', '/none/at/all')
        cli.fails(NEGATIVE, 'Usage', 'log', file['file_id'], '--since=today')

        page, cursor, seen = [], '', []
        while True:
            page, cursor = caller.call(WORKSPACES, 'FileHistory', '(sa{sv})', file['file_id'], {
                'limit': GLib.Variant('u', 1), 'cursor': GLib.Variant('s', cursor)})
            seen += json.loads(page)
            if not cursor:
                break
        equal(seen, steps(file['file_id']))
        refused_as(STANDARD + 'InvalidArgs', caller.call, WORKSPACES, 'FileHistory', '(sa{sv})',
                   file['file_id'], {'cursor': GLib.Variant('s', 'x')})


@promise
def a_file_is_explained(world):
    """All of what is asked, by path or id or name; and what the directory's standing has to do with it."""
    names = ['what', 'schema', 'last_changed_by', 'owner', 'safe_to_sync', 'blocked_because', 'conflicts',
             'auto_repairable', 'needs_human', 'durability', 'restore_integrity']
    with user(world) as (cli, notes):
        add(cli, notes)
        file, = cli.json('workspace', 'files', 'notes', 'a.txt')
        told = cli.json('explain', f'{notes}/a.txt')
        equal([answer['question'] for answer in told['answers']], names)
        equal((told['object_id'], told['path']), (file['file_id'], 'a.txt'))
        equal(told['facts']['sha256'], file['sha256'])
        equal(cli.json('explain', file['file_id']), told)
        equal(json.loads(cli.run('explain', 'a.txt', '--json', cwd=notes)[1]), told)
        # A name may look like an id, or a digest: behind a slash it is a name.
        digest = hashlib.sha256(b'?').hexdigest()
        for name in (file['file_id'], digest):
            (notes / name).write_text('other')
        eventually(lambda: len(paths(cli, 'notes')) == len(ALL) + 2, 'they are recorded')
        equal(cli.json('explain', file['file_id'])['path'], 'a.txt')
        for named in (f'./{file["file_id"]}', digest, f'./{digest}'):
            for verb in ('explain', 'log'):
                code, out, err = cli.run(verb, named, '--json', cwd=notes)
                equal(code, DONE, err)
                if verb == 'explain':
                    equal(json.loads(out)['path'], named.removeprefix('./'))
                else:
                    equal([(step['change'], step['name']) for step in json.loads(out)],
                          [('created', named.removeprefix('./'))])
        for name in ('0' * 64, file['file_id'][:-1] + '9'):
            cli.fails(NOT_FOUND, 'NotFound', 'explain', name)
        for name in (file['file_id'], digest):
            (notes / name).unlink()
        folder = cli.json('explain', notes)
        equal((folder['path'], folder['answers'][0]['reason_code']), ('', 'workspace_folder'))
        out = cli.does('explain', f'{notes}/a.txt')
        assert 'A file of workspace:notes: a.txt, 1 bytes, version 1.' in out, out
        assert f'Next: `sourceos-syncd log {file["file_id"]}`' in out, out
        # The next command of each answer can be given as it is.
        for answer in told['answers']:
            if answer['next']:
                cli.does(*shlex.split(answer['next'])[1:])
        cli.does('workspace', 'pause', 'notes', '--reason=moving house')
        paused = {answer['question']: answer for answer in cli.json('explain', file['file_id'])['answers']}
        equal(paused['blocked_because']['answer'], 'workspace:notes is paused: moving house.')
        equal(paused['needs_human']['next'], 'sourceos-syncd workspace resume workspace:notes')
        cli.does(*shlex.split(paused['needs_human']['next'])[1:])
        cli.fails(NOT_FOUND, 'NotFound', 'explain', 'nothing')
        cli.fails(NOT_FOUND, 'NotFound', 'explain', f'{notes}/none')
        cli.enqueue('note-1', '{}')
        equal(cli.json('explain', 'note-1')['answers'][0]['reason_code'], 'operations')


# --- changing ----------------------------------------------------------------------------------

@promise
def a_workspace_is_paused_resumed_and_removed(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        assert cli.does('workspace', 'pause', 'notes', '--reason=moving house').startswith('Paused')
        equal(cli.json('workspace', 'pause', 'notes')['changed'], False)
        cli.fails(NEGATIVE, 'InvalidArgs', 'workspace', 'add', str(notes), '--profile=other')
        shown = cli.json('workspace', 'show', 'notes')
        equal((shown['state'], shown['pause_reason']), ('paused', 'moving house'))
        assert 'moving house' in cli.does('workspace', 'list')
        assert 'workspace resume notes' in cli.run('workspace', 'show', 'notes')[2]
        (notes / 'a.txt').unlink()
        assert cli.does('workspace', 'resume', str(notes)).startswith('Resumed')
        assert 'pause_reason' not in cli.json('workspace', 'show', 'notes')
        eventually(lambda: paths(cli, 'notes') == ALL[1:], 'what changed meanwhile is recorded')

        out = cli.does('workspace', 'remove', '.', cwd=notes)
        assert 'files stay' in out and str(notes) in out, out
        assert (notes / 'link').is_symlink(), 'the files stay'
        equal(cli.json('workspace', 'list'), [])
        equal(paths(cli, 'notes'), ALL[1:], 'so does what is recorded')
        before = cli.json('workspace', 'files', 'notes', 'sub/deep/b.txt')
        cli.does('workspace', 'add', str(notes), '--name=notes')
        eventually(lambda: cli.json('workspace', 'list')[0]['files'] == 2, 'it goes on')
        equal(cli.json('workspace', 'files', 'notes', 'sub/deep/b.txt'), before)


# --- restoring ---------------------------------------------------------------------------------

def save(cli, file, text):
    """As editors do: in one step."""
    draft = pathlib.Path(cli.directory) / 'draft'
    draft.write_text(text)
    draft.replace(file)


def version_of(cli, path):
    found = cli.json('workspace', 'files', 'notes', path)
    return found[0]['version'] if found else 0


@promise
def a_version_comes_back_as_it_was_shown(world):
    with user(world) as (cli, notes):
        file = notes / 'a.txt'
        file.write_text('one\ntwo\nthree\n')
        add(cli, notes)
        save(cli, file, 'one\nTWO\nthree\n')
        eventually(lambda: version_of(cli, 'a.txt') == 2, 'the change is recorded')
        equal([step['kept'] for step in cli.json('log', str(file))][-1], True)
        assert 'kept' in cli.does('log', str(file))
        shown = cli.does('workspace', 'restore', str(file), '--dry-run')
        for line in ('@@ -1,3 +1,3 @@', '-TWO', '+two', ' three'):
            assert line in shown.splitlines(), shown
        equal(file.read_text(), 'one\nTWO\nthree\n', 'nothing was done')
        equal(cli.run('workspace', 'restore', str(file))[0], NEGATIVE, 'nobody is there to agree')
        out = cli.does('workspace', 'restore', str(file), '--yes')
        assert 'Restored: version 3' in out, out
        equal(file.read_text(), 'one\ntwo\nthree\n')
        newest = cli.json('log', str(file))[0]
        equal((newest['version'], newest['kept']), (3, True))
        assert newest['operation_id'] in out, 'it is the entry that says who asked'

        result = cli.json('workspace', 'restore', 'a.txt', '--version=2', '--to=sub/copy', '--yes',
                          cwd=notes)
        equal((result['path'], result['version']), ('sub/copy', 1))
        equal((notes / 'sub' / 'copy').read_text(), 'one\nTWO\nthree\n')
        assert cli.does('verify', 'log', '--full'), 'all that is kept is there'


@promise
def a_version_says_whom_it_opens_the_file_to(world):
    with user(world) as (cli, notes):
        file = notes / 'a.txt'
        file.chmod(0o644)
        add(cli, notes)
        draft = pathlib.Path(cli.directory) / 'draft'
        draft.write_text('two')
        draft.chmod(0o600)
        draft.replace(file)
        eventually(lambda: version_of(cli, 'a.txt') == 2, 'the change is recorded')
        shown = ' '.join(cli.does('workspace', 'restore', str(file), '--dry-run').split())
        assert 'mode changes from 0600 to 0644, which opens it to others' in shown, shown
        plan = cli.json('workspace', 'restore', str(file), '--dry-run')
        equal((plan['present']['mode'], plan['restored']['mode'], plan['mode_opened']), (0o600, 0o644, 0o044))


@promise
def what_was_deleted_comes_back(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        for i in range(12):
            (notes / f'other{i}').write_text('')
        eventually(lambda: len(paths(cli, 'notes')) == len(ALL) + 12, 'they are recorded')
        shutil.rmtree(notes / 'sub')
        eventually(lambda: 'sub' not in paths(cli, 'notes'), 'it is gone')
        gone = notes / 'sub' / 'deep' / 'b.txt'
        cli.does('workspace', 'restore', str(gone), '--yes')
        equal(gone.read_text(), 'bee')
        cli.fails(NOT_FOUND, 'NotFound', 'workspace', 'restore', str(notes / 'never'), '--yes')


@promise
def what_was_not_kept_says_why(world):
    with user(world) as (cli, notes):
        add(cli, notes, '--keep=hash')
        save(cli, notes / 'a.txt', 'other')
        eventually(lambda: version_of(cli, 'a.txt') == 2, 'the change is recorded')
        message = cli.fails(NOT_FOUND, 'NotFound', 'workspace', 'restore', str(notes / 'a.txt'), '--yes')
        assert 'Only the hash' in message, message
        assert 'content' in cli.does('workspace', 'add', str(notes), '--keep=3', '--keep-size=1M')
        equal(cli.json('workspace', 'show', 'notes')['keep'], {'versions': 3, 'max_bytes': 1 << 20})
        eventually(lambda: cli.json('log', str(notes / 'a.txt'))[0]['kept'], 'what is there is kept from now on')
        save(cli, notes / 'a.txt', 'third')
        eventually(lambda: version_of(cli, 'a.txt') == 3, 'the change is recorded')
        cli.does('workspace', 'restore', str(notes / 'a.txt'), '--yes')
        equal((notes / 'a.txt').read_text(), 'other')
        cli.does('workspace', 'add', str(notes), '--keep=3', '--keep-size=1M', '--keep-deleted=7')
        equal(cli.json('workspace', 'show', 'notes')['keep'], {'versions': 3, 'max_bytes': 1 << 20, 'deleted_days': 7})
        # Whoever says one thing of it changes nothing else: fewer versions would be gone at once.
        cli.does('workspace', 'add', str(notes), '--keep-size=2M')
        equal(cli.json('workspace', 'show', 'notes')['keep'], {'versions': 3, 'max_bytes': 2 << 20, 'deleted_days': 7})
        cli.does('workspace', 'add', str(notes), '--keep=2')
        equal(cli.json('workspace', 'show', 'notes')['keep'], {'versions': 2, 'max_bytes': 2 << 20, 'deleted_days': 7})
        for wrong in ('--keep-deleted=soon', '--keep-deleted=36501', '--keep=many', '--keep=1001', '--keep-size=1G',
                      '--keep-size=300M', '--keep-size='):
            cli.fails(NEGATIVE, 'Usage', 'workspace', 'add', str(notes), wrong)


# --- what is ignored ---------------------------------------------------------------------------

def changes_of(cli, file):
    return [step['change'] for step in cli.json('log', file)]


@promise
def what_is_ignored_is_said_and_by_which_rule(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        file = cli.json('workspace', 'files', 'notes', 'sub/deep/b.txt')[0]['file_id']
        (notes / '.syncignore').write_text('# mine\n*.o\n/sub/\n!keep.o\n')
        left = ['.syncignore', 'a.txt', 'link', BAD]
        eventually(lambda: paths(cli, 'notes') == left, 'what is ignored is no longer there')
        equal(cli.json('workspace', 'show', 'notes')['ignored'], 1)
        asked = [f'{notes}/{name}' for name in ('x.o', 'keep.o', 'sub/deep', 'sub', 'a.txt', 'new/sub/')]
        equal(cli.does('workspace', 'ignore', 'check', *asked).splitlines(),
              [f'{asked[0]}: ignored by line 2 of .syncignore: *.o',
               f'{asked[1]}: recorded, by line 4 of .syncignore: !keep.o',
               f'{asked[2]}: ignored by line 3 of .syncignore: /sub/',
               f'{asked[3]}: ignored by line 3 of .syncignore: /sub/',
               f'{asked[4]}: recorded, no rule says anything of it',
               f'{asked[5]}: recorded, no rule says anything of it'])
        equal(cli.json('workspace', 'ignore', 'check', asked[2]),
              [{'path': 'sub/deep', 'ignored': True, 'source': '.syncignore', 'line': 3, 'pattern': '/sub/',
                'matched': 'sub'}])
        equal(changes_of(cli, file), ['ignored', 'created'])

        cli.does('workspaces', 'update', 'workspace:notes', '--set=ignore_rules=*.txt')
        eventually(lambda: paths(cli, 'notes') == ['.syncignore', 'link', BAD], 'so say the shared rules')
        equal(cli.json('workspace', 'ignore', 'check', asked[4])[0]['source'], 'shared')
        (notes / '.syncignore').write_text('!*.txt\n')
        eventually(lambda: paths(cli, 'notes') == left + ALL[3:], 'they are the weakest')
        equal(cli.json('workspace', 'files', 'notes', 'sub/deep/b.txt')[0]['file_id'], file)
        equal(changes_of(cli, file), ['changed', 'ignored', 'created'])

        assert 'ignore check PATH' in cli.run('workspace', 'ignore', 'wrong', '.')[2], 'it says what was meant'
        equal(cli.run('workspace', 'ignore', 'check', '/')[0], NOT_FOUND)
        cli.does('workspace', 'pause', 'notes')
        equal(cli.run('workspace', 'ignore', 'check', asked[0])[0], FAILED)


# --- the bus -----------------------------------------------------------------------------------

def list_files(caller, path=b'', workspace='workspace:notes', **options):
    files, cursor = caller.call(WORKSPACES, 'ListFiles', '(saya{sv})', workspace, path, options)
    return json.loads(files), cursor


@promise
def the_bus_says_the_same(world):
    with user(world) as (cli, notes), world.caller() as caller:
        add(cli, notes)
        equal(json.loads(caller.call(WORKSPACES, 'List', '(a{sv})', {})),
              cli.json('workspace', 'list'))
        found, cursor = [], ''
        while True:
            page, cursor = list_files(caller, limit=GLib.Variant('u', 1),
                                      cursor=GLib.Variant('s', cursor))
            found += page
            if not cursor:
                break
        equal(found, cli.json('workspace', 'files', 'notes'))
        for path in (b'a.txt', b'a.txt\0', os.fsencode(BAD), b'sub/deep'):
            file = json.loads(caller.call(WORKSPACES, 'GetFile', '(saya{sv})', 'workspace:notes', path, {}))
            assert file in found, file
        equal(json.loads(caller.call(WORKSPACES, 'GetFile', '(saya{sv})', 'workspace:notes', b'', {}))['path'], '')
        for path in (b'/', b'a//b', b'../a', b'a\0b'):
            refused_as(STANDARD + 'InvalidArgs', list_files, caller, path)
        refused_as(STANDARD + 'InvalidArgs', list_files, caller, limit=GLib.Variant('u', 1001))
        refused_as(STANDARD + 'InvalidArgs', list_files, caller, cursor=GLib.Variant('s', '!'))
        refused_as('NotFound', list_files, caller, b'none')
        refused_as('NotFound', list_files, caller, b'', 'workspace:none')
        refusal(caller.call, WORKSPACES, 'List', '(a{sv})', {'x': GLib.Variant('b', True)})


if __name__ == '__main__':
    main(session_world)
