#!/usr/bin/python3
"""Rules of policy from files: what a daemon does with them, and what the command line says of them."""

import contextlib
import json
import pathlib
import re
import signal

from cli_user import FAILED, NEGATIVE, Cli
from harness import ERROR, GLib, Refused, equal, eventually, main, promise, session_world

POLICY_DENIED = 5


def rule(reason, effect='deny', **match):
    grants = match.pop('grants', None)
    return {'match': match, 'effect': effect, 'reason': reason, 'rationale': f'{reason}, they say.',
            **({'grants': grants} if grants else {})}


def write(path, *rules):
    path.write_text(json.dumps({'schema': 'sourceos.policy-rules/v1', 'rules': rules}))
    path.chmod(0o644)


@contextlib.contextmanager
def governed(world, machine=(), user=()):
    """A daemon with rules of both levels; the directories of their files."""
    place = pathlib.Path(world.place())
    directories = place / 'machine', place / 'config' / 'sourceos-syncd' / 'policy.d'
    for directory, rules in zip(directories, (machine, user)):
        directory.mkdir(parents=True, mode=0o755)
        if rules:
            write(directory / '50-first.json', *rules)
    with world.daemon(directory=place, words=[f'--policy-dir={directories[0]}']) as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        cli.environment['XDG_CONFIG_HOME'] = str(place / 'config')
        with world.caller() as caller:
            yield daemon, cli, caller, directories


def refused(caller, name, text, **request):
    try:
        caller.enqueue(**request)
    except Refused as error:
        equal(error.name, ERROR + name)
        assert text in error.text, error.text
        return
    raise AssertionError(f'it was not refused: {request}')


def reload(daemon):
    before = daemon.notified.count('READY=1')
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: daemon.notified.count('READY=1') > before, 'the rules are read again')
    assert 'RELOADING=1' in daemon.notified, daemon.notified
    assert any(line.startswith('MONOTONIC_USEC=') for line in daemon.notified)


# --- the daemon --------------------------------------------------------------------------------

@promise
def what_rules_say_is_what_happens(world):
    rules = (rule('no_archive', lanes=['archive']),
             rule('plans_are_looked_at', 'review_required', scopes=['workspace:plans']),
             rule('secure_is_open', 'allow', lanes=['secure']))
    with governed(world, rules, [rule('not_mine', objects=['note:7'])]) as (_, cli, caller, _):
        caller.enqueue()
        caller.enqueue(lane=GLib.Variant('s', 'secure'))
        refused(caller, 'PolicyDenied', 'no_archive, a rule of the machine in 50-first.json: '
                'no_archive, they say.', lane=GLib.Variant('s', 'archive'))
        refused(caller, 'ApprovalRequired', 'plans_are_looked_at', scope='workspace:plans')
        refused(caller, 'PolicyDenied', 'not_mine, a rule of the user', thing='note:7')
        refused(caller, 'PolicyDenied', 'lane_fails_closed_without_a_rule',
                lane=GLib.Variant('s', 'policy'))
        _, _, err = cli.run('ops', 'enqueue', '--object=note:8', '--lane=archive')
        decision = re.search(r'policy explain (policy-[0-9a-f]+)', err)[1]
        code, out, err = cli.run('policy', 'explain', decision, '--json')
        equal((code, json.loads(out)['policy_decision_ref']), (NEGATIVE, decision), err)
        equal(len(cli.json('ops', 'list')), 2)
        denied = cli.json('events', 'list', '--type=sync.policy.denied')
        equal(len(denied), 4)
        code, _, err = cli.run('ops', 'enqueue', '--object=note:7')
        equal(code, POLICY_DENIED, err)
        assert 'policy explain' in err, err


@promise
def a_denial_can_be_read_and_explained_afterwards(world):
    with governed(world, [rule('not_this', objects=['note:7'])]) as (_, cli, caller, _):
        allowed = caller.enqueue()[0]
        refused(caller, 'PolicyDenied', 'not_this', thing='note:7')
        event, = cli.json('events', 'list', '--type=sync.policy.denied')
        decision = event['policy_decision_ref']
        equal((event['reason_code'], event['object_id'], event['policy']['action']),
              ('not_this', 'note:7', 'write'))
        assert event['actor_id'] != cli.json('events', 'list', '--limit=1')[0]['device_id']
        equal(cli.json('events', 'show', str(event['sequence'])), event)
        shown = cli.does('events', 'show', str(event['sequence']))
        for word in ('not_this', 'note:7', decision, event['actor_id']):
            assert word in shown, (word, shown)
        assert 'write note:7, not_this' in cli.does('events', 'list'), 'the list says why'

        code, out, _ = cli.run('policy', 'explain', decision)
        equal(code, NEGATIVE)
        for word in ('denied: write in the lane normal', 'not_this, they say.', 'note:7', 'machine'):
            assert word in out, (word, out)
        code, out, _ = cli.run('policy', 'explain', decision, '--json')
        equal((code, json.loads(out)), (NEGATIVE, event))
        reference = cli.json('ops', 'show', allowed)['policy_decision_ref']
        assert 'allowed: write in the lane normal' in cli.does('policy', 'explain', reference)
        code, _, err = cli.run('policy', 'explain', 'policy-0000000000000000')
        equal(code, 3)
        assert 'has no decision policy-0000000000000000' in err and 'events list' in err, err
        code, _, err = cli.run('policy', 'explain', 'policy-12')
        equal(code, 3)
        assert '`policy-12` is no request, no decision' in err, err


@promise
def a_decision_is_recorded_with_the_policy_that_made_it(world):
    with governed(world, [rule('yes', 'allow', scopes=['workspace:notes'])]) as (
            daemon, cli, caller, directories):
        first = caller.enqueue()[0]
        write(directories[0] / '60-more.json', rule('no_archive', lanes=['archive']))
        reload(daemon)
        second = caller.enqueue()[0]
        decisions = cli.json('events', 'list', '--type=sync.policy.decided')
        equal(len(decisions), 4, 'to write and to retain, under two policies')
        records = [cli.json('ops', 'show', operation)['policy_decision_ref']
                   for operation in (first, second)]
        equal(records[0], records[1], 'the same answer to the same question')


@promise
def a_bad_file_leaves_the_last_good_rules(world):
    with governed(world, [rule('no_archive', lanes=['archive'])]) as (
            daemon, cli, caller, directories):
        lane = {'lane': GLib.Variant('s', 'archive')}
        refused(caller, 'PolicyDenied', 'no_archive', **lane)
        (directories[0] / '50-first.json').unlink()
        bad = directories[0] / '60-bad.json'
        bad.write_text('{"schema": "sourceos.policy-rules/v1",\n "rules": [{"efect": 1}]}')
        reload(daemon)
        refused(caller, 'PolicyDenied', 'no_archive', **lane)
        shown = cli.does('status', '--user')
        for part in (f'in line 2 of {bad}', 'policy list', 'the last good rules of its level stay in force'):
            assert part in shown and part in daemon.log.read_text(), (part, shown)
        status = cli.json('status', '--user')
        equal((status['daemon_state'], status['state_reasons'][0]),
              ('degraded', 'policy-rules-refused'))
        assert '60-bad.json: /rules/0/efect' in cli.does('status', '--user')
        assert '60-bad.json: /rules/0/efect' in daemon.log.read_text()
        eventually(lambda: 'policy-rules-refused' in daemon.status_file.read_text(),
                   'status.json says so')
        assert '60-bad.json' not in daemon.status_file.read_text()

        bad.unlink()
        reload(daemon)
        caller.enqueue(**lane)
        assert 'policy-rules-refused' not in cli.json('status', '--user')['state_reasons']


@promise
def after_a_restart_the_last_good_rules_are_in_force(world):
    rules = rule('secure_is_open', 'allow', lanes=['secure']), rule('no_archive', lanes=['archive'])
    secure = {'lane': GLib.Variant('s', 'secure')}
    with governed(world, rules) as (daemon, cli, caller, directories):
        caller.enqueue(**secure)
        before = cli.json('status', '--user')['policy']
        equal([(one['level'], one['state'], one['rules'], one['kept']) for one in before['levels']],
              [('machine', 'current', 2, True), ('user', 'current', 0, True)])
        daemon.stop()
        (directories[0] / '50-first.json').chmod(0o664)
        with world.daemon(directory=daemon.directory, words=[f'--policy-dir={directories[0]}']):
            caller.enqueue(**secure)
            refused(caller, 'PolicyDenied', 'no_archive', lane=GLib.Variant('s', 'archive'))
            status = cli.json('status', '--user')
            equal((status['daemon_state'], status['state_reasons'][0]),
                  ('degraded', 'policy-rules-refused'))
            now = status['policy']
            equal(now['digest'], before['digest'])
            assert 'others than its owner' in now['refused'], now
            equal((now['levels'][0]['state'], now['levels'][0]['in_force_since']),
                  ('last-good', before['levels'][0]['in_force_since']))
            shown = cli.does('status', '--user')
            assert "the machine's last good ones stay in force, of 20" in shown, shown
            assert 'others than its owner' in shown, shown


@promise
def without_good_rules_lanes_fail_closed(world):
    secure = {'lane': GLib.Variant('s', 'secure')}
    with governed(world, [rule('secure_is_open', 'allow', lanes=['secure'])]) as (
            daemon, cli, caller, directories):
        caller.enqueue(**secure)
        daemon.stop()
        (directories[0] / '50-first.json').chmod(0o664)
        kept = daemon.state / 'policy' / 'machine.json'
        kept.write_text(kept.read_text().replace('allow', 'deny ', 1))
        with world.daemon(directory=daemon.directory, words=[f'--policy-dir={directories[0]}']):
            refused(caller, 'PolicyDenied', 'lane_fails_closed_rules_unusable', **secure)
            shown = cli.does('status', '--user')
            assert 'others than its owner' in shown, shown
            assert 'last good rules of the machine cannot be used' in shown, shown
            assert 'lanes secure, policy and repair are closed' in shown, shown
            caller.enqueue()


@promise
def a_rule_that_could_never_match_is_refused(world):
    where = '50-first.json: rule closed: /rules/0/match/workspaces/0 is "notes"'
    with governed(world, [rule('closed', workspaces=['notes'])]) as (_, cli, caller, directories):
        shown = ' '.join(cli.does('status', '--user').split())
        assert where in shown and 'write "workspace:notes"' in shown, shown
        caller.enqueue()

        cases = directories[0].parent / 'cases.json'
        cases.write_text(json.dumps({'schema': 'sourceos.policy-cases/v1', 'cases': []}))
        code, _, err = cli.run('policy', 'test', str(cases), f'--rules={directories[0]}')
        equal(code, FAILED)
        assert where in err and 'write "workspace:notes"' in err, err
        code, out, err = cli.run('daemon', '--check-config', f'--policy-dir={directories[0]}')
        equal(code, NEGATIVE)
        assert where in err and '[Daemon]' in out, err
        write(directories[0] / '50-first.json', rule('closed', workspaces=['workspace:notes']))
        equal(cli.run('daemon', '--check-config', f'--policy-dir={directories[0]}')[0], 0)
    with alone(world) as (cli, _):
        code, out, _ = cli.run('policy', 'explain', '--action=wirte')
        equal(code, NEGATIVE)
        assert 'There is no action `wirte`; there are: write, index, ' in out, out
        assert 'no action' not in cli.does('policy', 'explain', '--action=write')
        message = cli.fails(NEGATIVE, 'Usage', 'policy', 'explain', '--lane=secrue')
        assert 'one of: secure, normal' in message, message
        message = cli.fails(NEGATIVE, 'InvalidContract', 'policy', 'explain', '--workspace=notes')
        assert '--workspace is "notes"' in message, message


@promise
def hanging_up_changes_nothing_else(world):
    with governed(world) as (daemon, cli, caller, _):
        for _ in range(20):
            daemon.process.send_signal(signal.SIGHUP)
            caller.enqueue()
        equal(cli.json('status', '--user')['daemon_state'], 'clean')


# --- the command line --------------------------------------------------------------------------

@contextlib.contextmanager
def alone(world, *rules):
    place = pathlib.Path(world.place())
    directory = place / 'rules'
    directory.mkdir(parents=True)
    write(directory / '50-site.json', *rules)
    yield Cli(world, place / 'user', None), directory


@promise
def a_request_is_explained_without_a_daemon(world):
    rules = (rule('broad', 'allow', lanes=['normal']),
             rule('narrow', lanes=['normal'], workspaces=['workspace:notes']))
    with alone(world, *rules) as (cli, directory):
        words = 'policy', 'explain', f'--rules={directory}'
        code, out, _ = cli.run(*words, '{"scope": "workspace:notes"}')
        equal(code, NEGATIVE)
        assert out.startswith('denied: write in the lane normal'), out
        assert "Decided by the machine's rule narrow in 50-site.json: narrow, they say." in out, out
        assert 'rule broad in 50-site.json: allow (a more specific rule' in out, out

        code, out, _ = cli.run(*words, '--scope=workspace:notes', '--json')
        result = json.loads(out)
        equal(result['decision']['reason'], 'narrow')
        equal([(one['reason'], one['fate']) for one in result['considered']],
              [('narrow', 'decides'), ('broad', 'less_specific'),
               ('default_local_policy_allows', 'weaker')])
        boundary = result['decision']['decision_boundary']
        equal((boundary['decision_scope'], boundary['ledger_write_performed']),
              ('policy-only', False))
        equal(cli.json(*words, '-', stdin='{"workspace":"workspace:other"}')['decision']['reason'], 'broad')
        cli.fails(NEGATIVE, 'InvalidContract', *words, '{"lane": "fast"}')
        cli.fails(NEGATIVE, 'InvalidContract', *words, '{"lain": "secure"}')


@promise
def a_decision_given_must_be_clean_and_not_weaker(world):
    with alone(world, rule('closed', subjects=['uid:7'])) as (cli, directory):
        decision = cli.json('policy', 'explain', '--subject=uid:7')['decision']
        text = json.dumps(decision)
        code, out, _ = cli.run('policy', 'explain', '-', f'--rules={directory}', '--json', stdin=text)
        equal((code, json.loads(out)['given_is_weaker']), (NEGATIVE, True))
        equal(cli.json('policy', 'explain', text)['given_is_weaker'], False)
        decision['decision_boundary']['ledger_write_performed'] = True
        message = cli.fails(NEGATIVE, 'InvalidContract', 'policy', 'explain', json.dumps(decision))
        assert '/decision_boundary/ledger_write_performed' in message, message


@promise
def cases_are_tested(world):
    with alone(world, rule('closed', lanes=['archive'])) as (cli, directory):
        cases = directory.parent / 'cases.json'
        good = {'request': {'lane': 'archive'}, 'expect': {'effect': 'deny', 'reason': 'closed'}}
        wrong = {'name': 'agents may', 'request': {'lane': 'secure', 'action': 'agent_access'},
                 'expect': {'effect': 'allow'}}
        words = 'policy', 'test', str(cases), f'--rules={directory}'

        def table(*rows):
            cases.write_text(json.dumps({'schema': 'sourceos.policy-cases/v1', 'cases': rows}))

        table(good)
        equal(cli.does(*words), '1 of 1 cases hold.\n')
        table(good, wrong)
        code, out, _ = cli.run(*words)
        equal(code, NEGATIVE)
        assert 'Failed: agents may\n  expected: allow\n  got: deny denied ' in out, out
        code, out, _ = cli.run(*words, '--json')
        result = json.loads(out)
        equal((code, result['cases'], [one['name'] for one in result['failed']]),
              (NEGATIVE, 2, ['agents may']))
        for spoilt in ({'request': {}}, {'request': {}, 'expect': {}}, 1,
                       {'request': {}, 'expect': {'effect': 'permit'}},
                       {'request': {'lain': 'x'}, 'expect': {'effect': 'deny'}}):
            table(spoilt)
            assert '/cases/0' in cli.fails(FAILED, 'Failed', *words)
        (directory / '50-site.json').write_text('{')
        table(good)
        assert '50-site.json' in cli.fails(FAILED, 'Failed', *words)


@promise
def the_rules_that_are_installed_hold(world):
    place = pathlib.Path(world.place())
    cli = Cli(world, place, None)
    source = pathlib.Path(__file__).parents[2]
    out = cli.does('policy', 'test', str(source / 'tests' / 'integration' / 'lanes.cases.json'),
                   f'--rules={source / "data" / "policy"}')
    assert out.endswith(' cases hold.\n'), out
    listed = cli.json('policy', 'list', f'--rules={source / "data" / "policy"}')
    assert all(one['file'] == '10-lanes.json' for one in listed['machine']), listed
    assert 'secure_lane_local_use' in cli.does('policy', 'list',
                                               f'--rules={source / "data" / "policy"}')


if __name__ == '__main__':
    main(session_world)
