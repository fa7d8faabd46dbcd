#!/usr/bin/python3
"""The command line as its users run it: each verb, its output, its exit codes, and how it behaves without
a daemon, without a terminal and without a reader."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time

from cli_user import (DONE, FAILED, INTERRUPTED, NEGATIVE, NOT_AUTHORISED, NOT_FOUND, UNREACHABLE, Cli,
                      lines_of, on_terminal, served, stop)
from harness import (PATIENCE, SESSION_CONFIG, Bus, equal, eventually, main, promise, session_world)

STATUS_KEYS = {'daemon_available', 'daemon_state', 'active_profile', 'active_workspace',
               'active_device', 'degraded', 'policy_blocked', 'conflict_count', 'repair_needed', 'note'}


# --- status ------------------------------------------------------------------------------------

@promise
def status_tells_how_it_is(world):
    with served(world) as (cli, _):
        status = cli.json('status')
        assert STATUS_KEYS <= set(status), status
        equal((status['daemon_available'], status['daemon_state'], status['instance']),
              (True, 'clean', 'user'))
        equal([one['instance'] for one in status['instances']], ['system', 'user'], 'worse first')
        equal(set(cli.json('status', '--user')), set(status) - {'instances'})
        text = cli.does('status')
        assert text.index('System instance: daemon-unavailable') < text.index('User instance: clean')


def same_status(in_file, told):
    told.pop('policy', None)  # files are named there, and anybody may read this one
    in_file.pop('pid', None)  # whoever reads a file cannot tell otherwise whether somebody still writes it
    equal(set(in_file), set(told))
    for volatile in ('updated_at', 'note'):
        in_file.pop(volatile), told.pop(volatile)
    equal(in_file, told)


@promise
def the_file_says_what_status_says(world):
    with served(world) as (cli, daemon):
        cli.enqueue()
        eventually(lambda: daemon.status()['sequence'] == cli.json('status')['sequence'], 'the same')
        same_status(daemon.status(), cli.json('status', '--user'))
        daemon.stop()
        same_status(daemon.status(), json.loads(cli.run('status', '--user', '--json')[1]))


@promise
def no_daemon_is_a_state(world):
    cli = Cli(world, world.place(), world.bus.address)
    code, out, err = cli.run('status', '--json')
    equal((code, err), (UNREACHABLE, ''))
    status = json.loads(out)
    equal((status['daemon_available'], status['daemon_state']), (False, 'daemon-unavailable'))
    assert 'systemctl --user start sourceos-syncd' in status['note'], status['note']
    cli.fails(UNREACHABLE, 'Unreachable', 'ops', 'list')
    assert 'system instance' in cli.fails(UNREACHABLE, 'Unreachable', 'ops', 'list', '--system')


@promise
def looking_never_starts_a_daemon(world):
    place = world.place()
    services, trace = place / 'services', place / 'started'
    services.mkdir(parents=True)
    (services / 'org.sourceos.Sync.service').write_text(
        f'[D-BUS Service]\nName=org.sourceos.Sync\nExec={shutil.which("touch")} {trace}\n')
    bus = Bus(place / 'bus', config=SESSION_CONFIG.replace(
        '</busconfig>', f'<servicedir>{services}</servicedir></busconfig>'))
    try:
        cli = Cli(world, place, bus.address)
        equal(cli.run('status', '--user')[0], UNREACHABLE)
        equal(cli.run('events', 'list', '--follow')[0], UNREACHABLE)
        assert not trace.exists(), 'looking started it'
        equal(cli.run('ops', 'list')[0], UNREACHABLE)
        assert trace.exists(), 'the control: acting starts it'
    finally:
        bus.stop()


@promise
def one_that_does_not_answer_is_waited_for_once(world):
    with served(world) as (cli, daemon):
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            code, out, _ = cli.run('status', '--user', '--timeout=4')
            took = time.monotonic() - began
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        equal(code, UNREACHABLE)
        assert 'did not answer in time' in ' '.join(out.split()), out
        assert took < 7, took


@promise
def status_watch_prints_each_change(world):
    with served(world) as (cli, daemon):
        watch = cli.start('status', '--user', '--watch', '--json')
        first = json.loads(lines_of(watch, 1)[0])
        sequence = cli.enqueue()['sequence']
        while json.loads(lines_of(watch, 1)[0])['sequence'] != sequence:
            pass
        daemon.stop()
        while json.loads(lines_of(watch, 1)[0])['daemon_state'] != 'daemon-unavailable':
            pass
        equal(first['daemon_state'], 'clean')
        equal(stop(watch)[0], INTERRUPTED)


# --- operations and events ---------------------------------------------------------------------

@promise
def an_operation_is_found_in_every_way(world):
    with served(world) as (cli, _):
        receipt = cli.enqueue('note-1', '{"title":"Remember the milk"}')
        equal(receipt['duplicate'], False)
        operation = receipt['operation']
        record = cli.json('ops', 'show', operation)
        equal((record['title'], record['object_id'], record['sequence']),
              ('Remember the milk', 'note-1', receipt['sequence']))
        equal(cli.json('ops', 'list', '--object=note-1'), [record])
        equal([e['operation_id'] for e in cli.json('log', 'note-1')], [operation])
        event = cli.json('events', 'list', '--limit=1')[0]
        for what in (event['event_id'], str(receipt['sequence']), operation):
            equal(cli.json('events', 'show', what), event, what)
        for words in (('ops', 'show', operation), ('ops', 'list'), ('log', 'note-1'),
                      ('events', 'show', operation), ('events', 'list')):
            text = cli.does(*words)
            assert 'note-1' in text and '{' not in text.split('\n')[0], text


@promise
def what_is_not_there_is_named(world):
    with served(world) as (cli, _):
        missing = (('ops', 'show', 'op-none'), ('log', 'nothing'), ('events', 'show', '99999'),
                   ('events', 'show', 'evt_0'), ('verify', 'proof', '--operation', 'op-none'),
                   ('verify', 'checkpoint', '/nonexistent'))
        for words in missing:
            assert words[-1] in cli.fails(NOT_FOUND, 'NotFound', *words)
        equal(cli.json('ops', 'list', '--object=nothing'), [])
        equal(cli.run('ops', 'list', '--object=nothing')[:2], (DONE, ''))


@promise
def a_wrong_request_is_told_what_is_wrong(world):
    with served(world) as (cli, _):
        cases = (
            ('Usage', ('ops', 'enqueue'), 'about'),
            ('InvalidContract', ('ops', 'enqueue', '--object=a/b'), 'a/b'),
            ('InvalidContract', ('ops', 'enqueue', '--object=a', '--body-json=[1]'), 'body'),
            ('InvalidEncoding', ('ops', 'enqueue', '--object=a', '--body-json={"a":1,"a":2}'), 'a'),
            ('Usage', ('ops', 'enqueue', '--object=a', '--body=-', '--body-json={}'), 'exclude'),
            ('Usage', ('ops', 'list', '--since=soon'), 'soon'),
            ('Usage', ('ops', 'list', '--limit=many'), 'many'),
            ('Usage', ('verify', 'log', '--full', '--heads'), 'exclude'),
            ('Usage', ('verify', 'proof'), 'FILE'),
            ('InvalidEncoding', ('verify', 'proof', __file__), 'is no proof'),
            ('Usage', ('actors', 'register'), '--set'),
            ('Usage', ('ops', 'reconcile', 'op-1', '--evidence=op-1'), '--remote'),
            ('Usage', ('ops', 'reconcile', 'op-1', '--remote=r'), '--evidence'),
            ('Usage', ('ops', 'reconciled'), '--artifact'),
            ('InvalidContract', ('objects', 'register', '--set=object_id=a'), '/record/workspace_id'),
            ('Usage', ('status', '--user', '--system'), 'exclude'),
            ('Usage', ('completion', 'tcsh'), 'tcsh'),
            ('Usage', ('ops', 'lst'), 'ops lst'),
        )
        for name, words, part in cases:
            assert part in cli.fails(NEGATIVE, name, *words), words
        cli.fails(NOT_AUTHORISED, 'ApprovalRequired', 'ops', 'enqueue', '--object=a',
                  '--type=sync.repair.apply')
        equal(cli.json('ops', 'list'), [])


@promise
def all_that_a_record_lacks_is_named_at_once(world):
    with served(world) as (cli, _):
        _, _, err = cli.run('actors', 'register', '-', stdin='{}')
        for part in ('"actor_type"', '"identity_id"', 'contract show sourceos.actor-record/v1alpha1'):
            assert part in err, err


@promise
def a_hint_leads_to_the_verb_and_its_options(world):
    with served(world) as (cli, _):
        for words, hint in ((('ops', 'enqueue'), '`sourceos-syncd ops enqueue --help`'),
                            (('ops', 'enqueue', '--object=a', '--scope=workspace:x'),
                             '--create-scope'),
                            (('ops', 'replay', cli.enqueue()['operation']), '--key')):
            assert hint in cli.run(*words)[2].splitlines()[1], (words, hint)


@promise
def the_records_of_the_examples_can_be_registered(world):
    records = pathlib.Path(world.options.source) / 'examples' / 'records'
    order = (('workspaces', 'workspace-notes'), ('actors', 'actor-agent'),
             ('schemas', 'schema-note'), ('objects', 'object-note'), ('schemas', 'schema-note-v2'))
    to_be_signed = 'migration-note-v2'  # test-cli-newcomer.py does, as the manual has it
    equal({path.stem for path in records.iterdir()}, {to_be_signed, *(name for _, name in order)})
    with served(world) as (cli, _):
        for kind, name in order:
            if name == 'schema-note-v2':
                equal(cli.json('objects', 'list')[0]['state'], 'active')
            code, _, told = cli.run(kind, 'register', str(records / f'{name}.json'))
            equal(code, DONE, told)
            if kind != 'objects':  # what these hold is their user's own
                equal(told, '', 'an example has nothing that is not known')
        equal(cli.json('objects', 'show', 'note:1')['reasons'], ['migration_required'])


@promise
def a_rule_of_the_examples_denies(world):
    cli = Cli(world, world.place(), None)
    policy = str(pathlib.Path(world.options.source) / 'examples' / 'policy')
    code, out, _ = cli.run('policy', 'explain', '--object=secret-1', f'--user-rules={policy}')
    equal(code, NEGATIVE)
    assert 'secret_is_kept' in out, out


@promise
def the_body_comes_from_words_a_file_or_a_pipe(world):
    with served(world) as (cli, daemon):
        path = daemon.directory / 'body.json'
        path.write_text('{"from":"file"}')
        cli.does('ops', 'enqueue', '--object=a', f'--body={path}')
        cli.does('ops', 'enqueue', '--object=a', '--body=-', stdin='{"from":"pipe"}')
        cli.does('ops', 'enqueue', '--object=a', '--body-json={"from":"words"}')
        equal([record['from'] for record in cli.json('ops', 'list', '--oldest-first')],
              ['file', 'pipe', 'words'])
        equal(cli.run('ops', 'enqueue', '--object=a', '--body=/nonexistent')[0], NOT_FOUND)


@promise
def options_reach_the_record(world):
    with served(world) as (cli, _):
        parent = cli.enqueue()['operation']
        words = ('--scope=workspace:notes', '--create-scope', '--key=k', '--lane=priority',
                 '--data-class=public', f'--parent={parent}')
        first, second = cli.enqueue('b', '{}', *words), cli.enqueue('b', '{}', *words)
        equal((first['operation'], second['duplicate']), (second['operation'], True))
        record = cli.json('ops', 'show', first['operation'])
        equal((record['scope'], record['lane'], record['data_class'], record['causal_parent_ids']),
              ('workspace:notes', 'priority', 'public', [parent]))
        equal(cli.run('ops', 'enqueue', '--object=c', '--key=k', '--scope=workspace:notes')[0],
              NEGATIVE)


@promise
def a_dry_run_sends_nothing(world):
    cli = Cli(world, world.place(), 'unix:path=/nonexistent')
    request = cli.json('ops', 'enqueue', '--dry-run', '--object=a', '--body-json={"x":1}', '--key=k',
                       '--parent=p', '--create-scope')
    equal(request, {'type': 'sync.operation.enqueue', 'scope': 'device', 'object': 'a',
                    'body': {'x': 1}, 'idempotency_key': 'k', 'parents': ['p'], 'create_scope': True})
    assert cli.does('ops', 'enqueue', '--dry-run', '--object=a').startswith('Nothing was sent.')


def many(numbers):
    return ''.join(json.dumps({'type': 'sync.operation.enqueue', 'scope': 'device',
                               'object': f'm-{i}', 'body': {'i': i}}) + '\n' for i in numbers)


@promise
def many_operations_go_in_batches_and_come_out_in_pages(world):
    with served(world) as (cli, _):
        out = cli.does('ops', 'enqueue', '--many=-', '--json', stdin=many(range(1000)))
        results = [json.loads(line) for line in out.splitlines()]
        equal(len({result['operation'] for result in results}), 1000)
        records = cli.json('ops', 'list', '--limit=0', '--oldest-first')
        equal([record['i'] for record in records], list(range(1000)))
        equal(cli.json('ops', 'list', '--limit=120'), records[:-121:-1])
        code, out, err = cli.run('ops', 'list')
        equal((code, len(out.splitlines()), 'more' in err), (DONE, 51, True))
        equal(len(cli.json('ops', 'list', '--limit=0', f'--after={records[-4]["sequence"]}')), 3)


@promise
def a_refused_batch_says_where_to_go_on(world):
    with served(world) as (cli, _):
        lines = many(range(512)) + many(range(3)) + '{"object":"incomplete"}\n'
        code, _, err = cli.run('ops', 'enqueue', '--many=-', stdin=lines)
        equal(code, NEGATIVE)
        assert 'Lines 513 to 516' in err and '512 operations before them were' in err, err
        equal(len(cli.json('ops', 'list', '--limit=0')), 512)


@promise
def following_prints_each_event_once(world):
    with served(world) as (cli, daemon):
        cli.enqueue('before')
        follow = cli.start('events', 'list', '--follow', '--json', '--type=sync.operation.enqueued')
        equal(json.loads(lines_of(follow, 1)[0])['object_id'], 'before')
        for i in range(20):
            cli.enqueue(f'n-{i}')
        heard = [json.loads(line)['object_id'] for line in lines_of(follow, 20)]
        equal(heard, [f'n-{i}' for i in range(20)])

        daemon.stop()
        with world.daemon(directory=daemon.directory):
            cli.enqueue('after')
            equal(json.loads(lines_of(follow, 1)[0])['object_id'], 'after')
        code, out, _ = stop(follow)
        equal((code, out), (INTERRUPTED, ''))


@promise
def a_stream_ends_when_its_reader_goes(world):
    with served(world) as (cli, _):
        for words in (('events', 'list', '--follow'), ('status', '--watch', '--user')):
            process = cli.start(*words)
            lines_of(process, 1)
            process.stdout.close()
            equal(process.wait(PATIENCE), DONE, words)
            equal(process.stderr.read(), '')
            process.stderr.close()


# --- how it behaves ----------------------------------------------------------------------------

@promise
def colour_is_for_terminals(world):
    with served(world) as (cli, _):
        words = ['status', '--user']
        assert '\033[' in on_terminal(cli, words, b'', DONE)
        assert '\033[' not in on_terminal(cli, [*words, '--color=never'], b'', DONE)
        assert '\033[' in cli.does(*words, '--color=always')
        assert '\033[' not in cli.does(*words)
        cli.environment['NO_COLOR'] = '1'
        assert '\033[' not in on_terminal(cli, words, b'', DONE)
        assert '\033[' in on_terminal(cli, [*words, '--color=always'], b'', DONE)


@promise
def long_output_is_paged_only_on_a_terminal(world):
    with served(world) as (cli, daemon):
        cli.enqueue()
        pager = daemon.directory / 'pager'
        pager.write_text('#!/bin/sh\necho PAGED; cat\n')
        pager.chmod(0o755)
        cli.environment['PAGER'] = str(pager)
        assert 'PAGED' in on_terminal(cli, ['ops', 'list'], b'', DONE)
        assert 'PAGED' not in on_terminal(cli, ['ops', 'list', '--no-pager'], b'', DONE)
        assert 'PAGED' not in on_terminal(cli, ['ops', 'list', '--json'], b'', DONE)
        assert 'PAGED' not in cli.does('ops', 'list')


@promise
def an_interrupt_is_the_pagers(world):
    with served(world) as (cli, daemon):
        cli.enqueue()
        pager, shown, done = (daemon.directory / name for name in ('pager', 'shown', 'done'))
        pager.write_text(f'#!/bin/sh\ntrap "touch {done}; cat" INT\ntouch {shown}\n'
                         f'until [ -e {done} ]; do sleep 0.05; done\n')
        pager.chmod(0o755)
        cli.environment['PAGER'] = str(pager)
        terminal, inside = pty.openpty()
        process = subprocess.Popen([cli.program, 'ops', 'list'], env=cli.environment, stdin=inside,
                                   stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)
        eventually(shown.exists, 'the pager is there')
        os.killpg(process.pid, signal.SIGINT)
        equal(process.wait(PATIENCE), DONE)
        assert done.exists(), 'the pager was left behind'
        os.close(terminal)


@promise
def the_log_cannot_steer_the_terminal(world):
    with served(world) as (cli, _):
        body = json.dumps({'title': '\033]0;owned\007', 'trick': '\u202eexe.txt', '\x9b31m': 1})
        operation = cli.enqueue('note-1', body)['operation']
        text = cli.does('ops', 'show', operation)
        assert '<U+001B>]0;owned<U+0007>' in text and '<U+202E>' in text, text
        raw = cli.does('ops', 'show', operation, '--json')
        for out in (text, raw):
            assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]', out), out
        equal(json.loads(raw)['trick'], '\u202eexe.txt', 'in JSON it means the same')


@promise
def a_listing_that_breaks_off_stays_readable(world):
    with served(world) as (cli, daemon):
        cli.does('ops', 'enqueue', '--many=-', stdin=many(range(1000)))
        process = cli.start('ops', 'list', '--limit=0', '--json')
        # More than the pipe takes: when something is there, it still writes the first pages.
        select.select([process.stdout], [], [], PATIENCE)
        daemon.stop(signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE)
        equal((process.returncode, err), (UNREACHABLE, ''))
        records, end = json.JSONDecoder().raw_decode(out)
        equal([record['i'] for record in records], list(range(999, 999 - len(records), -1)))
        equal(json.loads(out[end:])['error']['name'], 'Unreachable')


@promise
def a_reader_that_leaves_is_no_error(world):
    with served(world) as (cli, _):
        cli.does('ops', 'enqueue', '--many=-', stdin=many(range(2000)))
        process = cli.start('ops', 'list', '--limit=0', '--json')
        lines_of(process, 1)
        process.stdout.close()
        equal((process.wait(PATIENCE), process.stderr.read()), (DONE, ''))
        process.stderr.close()
        with open('/dev/full', 'w', encoding='ascii') as full:
            done = subprocess.run([cli.program, 'ops', 'list'], env=cli.environment, stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        equal(done.returncode, FAILED)
        assert 'No space left' in done.stderr, done.stderr


@promise
def help_is_there_for_everything(world):
    cli = Cli(world, world.place(), None)
    code, out, _ = cli.run()
    equal((code, out), (NEGATIVE, cli.does('--help')))
    equal(cli.run('ops')[0], NEGATIVE)
    cli.fails(NEGATIVE, 'Usage', 'opps')
    verbs = cli.does('help', '--verbs').splitlines()
    assert len(verbs) == len(set(verbs)) >= 15, verbs
    document = cli.json('help')
    equal([verb['verb'] for verb in document['verbs']], verbs)
    for verb in document['verbs']:
        text = cli.does(*verb['verb'].split(), '--help')
        equal(cli.does('help', *verb['verb'].split()), text)
        assert verb['synopsis'] in text, text
        for option in verb['options'] + document['options']:
            assert f'--{option["name"]}' in text, (verb['verb'], option)
    version = cli.json('--version')['version']
    equal(cli.does('--version'), f'sourceos-syncd {version}\n')


@promise
def the_manual_page_says_the_same(world):
    cli = Cli(world, world.place(), None)
    page = pathlib.Path(world.options.source, 'docs/man/sourceos-syncd.1.scd').read_text('utf-8')
    document = cli.json('help')
    synopses = [verb['synopsis'] for verb in document['verbs']]
    synopsis = re.search(r'# SYNOPSIS\n(.*?)\n# ', page, re.S)[1]
    told = [re.sub(r'[*]|\+\+$', '', line) for line in synopsis.splitlines()
            if line.startswith('*sourceos-syncd ')]
    equal(told, synopses)
    sections = re.findall(r'^## ([a-z, -]+?)(?: [A-Z\[][^\n]*)?$', page, re.M)
    sections = {name for section in sections for name in section.split(', ')}
    # What many verbs share is said once: the verbs of a registry, the options of all that judge.
    for verb in document['verbs']:
        assert {verb['verb'], verb['verb'].split()[0]} & sections, verb['verb']
        for option in verb['options']:
            assert f'--{option["name"]}*' in page, f'{verb["verb"]}: --{option["name"]}'


@promise
def the_second_name_works(world):
    with served(world) as (cli, daemon):
        second = daemon.directory / 'sourceos'
        second.symlink_to(cli.program)
        cli.program = str(second)
        equal(cli.json('sync', 'status')['daemon_state'], 'clean')
        equal(cli.json('status')['daemon_state'], 'clean')


@promise
def a_private_bus_is_found_by_its_file(world):
    with served(world) as (cli, daemon):
        del cli.environment['DBUS_SESSION_BUS_ADDRESS']
        equal(cli.run('ops', 'list')[0], UNREACHABLE)
        place = daemon.directory / 'run' / 'sourceos-syncd'
        place.chmod(0o700)
        (place / 'bus-address').write_text(world.bus.address + '\n')
        cli.does('ops', 'list')
        place.chmod(0o755)
        equal(cli.run('ops', 'list')[0], UNREACHABLE, 'not believed: others may look in')


@promise
def nothing_waits_for_somebody_who_is_not_there(world):
    """Every verb, with nothing on standard input and no terminal, ends by itself."""
    with served(world) as (cli, _):
        for verb in cli.json('help')['verbs']:
            if verb['verb'] == 'daemon':
                continue
            for words in ((), ('--json',), ('x',), ('-',)):
                code, _, err = cli.run(*verb['verb'].split(), *words)
                assert code in (0, 1, 2, 3, 5, 6, 7), (verb['verb'], words, code, err)


@promise
def a_bus_that_does_not_answer_is_not_waited_for_longer_than_told(world):
    cli = Cli(world, world.place(), f'unix:path={world.directory}/deaf')
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(f'{world.directory}/deaf')
        deaf.listen(8)
        said = cli.fails(UNREACHABLE, 'Unreachable', 'ops', 'list', '--timeout=1')
        assert 'user instance' in said, said
        equal(cli.run('status', '--user', '--json', '--timeout=1')[0], UNREACHABLE)


@promise
def the_system_instance_is_another_one(world):
    bus = Bus(world.directory / 'system-bus', world.options.bus)
    try:
        with served(world) as (cli, _), world.daemon(bus=bus, instance='system') as system:
            cli.environment['DBUS_SYSTEM_BUS_ADDRESS'] = bus.address
            cli.enqueue('mine')
            equal([one['daemon_state'] for one in cli.json('status')['instances']], ['clean'] * 2)
            equal(cli.json('status', '--system')['instance'], 'system')
            equal(cli.json('ops', 'list', '--system'), [])
            assert 'system instance' in cli.fails(NOT_FOUND, 'NotFound', 'ops', 'show', '--system',
                                                  cli.enqueue()['operation'])
            if os.geteuid() == 0:
                equal(cli.json('verify', 'log', '--system')['verdict'], 'sound')
            assert system.pid
    finally:
        bus.stop()


if __name__ == '__main__':
    main(session_world)
