#!/usr/bin/python3
"""What can be asked about whatever is recorded, by somebody who has the command line: to find it by its
words, to have it proven, and to hear of it."""

import contextlib
import json
import subprocess
import sys
import time

from gi.repository import GLib

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, Cli
from forgery import VERIFIER
from harness import MANAGER, PATIENCE, equal, eventually, main, promise, session_world

SOUND, DAMAGED = 0, 2


@contextlib.contextmanager
def user(world):
    """Somebody with a workspace of two files and an object that is registered."""
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        notes = cli.directory / 'notes'
        (notes / 'garden').mkdir(parents=True)
        (notes / 'milk.txt').write_text('buy some')
        (notes / 'garden' / 'tulips.txt').write_text('plant them')
        cli.does('workspace', 'add', str(notes))
        eventually(lambda: len(cli.json('workspace', 'files', 'notes')) == 3, 'the first scan is done')
        yield cli, notes


def register_note(cli, name='note-1'):
    cli.does('schemas', 'register', '--set=schema_id=schema:note', '--set=schema_version=v1',
             '--set=object_type=note')
    cli.does('objects', 'register', f'--set=object_id={name}', '--set=object_type=note',
             '--set=workspace_id=workspace:notes', '--set=owner_identity=user:me',
             '--set=schema_id=schema:note', '--set=schema_version=v1', '--set=privacy_class=work')


# --- proving -----------------------------------------------------------------------------------

def verifier_says(file, key):
    done = subprocess.run([sys.executable, '-B', VERIFIER, 'proof', file, '--key', key],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def both_say(cli, file, key, verdict):
    status, said = verifier_says(file, key)
    equal(status, verdict, f'the verifier: {said}')
    status, out, err = cli.run('verify', 'proof', str(file), '--key', key)
    equal(status, verdict, f'the program: {out}{err}')


@promise
def what_an_object_is_now_is_proven_to_anybody(world):
    with user(world) as (cli, notes):
        register_note(cli)
        object_of_operations = cli.enqueue('note-2')['operation']
        file, = cli.json('workspace', 'files', 'notes', 'milk.txt')
        record = cli.json('objects', 'show', 'note-1')['operation']
        cases = {
            'by its path': (f'{notes}/milk.txt', file['operation_id'], {}),
            'by its name': ('milk.txt', file['operation_id'], {'cwd': notes}),
            'by its id': (file['file_id'], file['operation_id'], {}),
            'registered': ('note-1', record, {}),
            'with operations only': ('note-2', object_of_operations, {}),
            'an operation': (record, record, {}),
        }
        for number, (how, (named, operation, options)) in enumerate(cases.items()):
            path = cli.directory / f'proof-{number}.json'
            out = cli.does('prove', named, f'--output={path}', **options)
            assert str(path) in out and operation in out, (how, out)
            proof = json.loads(path.read_text())
            equal(proof['operation_id'], operation, how)
            both_say(cli, path, proof['verifier_key'], SOUND)
            printed = cli.does('prove', named, **options)
            equal(json.loads(printed)['leaf'], proof['leaf'], how)

        (notes / 'milk.txt').write_text('bought')
        eventually(lambda: cli.json('prove', f'{notes}/milk.txt')['operation_id'] != file['operation_id'],
                   'what is proven is what it is now')
        (notes / 'milk.txt').unlink()
        eventually(lambda: cli.json('log', file['file_id'])[0]['change'] == 'deleted', 'it is gone')
        deleted = cli.json('log', file['file_id'])[0]['operation_id']
        equal(cli.json('prove', file['file_id'])['operation_id'], deleted, 'that it is gone, too')


@promise
def a_changed_byte_is_refused_by_both(world):
    with user(world) as (cli, notes):
        path = cli.directory / 'proof.json'
        cli.does('prove', f'{notes}/milk.txt', f'--output={path}')
        sound = path.read_bytes()
        proof = json.loads(sound)
        both_say(cli, path, proof['verifier_key'], SOUND)
        for what in ('header', 'leaf', 'root', 'note'):
            at = sound.index(proof[what][:20].replace('"', '\\"').encode()) + 10
            byte = b'1' if sound[at:at + 1] != b'1' else b'2'
            path.write_bytes(sound[:at] + byte + sound[at + 1:])
            assert path.read_bytes() != sound
            status, said = verifier_says(path, proof['verifier_key'])
            assert status != SOUND, f'the verifier, {what}: {said}'
            code, out, err = cli.run('verify', 'proof', str(path), '--key', proof['verifier_key'])
            assert code != DONE, f'the program, {what}: {out}{err}'


@promise
def a_proof_replaces_no_file_and_what_is_not_there_is_not_proven(world):
    with user(world) as (cli, notes):
        path = cli.directory / 'precious'
        path.write_text('precious')
        cli.fails(NEGATIVE, 'Usage', 'prove', f'{notes}/milk.txt', f'--output={path}')
        equal(path.read_text(), 'precious')
        equal([name.name for name in cli.directory.glob('precious*')], ['precious'], 'nothing is left')
        cli.fails(FAILED, 'Failed', 'prove', f'{notes}/milk.txt', f'--output={path}/none/proof')
        for named in ('note-1', 'op-none', 'file-none', f'{notes}/none', '/none', 'milk.txt'):
            cli.fails(NOT_FOUND, 'NotFound', 'prove', named)


# --- hearing -----------------------------------------------------------------------------------

@promise
def a_change_is_told_without_being_asked_for(world):
    """Nothing is called between the change and the signal, which names the entry that says what changed."""
    with user(world) as (cli, notes), world.caller() as caller:
        heard = caller.listen(MANAGER, 'EventRecorded')
        before = cli.json('status', '--user')['sequence']
        (notes / 'milk.txt').write_text('bought')
        context, until = GLib.MainContext.default(), time.monotonic() + PATIENCE
        while not any(values[1] > before for _, _, values in heard) and time.monotonic() < until:
            context.iteration(False) or time.sleep(0.005)
        _, _, (first, last, types) = heard[-1]
        assert before < first <= last and types, heard
        eventually(lambda: cli.json('workspace', 'files', 'notes', 'milk.txt')[0]['version'] == 2,
                   'it is recorded')


# --- finding -----------------------------------------------------------------------------------

def found(cli, *words):
    return [(hit['kind'], hit['title']) for hit in cli.json('find', *words)]


@promise
def whatever_is_recorded_is_found_by_its_words(world):
    with user(world) as (cli, notes):
        register_note(cli)
        cli.enqueue('milk:2')
        cli.does('actors', 'register', '--set=identity_id=agent:milkman', '--set=actor_type=agent')
        equal(found(cli, 'tulips'), [('file', 'garden/tulips.txt')])
        equal(found(cli, 'TULIPS', 'txt'), [('file', 'garden/tulips.txt')])
        equal(found(cli, 'milk txt'), [('file', 'milk.txt')])
        equal([kind for kind, _ in found(cli, 'milk')], ['actor', 'object', 'file'], 'the newest first')
        equal(found(cli, 'milk', '--kind=object'), [('object', 'milk:2')])
        equal(found(cli, 'milk', '--workspace=notes'), [('file', 'milk.txt')])
        equal(found(cli, 'milk', '--limit=1')[0][0], 'actor')
        equal(found(cli, 'note-1', '--kind=object'), [('object', 'note-1')])
        equal(found(cli, 'buy'), [], 'what is in a file is not searched')
        hit, = cli.json('find', 'tulips')
        file, = cli.json('workspace', 'files', 'notes', 'garden/tulips.txt')
        equal((hit['document'], hit['id'], hit['scope']), (file, file['file_id'], 'workspace:notes'))
        hit, = cli.json('find', 'note-1', '--kind=object')
        equal(hit['document'], cli.json('objects', 'show', 'note-1'))
        out = cli.does('find', 'milk')
        assert out.splitlines()[0].split() == ['KIND', 'NAME', 'SCOPE', 'ID'], out
        equal(len(out.splitlines()), 4)
        code, out, err = cli.run('find', 'rhubarb', '--workspace=nope')
        equal((code, out), (DONE, ''))
        assert 'nope' in err and 'workspace list' in err, err
        code, out, err = cli.run('find', 'rhubarb')
        equal((code, out), (DONE, ''))
        assert 'Nothing is found' in err, err

        (notes / 'milk.txt').rename(notes / 'cream.txt')
        eventually(lambda: found(cli, 'cream') == [('file', 'cream.txt')], 'it is found by its new name')
        equal(found(cli, 'milk', '--kind=file'), [])


@promise
def words_are_never_syntax(world):
    with user(world) as (cli, _):
        for words in ('"', "'); DROP TABLE search; --", 'NEAR(', '*', '^a', 'words:', '-'):
            code, _, err = cli.run('find', '--', words)
            assert code in (DONE, NEGATIVE) and 'SQL' not in err and 'fts5' not in err, (words, err)
        cli.fails(NEGATIVE, 'InvalidArgs', 'find', '"*"')
        cli.fails(NEGATIVE, 'InvalidArgs', 'find', *(f'w{number}' for number in range(17)))
        cli.fails(NEGATIVE, 'Usage', 'find', 'a', '--kind=none')
        cli.fails(NEGATIVE, 'Usage', 'find')
        equal(found(cli, 'tulips" OR "milk'), [], 'OR is a word like others')


if __name__ == '__main__':
    main(session_world)
