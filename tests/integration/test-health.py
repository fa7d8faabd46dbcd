#!/usr/bin/python3
"""What the daemon says of its own state, and who believes it."""

import json
import signal

from cli_user import FAILED, NEGATIVE, UNREACHABLE, Cli, served
from harness import equal, eventually, main, promise, session_world

TRUST = ('trust', 'evaluate', '--subject=agent:one', '--action=read', '--require-attestation')


def bytes_of(directory):
    return {path: path.read_bytes() for path in directory.rglob('*') if path.is_file()}


def settled(cli):
    """The report once the verification after the start has ended."""
    held = {}

    def is_verified():
        held.update(cli.json('health', 'snapshot'))
        return held['stores'][0]['verified_at'] is not None
    eventually(is_verified, 'the log is verified')
    return held


@promise
def the_report_of_now_is_believed_by_those_who_know_the_device(world):
    with served(world) as (cli, daemon):
        cli.enqueue()
        report = settled(cli)
        equal(report['diagnosis']['status'], 'healthy')
        equal((report['identity']['pid'], len(report['lanes'])), (daemon.pid, 11))
        assert str(daemon.state) not in json.dumps(report)
        for words in (('health', 'verify'), ('health', 'explain'), TRUST, ('scorecard', 'evaluate')):
            cli.does(*words)
        equal(json.loads(cli.does(*TRUST))['evidence']['attestation_signed'], True)
        equal(json.loads(cli.does('health', 'explain'))['narrative']['what_happened'], ['Nothing is wrong.'])

        kept = daemon.directory / 'report.json'
        kept.write_text(cli.does('health', 'snapshot'))
        verify = ('health', 'verify', '--file', str(kept))
        key = ('--key', next(invariant['evidence']['key'] for invariant in report['invariants']
                             if invariant['id'] == 'attestation.signed'))
        cli.does(*verify, *key)
        equal(cli.run(*verify)[0], NEGATIVE, 'a report says by itself who is to be believed')
        kept.write_text(kept.read_text().replace('"budget_mb": 64', '"budget_mb": 65'))
        equal(cli.run(*verify, *key)[0], NEGATIVE)


@promise
def without_a_daemon_a_state_is_looked_at_and_not_touched(world):
    with served(world) as (cli, daemon):
        settled(cli)
        where = f'--state-dir={daemon.state}'
        message = cli.fails(FAILED, 'Busy', 'health', 'snapshot', where)
        assert f'pid {daemon.pid}' in message, message
        daemon.stop()
        cli.fails(UNREACHABLE, 'Unreachable', 'health', 'verify')
        before = bytes_of(daemon.state)
        report = cli.json('health', 'snapshot', where)
        equal(bytes_of(daemon.state), before)
        equal((report['attestation']['signed'], report['runtime']['last_heartbeat_at']), (False, None))
        assert report['runtime']['last_clean_shutdown_at'], report['runtime']


@promise
def a_directory_without_a_state_says_so(world):
    cli = Cli(world, world.directory / 'nobody', None)
    nothing = world.directory / 'nothing'
    report = cli.json('health', 'snapshot', f'--state-dir={nothing}')
    equal(report['collection']['errors'], ['not initialized'])
    equal({lane['status'] for lane in report['lanes']}, {'dormant'})
    assert not nothing.exists()


@promise
def a_daemon_that_was_killed_is_told_of_until_the_log_was_verified(world):
    with served(world) as (cli, daemon):
        settled(cli)
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        where = f'--state-dir={daemon.state}'
        assert cli.json('health', 'snapshot', where)['runtime']['last_dirty_open_at']


if __name__ == '__main__':
    main(session_world)
