#!/usr/bin/python3
"""What the shells offer, from the scripts that the program makes of its table of verbs."""

import os
import shutil
import subprocess

from cli_user import Cli
from harness import equal, main, promise, session_world
from mounts import Skip


def shell(name, *words, environment=None):
    if not shutil.which(name):
        raise Skip(f'{name} is not installed')
    done = subprocess.run([name, *words], capture_output=True, text=True, check=False, env=environment)
    equal((done.returncode, done.stderr), (0, ''), words)
    return done.stdout


def script(world, name):
    return Cli(world, world.place(), None).does('completion', name)


def listing_plans(world):
    """The program's place in the path is taken by one that lists two plans of each instance."""
    place = world.place()
    place.mkdir(parents=True, exist_ok=True)
    program = place / 'sourceos-syncd'
    program.write_text('#!/bin/sh\n'
                       'case "$*" in "repair list --system "*) of=s ;; "repair list "*) of=u ;; *) exit 1 ;; esac\n'
                       'printf "PLAN STATE\\nplan-${of}1 preview\\nplan-${of}2 complete\\n"\n')
    program.chmod(0o755)
    return {**os.environ, 'PATH': f'{place}:{os.environ["PATH"]}'}


@promise
def bash_completes_verbs_and_options(world):
    functions = script(world, 'bash')

    def complete(*words):
        words = ('sourceos-syncd', *words)
        quoted = ' '.join(f"'{word}'" for word in words)
        return subprocess.run(
            ['bash', '--norc', '-c', f'{functions}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n'
             f"_sourceos_syncd '{words[0]}' '{words[-1]}' '{words[-2]}'\n"
             'printf "%s\\n" "${COMPREPLY[@]}"'],
            capture_output=True, text=True, check=False, env=environment).stdout.split()

    environment = listing_plans(world)
    for verb in ('show', 'approve', 'apply', 'rollback', 'discard'):
        equal(complete('repair', verb, ''), ['plan-u1', 'plan-u2'])
    equal(complete('--system', 'repair', 'apply', 'plan-'), ['plan-s1', 'plan-s2'])
    assert '--approved-plan=' in complete('repair', 'apply', '--')

    equal(complete('st'), ['status', 'store'])
    equal(complete('ops', ''), [*complete('ops', 'e'), 'list', 'show', 'replay', 'reconcile',
                                'reconciled', 'delete', 'purge', 'checkpoint',
                                *complete('ops', '--')])
    equal(complete('ops', 'e'), ['enqueue'])
    equal(complete('--json', 'ops', 'enqueue', '--par'), ['--parent='])
    equal(complete('completion', ''), ['bash', 'zsh', 'fish'])
    equal(complete('status', '--color', 'al'), ['always'])
    equal(complete('status', '--color', '=', 'n'), ['never'])
    equal(complete('ops', 'enqueue', '--lane', 'pr'), ['priority'])
    equal(complete('policy', 'explain', '--action', '=', 'agent'), ['agent_access'])
    equal(complete('devices', 'list', '--state', 'q'), ['quarantined'])
    equal(complete('contract', 'show', 'sourceos.actor'), ['sourceos.actor-record/v1alpha1'])
    equal(complete('workspace', 'add', '/us'), ['/usr'])


@promise
def fish_completes_verbs_options_and_words(world):
    functions = script(world, 'fish')

    def complete(*words):
        line = ' '.join(('sourceos-syncd', *words))
        offered = shell('fish', '--no-config', '-c', f'{functions}\ncomplete -C "{line}"',
                        environment=listing_plans(world))
        return [line.split('\t')[0] for line in offered.splitlines()]

    equal(complete('st'), ['status', 'store'])
    equal(complete('ops', 'e'), ['enqueue'])
    equal(complete('ops', 'enqueue', '--par'), ['--parent'])
    equal(complete('ops', 'enqueue', '--lane', 'pr'), ['priority'])
    equal(complete('status', '--lan'), [], 'an option of another verb')
    equal(complete('contract', 'show', 'sourceos.actor'), ['sourceos.actor-record/v1alpha1'])
    equal(complete('completion', 'z'), ['zsh'])
    equal(complete('repair', 'apply', 'plan-'), ['plan-u1', 'plan-u2'])
    equal(complete('repair', 'show', '--system', 'plan-'), ['plan-s1', 'plan-s2'])


@promise
def zsh_completes_verbs_options_and_words(world):
    """Its functions are those of a terminal; here they say what they were given."""
    functions = script(world, 'zsh')
    given = ('compdef() {}; _arguments() { print -rl -- "$@"; [[ $* == *_plans ]] && _sourceos_syncd_plans }; '
             'compadd() { print -rl -- "${(P@)2}" }; '
             '_describe() { print -rl -- "${(P@)4}" }\n')

    def complete(*words):
        quoted = ' '.join(f"'{word}'" for word in ('sourceos-syncd', *words))
        return shell('zsh', '-f', '-c', f'{given}{functions}\nwords=({quoted}); CURRENT={len(words) + 1}\n'
                     '_sourceos_syncd; true', environment=listing_plans(world)).splitlines()

    assert any(line.startswith('enqueue:') for line in complete('ops', '')), complete('ops', '')
    specs = complete('ops', 'enqueue', '')
    assert any(line.startswith('--lane=[') and line.endswith(':LANE:(%s)' % ' '.join((
        'normal', 'priority', 'secure', 'ephemeral', 'memory', 'policy', 'audit', 'tombstone',
        'migration', 'repair', 'archive'))) for line in specs), specs
    schema, = (line for line in complete('contract', 'validate', '') if line.startswith('--schema'))
    assert '"words:word:(' in schema and schema.endswith('"files:file:_files"'), schema
    assert any('sourceos.actor-record/v1alpha1' in line for line in complete('contract', 'show', ''))
    equal(complete('repair', 'show', '')[-2:], ['plan-u1', 'plan-u2'])
    equal(complete('--system', 'repair', 'apply', '')[-2:], ['plan-s1', 'plan-s2'])


@promise
def help_names_the_words_as_well(world):
    cli = Cli(world, world.place(), None)

    def shown(*words):
        return ' '.join(cli.does(*words, '--help').split())

    assert 'The lane (default: normal): normal, priority, secure, ' in shown('ops', 'enqueue')
    assert 'Only in this state: trusted, untrusted, revoked, quarantined' in shown('devices', 'list')
    assert 'Only in this state: active or revoked' in shown('actors', 'list')


if __name__ == '__main__':
    main(session_world)
