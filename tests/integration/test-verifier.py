#!/usr/bin/python3
"""The program and tests/verifier/verify.py, which was written from docs/format.md alone, say the
same of a log: that it is sound, and of each way to damage it that it is damaged."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys

from harness import OPERATIONS, PATIENCE, equal, main, promise, session_world
from tampering import CASES, DAMAGED, SOUND, VERIFIER, Log, SigningKey, canonical, verify

MANY = 1200  # entries: more than fit in a tile of tiles


# --- the log -----------------------------------------------------------------------------------

def command(world, *words, given=None):
    return subprocess.run(
        [world.program, *map(str, words)], input=given, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
        env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address})


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
        equal(log.value('SELECT max(level) FROM tile'), 1)
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
                                     'leaf': verify.leaf_hash(other).hex()}, DAMAGED),
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
