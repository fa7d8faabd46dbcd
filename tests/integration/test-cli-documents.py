#!/usr/bin/python3
"""What the verbs that judge documents print and say by their exit code. No bus and no daemon is there."""

import contextlib
import datetime
import json
import os
import pathlib
import tempfile

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, UNREACHABLE, Cli
from harness import equal, main, promise

AT = '--at=2026-05-28T20:27:10Z'
TRUST = ('--subject=agent:one', '--action=read')


class Alone:
    """The program, and a directory, and nothing else."""

    def __init__(self, options, directory):
        self.program = options.program
        self.directory = pathlib.Path(directory)
        self.documents = pathlib.Path(options.source) / 'examples' / 'documents'
        self.cli = Cli(self, self.directory / 'home', None)

    def path(self, name):
        return str(self.documents / name)

    def report(self, name='healthy'):
        return json.loads((self.documents / f'report-{name}.json').read_text())


@contextlib.contextmanager
def alone(options):
    with tempfile.TemporaryDirectory(prefix='syncd-documents-') as directory:
        yield Alone(options, directory)


def judged(world, code, *words, **options):
    """The document on standard output of a verb that ends with this code."""
    found, out, err = world.cli.run(*words, **options)
    equal((found, err), (code, ''), f'{words}: {out}')
    return json.loads(out)


def given(document):
    return {'stdin': json.dumps(document)}


# --- reports -----------------------------------------------------------------------------------

@promise
def a_healthy_report_passes(world):
    report = world.path('report-healthy.json')
    verified = judged(world, DONE, 'health', 'verify', '--file', report, AT)
    equal((verified['status'], verified['contract_errors']), ('pass', []))
    equal([i['id'] for i in verified['invariants']], [
        'report.contract_valid', 'heartbeat.within_sla', 'journal.replay_lag_within_sla',
        'store.shadow_verified_when_present', 'resources.disk_pressure_below_critical',
        'runtime.no_unrecovered_dirty_open'])
    equal(judged(world, DONE, 'health', 'explain', '-f', report, AT)['status'], 'healthy')
    plan = judged(world, DONE, 'repair', 'plan', '--file', report, AT)
    equal([step['id'] for step in plan['steps']], ['no_op'])
    card = judged(world, DONE, 'scorecard', 'evaluate', '--file', report, AT)
    equal((card['status'], card['score']), ('ready', 95))
    decision = judged(world, DONE, 'trust', 'evaluate', '--file', report, AT, *TRUST)
    equal((decision['status'], decision['generated_at']), ('allowed', '2026-05-28T20:27:10Z'))
    for verb, document in (('trust', decision), ('scorecard', card)):
        equal(judged(world, DONE, verb, 'validate', '--file=-', **given(document)),
              {'valid': True, 'errors': []})


@promise
def a_degraded_report_does_not(world):
    report = world.path('report-degraded.json')
    equal(judged(world, NEGATIVE, 'health', 'verify', '--file', report, AT)['status'], 'fail')
    diagnosis = judged(world, NEGATIVE, 'health', 'explain', '--file', report, AT)
    equal((diagnosis['status'], diagnosis['affected_lanes']), ('degraded', ['normal']))
    equal(len(judged(world, DONE, 'repair', 'plan', '--file', report, AT)['steps']), 4)
    evaluate = ('trust', 'evaluate', '--file', report, AT, *TRUST)
    equal(judged(world, NEGATIVE, *evaluate)['reason'], 'degraded_mode_requires_explicit_allowance')
    equal(judged(world, DONE, *evaluate, '--allow-degraded')['status'], 'degraded_allowed')
    equal(judged(world, NEGATIVE, *evaluate, '--allow-degraded', '--lane=attic')['reason'],
          'requested_lane_missing')
    equal(judged(world, NEGATIVE, 'scorecard', 'evaluate', '--file', report, AT)['status'], 'degraded')


@promise
def the_present_time_counts_unless_another_is_given(world):
    report = world.path('report-healthy.json')
    equal(judged(world, NEGATIVE, 'health', 'explain', '--file', report)['status'], 'stale')
    equal(judged(world, DONE, 'health', 'explain', '--file', report, '--max-age=0')['status'], 'healthy')
    equal(judged(world, NEGATIVE, 'health', 'explain', '--file', report, AT, '--max-age=9')['status'],
          'stale')
    now = datetime.datetime.now(datetime.timezone.utc)
    fresh = world.report()
    fresh['generated_at'] = fresh['runtime']['last_heartbeat_at'] = now.isoformat()
    equal(judged(world, DONE, 'health', 'explain', '--file=-', **given(fresh))['status'], 'healthy')
    fresh['runtime']['last_heartbeat_at'] = (now + datetime.timedelta(minutes=5)).isoformat()
    judged(world, NEGATIVE, 'health', 'verify', '--file=-', **given(fresh))


@promise
def a_signature_counts_only_with_its_key(world):
    report = world.path('report-signed.json')
    key = (world.documents / 'report-signed.vkey').read_text().strip()
    verify = ('health', 'verify', '--file', report, AT)
    equal(judged(world, NEGATIVE, *verify)['status'], 'warn')
    equal(judged(world, DONE, *verify, '--key', key)['status'], 'pass')
    evaluate = ('trust', 'evaluate', '--file', report, AT, '--require-attestation', *TRUST)
    equal(judged(world, NEGATIVE, *evaluate)['reason'], 'required_attestation_missing')
    equal(judged(world, DONE, *evaluate, '-k', key)['evidence']['attestation_signed'], True)
    equal(judged(world, DONE, 'scorecard', 'evaluate', '--file', report, AT, '-k', key)['score'], 100)
    forged = world.report('signed')
    forged['identity']['pid'] += 1
    for verb in ('verify', 'explain'):
        judged(world, NEGATIVE, 'health', verb, '--file=-', AT, '-k', key, **given(forged))
    world.cli.fails(NEGATIVE, 'InvalidArgs', *verify, '--key=nonsense')


# --- evidence and policy -----------------------------------------------------------------------

@promise
def evidence_is_written_once(world):
    words = ('--file', world.path('report-healthy.json'), '--type=state-integrity-report',
             '--subject=device:this')
    wrapped = judged(world, DONE, 'evidence', 'wrap', *words)
    equal(judged(world, DONE, 'evidence', 'validate', '--file=-', **given(wrapped))['valid'], True)
    equal(wrapped['artifact'], world.report())

    directory = world.directory / 'new' / 'evidence'
    write = ('evidence', 'write', *words, f'--output-dir={directory}')
    written = judged(world, DONE, *write)
    path = pathlib.Path(written['path'])
    equal(path, directory / f'{wrapped["evidence_id"]}.json')
    equal(json.loads(path.read_text()), written['evidence'])
    equal(path.stat().st_mode & 0o777, 0o600)
    before = path.read_bytes()
    equal(judged(world, DONE, *write), written, 'the same evidence is kept once')
    equal((path.read_bytes(), os.listdir(directory)), (before, [path.name]))

    path.write_bytes(before.replace(b'device:this', b'device:that'))
    world.cli.fails(FAILED, 'Failed', *write)
    judged(world, NEGATIVE, 'evidence', 'validate', '--file', str(path))
    world.cli.fails(NEGATIVE, 'Usage', 'evidence', 'wrap', *words, '--type=gossip')
    world.cli.fails(NEGATIVE, 'Usage', 'evidence', 'write', *words)
    (world.directory / 'file').write_text('')
    world.cli.fails(FAILED, 'Failed', 'evidence', 'write', *words,
                    f'--output-dir={world.directory}/file')


@promise
def observations_become_events(world):
    path = world.path('observation.json')
    event = judged(world, DONE, 'policy', 'normalize', '--file', path)
    equal((event['event_id'], event['severity']), ('evt_indexer_reads_programs', 'notice'))
    observation = json.loads(pathlib.Path(path).read_text())
    observation['result'] = 'allow'
    refused = judged(world, NEGATIVE, 'policy', 'normalize', '--file=-', **given(observation))
    equal(refused['valid'], False)
    assert any('/result' in sentence for sentence in refused['errors']), refused
    codes = judged(world, DONE, 'policy', 'codes')['codes']
    equal(len({code['code'] for code in codes}), 8)


# --- all of them -------------------------------------------------------------------------------

READERS = [('health', 'verify'), ('health', 'explain'), ('repair', 'plan'),
           ('trust', 'evaluate', *TRUST), ('trust', 'validate'), ('scorecard', 'evaluate'),
           ('scorecard', 'validate'), ('evidence', 'wrap', '--type=repair-plan', '--subject=s'),
           ('evidence', 'validate'), ('policy', 'normalize')]
# Without a document these ask the daemon.
LIVE = [('health', 'verify'), ('health', 'explain'), ('repair', 'plan'),
        ('trust', 'evaluate', *TRUST), ('scorecard', 'evaluate')]


@promise
def what_is_no_json_is_an_error(world):
    nonsense = world.directory / 'nonsense'
    for content in (b'', b'{', b'[1,]', b'{"a":1,"a":2}', b'NaN', b'\xff', b'{}{}', b'[' * 100000,
                    b'"\\ud800"', b'{"a":"\0"}'):
        nonsense.write_bytes(content)
        for words in READERS:
            world.cli.fails(FAILED, 'Failed', *words, '--file', str(nonsense))
    for words in READERS:
        world.cli.fails(NOT_FOUND, 'NotFound', *words, '--file', str(world.directory / 'none'))
        world.cli.fails(FAILED, 'Failed', *words, '--file', str(world.directory))


@promise
def what_is_no_such_document_is_judged(world):
    for text in ('[]', 'null', '17', '"x"', '{}', '{"schema":7}', '[[[[]]]]'):
        for words in READERS:
            code, out, err = world.cli.run(*words, '--file=-', stdin=text)
            if words[1] == 'wrap' and not text.startswith('{'):
                equal((code, out), (NEGATIVE, ''))
                continue
            equal(err, '', words)
            json.loads(out)
            equal(code, DONE if words[1] in ('plan', 'wrap') else NEGATIVE, f'{words}: {text}')


@promise
def what_is_missing_is_named(world):
    for words in READERS:
        if words in LIVE:
            world.cli.fails(UNREACHABLE, 'Unreachable', *words)
            continue
        message = world.cli.fails(NEGATIVE, 'Usage', *words)
        assert message.endswith('is needed.'), message
    report = world.path('report-healthy.json')
    for words in (('--subject=a',), ('--action=a',), ('--subject=', '--action=a'),
                  (*TRUST, '--lane=')):
        world.cli.fails(NEGATIVE, 'Usage', 'trust', 'evaluate', '--file', report, *words)
    world.cli.fails(NEGATIVE, 'Usage', 'health', 'verify', '--file', report, '--at=soon')
    world.cli.fails(NEGATIVE, 'Usage', 'health', 'verify', '--file', report, '--max-age=old')


@promise
def output_is_pretty_or_one_line(world):
    words = ('health', 'verify', '--file', world.path('report-healthy.json'), AT)
    pretty = world.cli.does(*words)
    assert pretty.startswith('{\n  "contract_errors": []'), pretty
    equal(world.cli.does(*words, '--json'), pretty)
    line = world.cli.does(*words, '--compact')
    equal((line.count('\n'), line[-1]), (1, '\n'))
    equal(world.cli.does('--compact', *words), line)
    equal(world.cli.does(*words, '--compact', '--json'), line)
    equal(json.loads(line), json.loads(pretty))
    wrap = ('evidence', 'wrap', '--file', world.path('observation.json'), '--type=policy-decision',
            '--subject=s')
    wrapped = json.loads(world.cli.does(*wrap, '--compact'))
    equal(wrapped['artifact'], json.loads(pathlib.Path(world.path('observation.json')).read_text()))
    assert '  ' not in world.cli.does(*wrap, '--compact')


if __name__ == '__main__':
    main(alone)
