#!/usr/bin/python3
"""The program and tests/verifier/verify.py, which was written from docs/format.md alone, say the
same of a log: that it is sound, and of each way to damage it that it is damaged."""

import base64
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys

from forgery import VERIFIER, Log, SigningKey, canonical, formats
from harness import OPERATIONS, PATIENCE, equal, main, promise, session_world
import tampering
import tampering_witness
from tampering import DAMAGED, SOUND

CASES = tampering.CASES + tampering_witness.CASES
MANY = 1200  # entries: more than fit in a tile of tiles


# --- the log -----------------------------------------------------------------------------------

def command(world, *words, given=None, state=None):
    environment = {**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address}
    if state:
        environment['XDG_STATE_HOME'] = str(state / 'state')
    return subprocess.run(
        [world.program, *map(str, words)], input=given, capture_output=True, text=True,
        timeout=PATIENCE, check=False, env=environment)


def ask(world, *words, given=None):
    done = command(world, *words, given=given)
    equal(done.returncode, 0, f'{words}: {done.stderr}')
    return done.stdout


def enqueue(world, scope, body, *words):
    return json.loads(ask(world, 'ops', 'enqueue', '--json', '--create-scope', '--scope', scope,
                          '--object', 'o:1', '--body', '-', *words, given=json.dumps(body)))


def write_log(world):
    """A state with every kind of thing that a journal has, and one that went on from it."""
    place = world.place()
    with world.daemon(place) as daemon, world.caller() as caller:
        enqueue(world, 'device', {})
        enqueue(world, 'workspace:notes', {'text': 'x' * 2500000}, '--key', 'once')
        enqueue(world, 'public:site', {'text': 'x' * 200000})
        lines = (json.dumps({'type': 'sync.operation.enqueue', 'scope': 'workspace:notes',
                             'object': f'o:{number}', 'body': {'number': number}})
                 for number in range(MANY))
        ask(world, 'ops', 'enqueue', '--many', '-', given='\n'.join(lines))
        for scope in ('device', 'workspace:notes', 'public:site'):
            ask(world, 'ops', 'checkpoint', scope, '--output', world.place())
        operation = enqueue(world, 'workspace:notes', {'small': 1})['operation']
        proof = caller.call(OPERATIONS, 'Proof', '(sa{sv})', operation, {})
    older = world.place()
    shutil.copytree(daemon.state, older)
    known = world.place()
    with world.daemon(place):
        enqueue(world, 'workspace:notes', {'written': 'here'})
        ask(world, 'ops', 'checkpoint', 'workspace:notes', '--output', known)
    return daemon.state, older, known, proof


# --- promises ----------------------------------------------------------------------------------

def verdict_of_program(world, state, *words):
    done = command(world, 'verify', 'log', '--state-dir', state, '--full', '--json', *words)
    return done.returncode, done.stdout + done.stderr


def verdict_of_verifier(*words):
    done = subprocess.run([sys.executable, '-B', VERIFIER, *map(str, words)], capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def both_say(world, verdict, state, *words):
    """What each of them said. The verifier is first: it changes nothing."""
    status, verifier_said = verdict_of_verifier(state, *words)
    equal(status, verdict, f'the verifier: {verifier_said}')
    status, program_said = verdict_of_program(world, state, *words)
    equal(status, verdict, f'the program: {program_said}\nthe verifier: {verifier_said}')
    return verifier_said, program_said


def changed(world, function):
    place = world.place()
    shutil.copytree(world.state, place)
    with Log(place).change() as log:
        function(log)
    return place


def check_case(function, verdict, codes, world):
    state = changed(world, function)
    said, _ = both_say(world, verdict, state)
    named = {line.split(' ')[0] for line in said.splitlines()}
    assert not codes or named & set(codes), f'no {codes} in: {said}'
    shutil.rmtree(state)


@promise
def a_log_as_it_was_written_is_sound(world):
    both_say(world, SOUND, world.state)
    both_say(world, SOUND, world.state, '--known-head', world.known)
    both_say(world, SOUND, world.older)
    equal(verdict_of_verifier(world.state, '--no-keys'), (SOUND, ''))


@promise
def the_log_has_what_the_cases_are_about(world):
    with contextlib.closing(Log(world.state)) as log:
        assert log.value('SELECT count(*) FROM entry') > MANY
        equal(log.value('SELECT max(length(tiles)) FROM entry'), 2 * 1024)
        equal(log.value('SELECT count(*) FROM checkpoint'), 4)
        assert len(list((world.state / 'blobs').glob('*/*'))) > 3
        assert log.large() and log.large('public')


@promise
def an_older_copy_is_a_rollback_for_whoever_knows_more(world):
    verifier, program = both_say(world, DAMAGED, world.older, '--known-head', world.known)
    assert verifier.startswith('rollback ') and '"rollback"' in program, (verifier, program)


@promise
def a_copy_that_went_on_differently_is_a_fork_for_whoever_knows(world):
    place = world.place()
    shutil.copytree(world.older, place / 'state' / 'sourceos-syncd')
    with world.daemon(place) as daemon:
        for _ in range(4):
            enqueue(world, 'workspace:notes', {'written': 'elsewhere'})
    both_say(world, SOUND, daemon.state)
    verifier, program = both_say(world, DAMAGED, daemon.state, '--known-head', world.known)
    assert verifier.startswith('fork ') and '"fork"' in program, (verifier, program)


@promise
def a_known_head_of_another_signer_or_feed_is_told(world):
    note = world.place()
    with contextlib.closing(Log(world.state)) as log:
        forged = log.note('workspace', 5, bytes(32), SigningKey.generate())
        elsewhere = log.note('workspace', 5, bytes(32)).replace('workspace-', 'workspace-9')
    for text, code in ((forged, 'known-head'), (elsewhere, 'rollback')):
        note.write_text(text, encoding='utf-8')
        said, _ = both_say(world, DAMAGED, world.state, '--known-head', note)
        assert said.startswith(f'{code} '), said


@promise
def a_log_cut_back_to_a_genuine_head_is_a_rollback_for_whoever_knows(world):
    """The heads of then are what they were: only who kept a later one can tell."""
    def cut(log):
        end = log.value('SELECT max(pos) FROM entry') - 20
        log.run('DELETE FROM checkpoint')
        # What the device verified itself, or signed at its end, it would miss.
        for kept in ('verified.json', 'ended.json'):
            (log.state / kept).unlink(missing_ok=True)
        log.run('DELETE FROM entry WHERE pos > ?', end)
        for scope in log.feeds:
            log.sign(scope)
    state = changed(world, cut)
    both_say(world, SOUND, state)
    verifier, program = both_say(world, DAMAGED, state, '--known-head', world.known)
    assert verifier.startswith('rollback ') and '"rollback"' in program, (verifier, program)


@promise
def heads_kept_elsewhere_are_judged_alike(world):
    with contextlib.closing(Log(world.state)) as log:
        tree, origin = log.tree('workspace'), log.origin('workspace')
        size, key = tree.size, formats.key_hash(origin, bytes(log.signer.verify_key))
        encoded = base64.b64encode(b'\1' + bytes(log.signer.verify_key)).decode()
        verifier_key = f'{origin}+{key.hex()}+{encoded}'
        sound = log.note('workspace', 7, tree.root(7))
        notes = {
            'one of then': (sound, SOUND),
            'one of now': (log.note('workspace', size, tree.root(size)), SOUND),
            'one of nothing': (log.note('workspace', 0, tree.root(0)), SOUND),
            'one with more lines': (log.note('workspace', 7, tree.root(7), lines='x\n'), SOUND),
            'another root': (log.note('workspace', 7, tree.root(8)), DAMAGED),
            'one of nothing with a root': (log.note('workspace', 0, tree.root(1)), DAMAGED),
            'one of later': (log.note('workspace', size + 1, tree.root(size)), DAMAGED),
            'another key': (log.note('workspace', 7, tree.root(7), SigningKey.generate()), DAMAGED),
            'a changed size': (sound.replace('\n7\n', '\n8\n'), DAMAGED),
            'something after it': (sound + 'x', DAMAGED),
            'no signature': (sound.partition('\n\n')[0] + '\n\n', DAMAGED),
            'nothing': ('', DAMAGED),
        }
    file = world.place()
    for what, (text, verdict) in notes.items():
        file.write_text(text, encoding='utf-8')
        status, said = verdict_of_verifier(world.state, '--known-head', file)
        equal(status != SOUND, verdict != SOUND, f'the verifier, {what}: {said}')
        for words in (('verify', 'log', '--full', '--known-head', file),
                      ('verify', 'checkpoint', file, '--key', verifier_key)):
            done = command(world, *words, '--state-dir', world.state, '--json')
            equal(done.returncode, verdict, f'{words[1]}, {what}: {done.stdout}{done.stderr}')


def proof_of_another_history(world, text):
    """What the device proves after it went on from the older copy in one of two ways."""
    place = world.place()
    shutil.copytree(world.older, place / 'state' / 'sourceos-syncd')
    with world.daemon(place), world.caller() as caller:
        operation = enqueue(world, 'workspace:notes', {'written': text})['operation']
        return caller.call(OPERATIONS, 'Proof', '(sa{sv})', operation, {})


@promise
def two_proofs_of_one_place_convict_a_device_anywhere(world):
    """Neither a log nor a daemon is needed to see that the device signed two histories."""
    files, proofs = [], []
    for text in ('here', 'elsewhere'):
        files.append(world.place())
        files[-1].write_text(proof_of_another_history(world, text), encoding='utf-8')
        proofs.append(json.loads(files[-1].read_text(encoding='utf-8')))
    first, second = proofs
    equal(first['verifier_key'], second['verifier_key'], 'the key')
    equal(first['note'].split('\n')[0], second['note'].split('\n')[0], 'the feed')
    equal(first['seq'], second['seq'], 'the place')
    assert first['leaf'] != second['leaf'], 'the histories differ'
    for file in files:
        equal(verdict_of_verifier('proof', file, '--key', first['verifier_key']), (SOUND, ''))
        done = command(world, 'verify', 'proof', file, '--key', first['verifier_key'])
        equal(done.returncode, SOUND, f'{done.stdout}{done.stderr}')
    # The control: a forger without the key convicts nobody.
    files[1].write_text(json.dumps(second | {'note': first['note']}), encoding='utf-8')
    equal(verdict_of_verifier('proof', files[1], '--key', first['verifier_key'])[0], DAMAGED)
    equal(command(world, 'verify', 'proof', files[1], '--key', first['verifier_key']).returncode,
          DAMAGED)


@promise
def an_epoch_rolled_back_is_a_rollback_for_whoever_knows(world):
    """The state is adopted by another machine, and the copy from before is put in its place."""
    place, known = world.place(), world.place()
    state = place / 'state' / 'sourceos-syncd'
    shutil.copytree(world.state, state)
    with Log(state).change() as log:
        log.run("UPDATE meta SET value = ? WHERE name = 'machine'", '0' * 64)
    done = command(world, 'store', 'adopt', '--yes', state=place)
    equal(done.returncode, SOUND, f'{done.stdout}{done.stderr}')
    with world.daemon(place):
        enqueue(world, 'workspace:notes', {'written': 'in the next epoch'})
        ask(world, 'ops', 'checkpoint', 'workspace:notes', '--output', known)
    assert known.read_text(encoding='utf-8').split('\n')[0].endswith('/2')
    both_say(world, SOUND, state, '--known-head', known)
    verifier, program = both_say(world, DAMAGED, world.state, '--known-head', known)
    assert verifier.startswith('rollback ') and 'FeedRollback' in program, (verifier, program)


@promise
def a_journal_that_is_no_database_is_damaged(world):
    place = world.place()
    shutil.copytree(world.state, place)
    (place / 'journal.db').write_bytes(b'no database' * 1000)
    both_say(world, DAMAGED, place)


@promise
def a_proof_holds_and_no_other_does(world):
    sound = json.loads(world.proof)
    header = json.loads(sound['header'])
    other = canonical(header | {'object': 'o:2'})
    cases = {
        'nothing': ({}, SOUND),
        'the header': ({'header': other.decode()}, DAMAGED),
        'the header and its leaf': ({'header': other.decode(),
                                     'leaf': formats.leaf_hash(other).hex()}, DAMAGED),
        'the place': ({'seq': sound['seq'] - 1}, DAMAGED),
        'the path': ({'path': sound['path'][:-1]}, DAMAGED),
        'the note': ({'note': sound['note'].replace('\n', '\n1', 1)}, DAMAGED),
    }
    file = world.place()
    for what, (changes, verdict) in cases.items():
        file.write_text(json.dumps(sound | changes), encoding='utf-8')
        status, said = verdict_of_verifier('proof', file, '--key', sound['verifier_key'])
        equal(status, verdict, f'the verifier, {what}: {said}')
        done = command(world, 'verify', 'proof', file, '--key', sound['verifier_key'])
        equal(done.returncode, verdict, f'the program, {what}: {done.stdout}{done.stderr}')


for _function, _verdict, _codes in CASES:
    _check = functools.partial(check_case, _function, _verdict, _codes)
    _check.__name__ = f'{"harmless" if _verdict == SOUND else "found"}: {_function.__name__}'
    promise(_check)


@contextlib.contextmanager
def world_with_a_log(options):
    with session_world(options) as world:
        world.state, world.older, world.known, world.proof = write_log(world)
        yield world


main(world_with_a_log)
