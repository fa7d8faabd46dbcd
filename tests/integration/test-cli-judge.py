#!/usr/bin/python3
"""What the command line says about logs, checkpoints, proofs and state directories, with and without a
daemon."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import textwrap

from cli_user import DONE, FAILED, NEGATIVE, NOT_AUTHORISED, NOT_FOUND, Cli, on_terminal, served
from harness import equal, main, promise, session_world


# --- judging -----------------------------------------------------------------------------------

def copied(daemon, name):
    """The state as it is after a clean stop; it may then be spoilt."""
    target = daemon.directory / name
    shutil.copytree(daemon.state, target)
    return target


def replace_in(path, old, new):
    content = path.read_bytes()
    assert old in content, f'{old} is not in {path}'
    path.write_bytes(content.replace(old, new))


def without_own_numbers(text):
    return re.sub('[0-9]+', '#', re.sub(r'device-[0-9a-z.]+', 'device-…', text))


@promise
def a_forged_log_is_judged_as_the_readme_shows(world):
    readme = (pathlib.Path(world.options.source) / 'README.md').read_text()
    _, commands, _, sample, *_ = re.split(r'\n\n((?: {4}.*\n)+)', readme[readme.index('Now forge history'):])
    copy, forge, judge = textwrap.dedent(commands).splitlines()
    with served(world) as (cli, daemon):
        cli.enqueue('note-1')
        daemon.stop()
        forged = copied(daemon, 'forged')
        assert copy.startswith('cp -r ') and copy.endswith(' /tmp/forged'), copy
        subprocess.run(['sh', '-c', forge.replace('/tmp/forged', shlex.quote(str(forged)))], check=True)
        program, *words = shlex.split(judge.replace('/tmp/forged', str(forged)))
        code, out, err = cli.run(*words)
        equal((program, code), ('sourceos-syncd', NEGATIVE))
        equal(without_own_numbers((out + err).replace(str(forged), '/tmp/forged')),
              without_own_numbers(textwrap.dedent(sample)))


@promise
def a_sound_log_and_a_forged_one(world):
    with served(world) as (cli, daemon):
        cli.enqueue('note-1')
        result = cli.json('verify', 'log', '--full')
        equal((result['verdict'], result['mode'], result['findings']), ('sound', 'full', []))
        said = cli.does('verify', 'log')
        assert said.startswith('The log is sound (user instance)'), said
        assert 'new since the last verification was checked; --full checks everything' in said, said
        equal(cli.run('verify', 'log', f'--state-dir={daemon.state}')[0], FAILED)
        message = cli.fails(FAILED, 'Busy', 'verify', 'log', f'--state-dir={daemon.state}')
        assert f'pid {daemon.pid}' in message, message
        daemon.stop()

        sound, forged = copied(daemon, 'sound'), copied(daemon, 'forged')
        whole = cli.json('verify', 'log', f'--state-dir={sound}')
        equal((whole['verdict'], whole['mode'], whole['entries_checked']),
              ('sound', 'full', result['entries_checked']), 'a directory is read whole')
        replace_in(forged / 'journal.db', b'note-1', b'note-7')
        before = (forged / 'journal.db').read_bytes()
        code, out, err = cli.run('verify', 'log', f'--state-dir={forged}', '--json')
        equal((code, err), (NEGATIVE, ''))
        result = json.loads(out)
        equal(result['verdict'], 'damaged')
        assert any(finding['sequence'] for finding in result['findings']), result
        code, out, _ = cli.run('verify', 'log', f'--state-dir={forged}')
        equal(code, NEGATIVE)
        assert 'The log is damaged' in out and 'leaf, entry ' in out, out
        assert 'doctor' not in out, 'which asks the daemon, and that has another directory'
        equal((forged / 'journal.db').read_bytes(), before, 'judging changes nothing')


@promise
def a_checkpoint_kept_elsewhere_finds_a_rollback(world):
    with served(world) as (cli, daemon):
        cli.enqueue('old')
        daemon.stop()
        old = copied(daemon, 'old')
    with world.daemon(directory=daemon.directory):
        cli.enqueue('new')
        note, document = daemon.directory / 'note', daemon.directory / 'document'
        cli.does('ops', 'checkpoint', 'device', f'--output={note}')
        document.write_text(cli.does('ops', 'checkpoint', 'device', '--json'))
        equal(cli.does('ops', 'checkpoint', 'device').splitlines()[0],
              note.read_text().splitlines()[0])
        cli.enqueue('newer')
        key = json.loads(document.read_text())['verifier_key']
        for words in ((note,), (document,), (note, '--key', key)):
            equal(cli.json('verify', 'checkpoint', *map(str, words))['verdict'], 'contained')
        equal(cli.json('verify', 'checkpoint', '-', stdin=note.read_text())['key_source'], 'daemon')
        equal(cli.json('verify', 'log', f'--known-head={note}')['verdict'], 'sound')

        forged = daemon.directory / 'forged-note'
        lines = note.read_text().splitlines(keepends=True)
        lines[1] = f'{int(lines[1]) + 1}\n'
        forged.write_text(''.join(lines))
        code, out, _ = cli.run('verify', 'checkpoint', str(forged))
        equal(code, NEGATIVE)
        assert 'not signed by this key' in out, out
        cli.fails(NEGATIVE, 'InvalidArgs', 'verify', 'checkpoint', str(note), '--key=nonsense')
        cli.fails(NEGATIVE, 'InvalidEncoding', 'verify', 'checkpoint', '/dev/null')

    equal(cli.json('verify', 'checkpoint', str(note), f'--state-dir={daemon.state}')['verdict'],
          'contained')
    code, out, _ = cli.run('verify', 'checkpoint', str(note), f'--state-dir={old}', '--json')
    equal((code, json.loads(out)['verdict']), (NEGATIVE, 'refuted'))
    equal(json.loads(out)['verification']['findings'][0]['error'], 'FeedRollback')


@promise
def a_proof_is_checked_without_the_device(world):
    with served(world) as (cli, daemon):
        operation = cli.enqueue()['operation']
        path = daemon.directory / 'proof.json'
        told = cli.json('verify', 'proof', '--operation', operation, f'--output={path}')
        equal((told['verdict'], told['operation_id'], told['key_source']), ('holds', operation, 'daemon'))
        key = told['verifier_key']
        equal(cli.json('verify', 'proof', str(path), '--key', key)['key_source'], 'given')
    told = cli.json('verify', 'proof', '-', stdin=path.read_text())
    equal((told['verdict'], told['key_source']), ('holds', 'document'))
    assert "proof's own" in cli.does('verify', 'proof', str(path))

    renamed = {**json.loads(path.read_text()), 'operation_id': 'op-' + 26 * '0'}
    code, out, _ = cli.run('verify', 'proof', '-', '--json', stdin=json.dumps(renamed))
    equal((code, json.loads(out)['reason']), (NEGATIVE, 'the header is that of another operation'))

    replace_in(path, b'note-1', b'note-2')
    code, out, _ = cli.run('verify', 'proof', str(path), '--json')
    told = json.loads(out)
    equal((code, told['verdict']), (NEGATIVE, 'refuted'))
    assert 'header' in told['reason'], told
    cli.fails(NEGATIVE, 'InvalidEncoding', 'verify', 'proof', '-', stdin='{')


@promise
def a_registered_actor_s_key_is_believed(world):
    """The same key that could be given, by the name of the actor who is registered with it."""
    documents = pathlib.Path(__file__).parents[2] / 'examples' / 'documents'
    name, _, encoded = (documents / 'report-signed.vkey').read_text().strip().split('+', 2)
    judge = ('trust', 'evaluate', '--file', str(documents / 'report-signed.json'), '--at=2026-05-28T20:27:10Z',
             '--subject=agent:one', '--action=read', '--require-attestation', '--key')
    with served(world) as (cli, _):
        cli.fails(NOT_FOUND, 'NotFound', *judge, name)
        record = {'actor_id': name, 'actor_type': 'device', 'display_name': 'A', 'identity_id': 'agent:example',
                  'workspace_scope': [], 'profile_scope': [], 'capabilities': ['read'], 'trust_level': 'user',
                  'policy_subject': 'agent', 'signing_key_ref': 'ed25519:' + base64.b64decode(encoded)[1:].hex()}
        cli.does('actors', 'register', '-', stdin=json.dumps(record))
        told = cli.json(*judge, name)
        equal(told['evidence']['attestation_signed'], True)
        cli.does('actors', 'revoke', name, '--yes')
        assert 'actor_revoked' in cli.fails(NOT_AUTHORISED, 'AccessDenied', *judge, name)


# --- the state directory -----------------------------------------------------------------------

@promise
def state_is_made_once(world):
    place = world.place()
    cli = Cli(world, place, world.bus.address)
    made = cli.json('store', 'init')
    again = cli.json('store', 'init')
    equal((made['created'], again['created']), (True, False))
    equal((made['device_id'], made['state_dir']), (again['device_id'], again['state_dir']))
    equal(os.stat(made['state_dir']).st_mode & 0o777, 0o700)
    with world.daemon(directory=place) as daemon:
        equal(str(daemon.state), made['state_dir'])
        equal(cli.json('status')['active_device'], made['device_id'])
        assert str(daemon.pid) in cli.fails(FAILED, 'Busy', 'store', 'init')
        cli.fails(FAILED, 'Busy', 'store', 'adopt', '--yes')
    equal(cli.json('verify', 'log', '--full', f'--state-dir={made["state_dir"]}')['verdict'], 'sound')


@contextlib.contextmanager
def state_of_another_machine(world):
    with served(world) as (cli, daemon):
        cli.enqueue('moved')
    journal = sqlite3.connect(daemon.state / 'journal.db')
    journal.execute('UPDATE meta SET value = ? WHERE name = ?', ('0' * 64, 'machine'))
    journal.commit()
    journal.close()
    yield cli, daemon


@promise
def adopting_is_asked_for(world):
    with state_of_another_machine(world) as (cli, daemon):
        with world.daemon(directory=daemon.directory):
            status = cli.json('status', '--user')
            equal((status['daemon_state'], status['state_reasons']), ('degraded', ['machine-changed']))
            assert 'doctor' in status['note'], status['note']
            found, = json.loads(cli.run('doctor', '--json')[1])['findings']
            equal((found['code'], found['next']), ('machine-changed', 'sourceos-syncd store adopt'))
        cli.fails(NEGATIVE, 'Usage', 'store', 'adopt')
        assert 'Adopt it?' in on_terminal(cli, ['store', 'adopt'], b'n\n', FAILED)
        equal(cli.json('store', 'adopt', '--yes')['adopted'], True)
        equal(cli.json('store', 'adopt', '--yes')['adopted'], False)
        with world.daemon(directory=daemon.directory):
            equal(cli.json('status', '--user')['daemon_state'], 'clean')
            cli.enqueue('after')
            equal(cli.json('verify', 'log', '--full')['verdict'], 'sound')
            equal(len(cli.json('ops', 'list')), 2)


@promise
def a_log_that_lost_its_end_waits_for_a_person(world):
    with served(world) as (cli, daemon):
        cli.enqueue('kept')
    with world.daemon(directory=daemon.directory) as daemon:
        lost = cli.enqueue('lost')['operation']
        equal(len(cli.json('ops', 'list')), 2)
        daemon.stop(signal.SIGKILL)
    (daemon.state / 'journal.db-wal').unlink()
    with world.daemon(directory=daemon.directory):
        status = json.loads(cli.run('status', '--user', '--json')[1])
        equal(status['daemon_state'], 'repair-recommended')
        assert 'log-rolled-back' in status['state_reasons'], status
        code, out, _ = cli.run('doctor', '--json')
        equal(code, NEGATIVE)
        found, = [one for one in json.loads(out)['findings'] if one['code'] == 'log-rolled-back']
        equal((found['severity'], found['durability'], found['repair']), ('critical', 'durable', None))
        equal(found['next'], 'sourceos-syncd store adopt')
        assert found['count'] > 0 and found['range']['last'] - found['range']['first'] + 1 == found['count'], found
        assert any('the index has entries that the log has not (index.db)' in line for line in found['evidence']), found
        # What is there can be read, and looked up; nothing is written.
        equal(len(cli.json('ops', 'list')), 1)
        cli.fails(NOT_FOUND, 'NotFound', 'ops', 'show', lost)
        assert 'lost its end' in cli.fails(NEGATIVE, 'FeedRollback', 'ops', 'enqueue', '--object=x', '--body-json={}')
        code, out, _ = cli.run('verify', 'log', '--full')
        assert code == NEGATIVE and '`sourceos-syncd store adopt`' in out, out
        # What that found, is what was found.
        equal({one['code'] for one in json.loads(cli.run('doctor', '--json')[1])['findings']} & {'log-diverged'},
              set())
    with world.daemon(directory=daemon.directory):
        assert 'log-rolled-back' in json.loads(cli.run('status', '--user', '--json')[1])['state_reasons']
    assert f'({found["count"]})' in on_terminal(cli, ['store', 'adopt'], b'n\n', FAILED)
    equal(cli.json('store', 'adopt', '--yes')['adopted'], True)
    with world.daemon(directory=daemon.directory):
        equal(cli.json('status', '--user')['daemon_state'], 'clean')
        cli.enqueue('after')
        equal(cli.json('verify', 'log', '--full')['verdict'], 'sound')
        equal(cli.run('doctor')[0], DONE)
        adopted, = cli.json('events', 'list', '--type=sync.store.adopted')


@promise
def a_command_names_the_directory_where_it_has_to(world):
    """What every advice says, word for word, does it."""
    with served(world) as (cli, daemon):
        cli.enqueue('kept')
    journal = (daemon.state / 'journal.db').read_bytes()
    with world.daemon(directory=daemon.directory):
        cli.enqueue('lost')
        cli.does('verify', 'log')
    (daemon.state / 'journal.db').write_bytes(journal)
    advice = f"sourceos-syncd store adopt --state-dir='{daemon.state}'"
    out = cli.run('verify', 'log', f'--state-dir={daemon.state}')[1]
    assert f'`{advice}`' in out and 'verified.json' not in out, out
    with world.daemon(directory=daemon.directory, environment={'XDG_STATE_HOME': '/nonexistent'}):
        found, = [one for one in json.loads(cli.run('doctor', '--json')[1])['findings']
                  if one['severity'] == 'critical']
        equal((found['code'], found['next']), ('log-rolled-back', advice))
        assert f'`{advice}`' in cli.run('verify', 'log')[1]
        assert advice in cli.run('ops', 'enqueue', '--object=x', '--body-json={}')[2]
    cli.environment['XDG_STATE_HOME'] = '/nonexistent'
    cli.does(*shlex.split(advice)[1:], '--yes')
    with world.daemon(directory=daemon.directory):
        equal(cli.json('status', '--user')['daemon_state'], 'clean')
        equal(cli.json('verify', 'log', '--full')['verdict'], 'sound')


if __name__ == '__main__':
    main(session_world)
