#!/usr/bin/python3
"""On a terminal of 80 columns no line is longer, but for a word that cannot be broken, and that is no digest with a
point behind it."""

import os
import re
import unicodedata

from cli_user import on_terminal, served
from harness import equal, main, promise, session_world

COLUMNS = 80
LONG = 'a-name-that-somebody-gave-it-who-likes-to-be-understood'
# What is read by programs: JSON, scripts, the bytes of notes; or by whoever types it, a command.
COMMAND = re.compile(r' *`[^`]*`[.,:;]?$')
FOR_PROGRAMS = re.compile(r'^\s*(["{}\[\]]|sourceos-syncd )')
DIGEST_ENDS = re.compile('[0-9a-f]{64}[.,;:]$')  # which would stand alone on the next line
AGENT = 'Authorization not available'  # says pkttyagent
# Said of a report, in a document.
DOCUMENTS = {'ops checkpoint', 'contract show', 'evidence show', 'evidence wrap', 'evidence write', 'completion'}


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'FW' else 1
               for c in line)


def too_long(seen):
    """Lines that could have been broken. Whoever copies a command has to get all of it."""
    lines = (line.rstrip() for line in re.split(r'[\r\n]+|\033\[K|(?<=\[y/N\]) ', seen))
    return [line for line in lines if columns(line) > COLUMNS and (len(line.split()) > 1 or DIGEST_ENDS.search(line))
            and not FOR_PROGRAMS.match(line) and not COMMAND.match(line) and not line.startswith(AGENT)]


def in_need(cli, daemon, directory):
    """Something of everything, and some of it wrong."""
    os.makedirs(directory / 'folder')
    for name in ('story', f'folder/{LONG}'):
        (directory / name).write_text('Once upon a time\n')
    cli.does('workspace', 'add', str(directory), '--name=notes')
    cli.does('workspace', 'scan', 'notes')
    (directory / 'story').write_text('The end\n')
    cli.does('workspace', 'scan', 'notes')
    cli.enqueue(LONG)
    operation = cli.enqueue('note-1')['operation']
    cli.run('ops', 'enqueue', '--object=secret', '--lane=secure')
    cli.does('actors', 'register', '--set=actor_id=actor-1', '--set=actor_type=agent',
             '--set=identity_id=agent:helper', f'--set=display_name={LONG}')
    times = os.stat(directory / 'story')
    (directory / 'story').write_text('The END\n')
    os.utime(directory / 'story', ns=(times.st_atime_ns, times.st_mtime_ns))
    cli.run('workspace', 'scan', 'notes', '--deep')
    next((daemon.state / 'keys').iterdir()).chmod(0o644)
    return operation


def calls(operation, directory):
    """Of each verb; those that change things follow those that look."""
    story, other = str(directory / 'story'), str(directory / 'folder' / LONG)
    records = 'profiles devices workspaces objects schemas plans encryption-profiles migrations actors'.split()
    yield from (['status'], ['status', '--user'], ['doctor'], ['doctor', '--deep'], ['ops', 'list'],
                ['ops', 'show', operation], ['ops', 'show', 'none'], ['ops', 'reconciled'], ['tasks', 'list'],
                ['tasks', 'show', operation], ['events', 'list'], ['events', 'show', operation],
                ['explain', story], ['explain', LONG], ['log', story], ['log', LONG], ['find', 'story'],
                ['find', LONG], ['find', 'nothing-of-the-kind'], ['evidence', 'list'], ['evidence', 'show', 'none'],
                ['evidence', 'wrap'], ['evidence', 'write'], ['evidence', 'validate'],
                ['workspace', 'list'], ['workspace', 'show', 'notes'], ['workspace', 'files', 'notes'],
                ['workspace', 'files', 'notes', '--mismatched'], ['workspace', 'ignore', 'notes'],
                ['workspace', 'announce'], ['workspace', 'accept', other], ['workspace', 'accept', '/nowhere'],
                ['workspace', 'restore', story, '--dry-run'], ['verify', 'log'], ['verify', 'log', '--full'],
                ['verify', 'proof', '--operation', operation], ['verify', 'checkpoint'],
                ['contract', 'list'], ['contract', 'show', 'sourceos.actor-record/v1alpha1'],
                ['contract', 'validate'], ['policy', 'list'], ['policy', 'explain', '--object', LONG],
                ['policy', 'test'], ['policy', 'codes'], ['policy', 'normalize'], ['health', 'snapshot', '--file=/x'],
                ['health', 'verify'], ['health', 'explain'], ['trust', 'evaluate'], ['trust', 'validate'],
                ['scorecard', 'evaluate'], ['scorecard', 'validate'], ['migrations', 'apply'],
                ['migrations', 'rollback'], ['migrations', 'report'], ['migrations', 'sign'])
    for kind in records:
        yield from ([kind, 'list'], [kind, 'show', 'none'], [kind, 'register'], [kind, 'update', 'none'],
                    [kind, 'revoke', 'none', '--yes'])
    yield from (['actors', 'show', 'actor-1'], ['actors', 'update', 'actor-1', '--set=trust_level=local'],
                ['actors', 'revoke', 'actor-1', '--yes'],
                ['ops', 'enqueue', '--object=note-2'], ['ops', 'enqueue'], ['ops', 'replay', operation],
                ['ops', 'reconcile', operation, '--as=applied'], ['ops', 'delete', 'note-2'],
                ['ops', 'purge', 'note-2', '--dry-run'], ['ops', 'purge', 'note-1'], ['ops', 'checkpoint'],
                ['tasks', 'claim'], ['tasks', 'renew', operation], ['tasks', 'complete', operation],
                ['tasks', 'fail', operation], ['tasks', 'cancel', operation],
                ['repair', 'list'], ['repair', 'show'], ['repair', 'discard'], ['repair', 'plan'],
                ['repair', 'list'], ['repair', 'show'], ['repair', 'approve'], ['repair', 'approve', '--yes'],
                ['repair', 'apply', '--yes'],
                ['repair', 'rollback'], ['repair', 'discard', '--yes'],
                ['prove', LONG, f'--output={directory}.proof'], ['verify', 'proof', f'{directory}.proof'],
                ['workspace', 'restore', story, '--yes'], ['workspace', 'accept', story, '--yes'],
                ['workspace', 'scan', 'notes'], ['workspace', 'pause', 'notes'], ['workspace', 'resume', 'notes'],
                ['workspace', 'remove', 'notes'], ['workspace', 'add', '/nowhere'],
                ['store', 'adopt'], ['store', 'init'], ['daemon', '--user'], ['daemon', '--bus-address=unix:path=/no'],
                ['completion', 'bash'], ['help'], ['repair', '--help'], ['no-such-verb'])


@promise
def every_line_fits(world):
    with served(world) as (cli, daemon):
        cli.environment.update(SOURCEOS_PAGER='cat', TERM='dumb')
        operation = in_need(cli, daemon, directory := cli.directory / 'n')
        called, wrong = set(), {}
        verbs = {verb['verb'] for verb in cli.json('help')['verbs']}
        for words in calls(operation, directory):
            name = next((n for n in (' '.join(words[:2]), words[0]) if n in verbs), None)
            called.add(name)
            if name in DOCUMENTS:
                continue
            lines = too_long(on_terminal(cli, words, b'n\n', None, columns=COLUMNS))
            if lines:
                wrong[' '.join(words)] = lines
        equal(wrong, {})
        equal(verbs - called, set(), 'called by nobody here')


@promise
def every_help_fits(world):
    with served(world) as (cli, _):
        cli.environment.update(SOURCEOS_PAGER='cat', TERM='dumb')
        for verb in cli.json('help')['verbs']:
            words = [*verb['verb'].split(), '--help']
            equal(too_long(on_terminal(cli, words, b'', None, columns=COLUMNS)), [], verb['verb'])


@promise
def without_a_daemon_every_line_fits(world):
    with served(world) as (cli, daemon):
        daemon.stop()
        cli.environment.update(SOURCEOS_PAGER='cat', TERM='dumb')
        for words in (['status'], ['doctor'], ['ops', 'list'], ['store', 'adopt'], ['store', 'init']):
            equal(too_long(on_terminal(cli, words, b'', None, columns=COLUMNS)), [], words)


if __name__ == '__main__':
    main(session_world)
