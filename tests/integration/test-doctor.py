#!/usr/bin/python3
"""Somebody who suspects that something is wrong asks, and is told what, on what evidence, and what to do next."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

from gi.repository import GLib

from cli_user import DONE, NEGATIVE, NOT_FOUND, UNREACHABLE, Cli
from harness import MANAGER, PATIENCE, equal, eventually, main, promise, session_world
from rot import rotting


@contextlib.contextmanager
def user(world):
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        notes = pathlib.Path(cli.directory) / 'notes'
        notes.mkdir()
        for name in 'abcdefgh':
            (notes / name).write_text(name)
        yield cli, notes


@promise
def a_daemon_that_a_shell_began_is_begun_again_as_it_was(world):
    """A shell that systemd began hands its environment on, and no unit is to be restarted then."""
    programs = world.place()
    programs.mkdir()
    (programs / 'sourceos-syncd').symlink_to(pathlib.Path(world.options.program).resolve())
    place = world.place() / 'of a "shell"'
    shell = {'INVOCATION_ID': '0' * 32, 'SYSTEMD_EXEC_PID': str(os.getpid())}
    with world.daemon(place, environment=shell, config='[Store]\nReserveMiB=1\n') as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        (daemon.state / 'index.db').unlink()
        command = findings(cli, NEGATIVE)['index-displaced']['next']
        assert f'kill {daemon.pid}; ' in command and 'systemctl' not in command, command
        environment = {**daemon._environment(), **shell, 'PATH': f"{programs}:{os.environ['PATH']}"}
        with subprocess.Popen(['sh', '-c', command], cwd='/', env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True) as process:
            try:
                equal(daemon.process.wait(PATIENCE), 0)
                eventually(lambda: set(findings_if_any(cli)) == {'index-remade'}, 'it serves that state again')
                equal((daemon.state / 'reserve').stat().st_size, 1 << 20, 'as it was configured')
            finally:
                os.killpg(process.pid, signal.SIGTERM)


def findings_if_any(cli):
    code, out, _ = cli.run('doctor', '--json')
    return [finding['code'] for finding in json.loads(out)['findings']] if code in (DONE, NEGATIVE) else []


def add(cli, notes):
    cli.does('workspace', 'add', str(notes))
    eventually(lambda: len(cli.json('workspace', 'files', 'notes')) == 8, 'the files are recorded')


def findings(cli, expected, *words):
    """By code, with the exit code that goes with them."""
    code, out, err = cli.run('doctor', '--json', *words)
    equal((code, err), (expected, ''), out)
    report = json.loads(out)
    equal((report['schema'], report['deep']), ('sourceos.doctor/v1', '--deep' in words))
    for finding in report['findings']:
        leads = finding['next']
        assert leads and finding['evidence'] and finding['about'], finding
        assert finding['repair'] or finding['person'] or finding['severity'] == 'info', finding
        assert not set('{}') & set(finding['summary'] + leads), finding
        assert finding['summary'][0] != '-' and not leads.endswith(' -') and leads != 'sourceos-syncd doctor', finding
    found = {finding['code']: finding for finding in report['findings']}
    equal(len(found), len(report['findings']), 'nothing is said twice')
    return found


@promise
def nothing_is_found_where_nothing_is_wrong(world):
    with user(world) as (cli, notes):
        code, out, err = cli.run('doctor')
        equal((code, out), (DONE, 'No faults were found.\n'))
        assert '--deep' in err
        add(cli, notes)
        equal(findings(cli, DONE), {})
        equal(findings(cli, DONE, '--deep'), {})


@promise
def nobody_makes_room_where_there_is_room(world):
    """What was set aside went, on a disk that has enough."""
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        (daemon.state / 'reserve').unlink()
        equal(findings_if_any(cli), [])


@promise
def nobody_is_sent_for_a_backup_for_the_sake_of_an_index(world):
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        for name in ('index.db', 'index.db-wal'):
            with open(daemon.state / name, 'r+b') as file:
                file.write(os.urandom(os.path.getsize(file.name)))
        said = ''.join(text for words in (['doctor', '--deep'], ['ops', 'list'], ['find', 'x'], ['status'])
                       for text in cli.run(*words)[1:]) + daemon.said()
        assert 'does not fit together' in said or 'not a database' in said, said
        assert 'backup' not in said, said


@promise
def a_workspace_is_told_of_with_what_to_do(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        cli.does('workspace', 'pause', 'notes', '--reason=moving house')
        found = findings(cli, DONE)
        equal(found['workspace-paused']['summary'], 'workspace:notes is paused: moving house.')
        equal(found['workspace-paused']['next'], 'sourceos-syncd workspace resume workspace:notes')
        cli.does('workspace', 'resume', 'notes')
        eventually(lambda: findings(cli, DONE) == {}, 'all is well again')
        os.rename(notes, notes.with_name('elsewhere'))
        eventually(lambda: 'workspace-missing' in findings_of(cli), 'it is missed')
        for _ in range(20):  # whether it is being tried again at the moment or not
            missing = findings(cli, NEGATIVE)['workspace-missing']
        assert ' missing ' in cli.does('workspace', 'list')
        assert str(notes) in missing['summary'], missing
        equal(missing['evidence'], [str(notes)])
        unscanned = findings(cli, NEGATIVE, '--deep')['workspace-unscanned']
        equal(unscanned['evidence'], [str(notes)])
        assert 'Next:' not in unscanned['summary'] and 'root-' not in unscanned['summary'], unscanned
        out = cli.run('doctor')[1]
        assert 'warning: workspace-missing' in out and 'sourceos-syncd workspace show' in out, out


def findings_of(cli):
    return {finding['code'] for finding in json.loads(cli.run('doctor', '--json')[1])['findings']}


@promise
def what_fails_stays_found_while_it_is_tried_again(world):
    with user(world) as (cli, notes), world.caller() as caller:
        for n in range(200):
            (notes / f'folder-{n}').mkdir()
        cli.does('workspace', 'add', str(notes))
        eventually(lambda: len(cli.json('workspace', 'files', 'notes', '--limit=500')) == 208, 'all is recorded')

        def found():
            return {finding['code'] for finding in json.loads(caller.call(MANAGER, 'Diagnose', '(a{sv})', {}))['findings']}

        def reported():
            report = json.loads(caller.call(MANAGER, 'Health', '(a{sv})', {}))
            return {finding['code'] for finding in report['diagnosis']['local_state']['findings']}

        journal = cli.directory / 'state' / 'sourceos-syncd' / 'journal.db'
        journal.rename(journal.with_name('elsewhere'))
        (notes / 'a').write_text('nothing can be recorded now')
        eventually(lambda: 'workspace-failed' in found(), 'it is found')
        until = time.monotonic() + 4  # it is tried again after a second, and two seconds later
        while time.monotonic() < until:
            told = found(), reported()
            assert all('workspace-failed' in codes for codes in told), told


@promise
def deletions_wait_for_somebody_and_the_state_says_so(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        for name in 'abcdef':
            (notes / name).unlink()
        eventually(lambda: 'workspace-asks' in findings_of(cli), 'it is asked')
        found = findings(cli, NEGATIVE)
        equal(set(found), {'workspace-asks'})
        status = json.loads(cli.run('status', '--user', '--json')[1])
        equal((status['daemon_state'], status['state_reasons'], status['pending_approvals']),
              ('degraded', ['workspace-asks'], 1))
        cli.does('workspace', 'resume', 'notes')
        eventually(lambda: len(cli.json('workspace', 'files', 'notes')) == 2, 'it was meant')
        equal(findings(cli, DONE), {})
        status = cli.json('status', '--user')
        equal((status['daemon_state'], status['pending_approvals']), ('clean', 0))


def answer(cli, question, path):
    return next(answer for answer in cli.json('explain', str(path))['answers'] if answer['question'] == question)


def rot(cli, path):
    """The bytes of a file that is recorded are others, and nothing says so."""
    with rotting(path, lambda: cli.does('workspace', 'scan', 'notes')):
        pass


@promise
def bytes_that_nobody_changed_are_found_by_reading(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        rot(cli, notes / 'a')
        equal((notes / 'a').read_text(), 'A')
        code, out, _ = cli.run('workspace', 'scan', 'notes', '--deep', '--json')
        result = json.loads(out)
        equal((code, result['deep'], result['files_read'], result['bytes_read'], result['mismatched'],
               result['changed']), (NEGATIVE, True, 8, 8, 1, 0), out)
        found = findings(cli, NEGATIVE)
        equal(set(found), {'checksum-mismatch'})
        assert found['checksum-mismatch']['evidence'][0].endswith(' a'), found
        equal(found['checksum-mismatch']['next'], 'sourceos-syncd workspace files workspace:notes --mismatched')
        status = json.loads(cli.run('status', '--user', '--json')[1])
        equal((status['daemon_state'], status['state_reasons']), ('repair-recommended', ['checksum-mismatch']))
        equal(cli.json('workspace', 'show', 'notes')['mismatched'], 1)

        # The file is what it was, in the log; and what is there is said beside that.
        file, = cli.json('workspace', 'files', 'notes', '--mismatched')
        equal((file['path'], file['version'], file['found']['size']), ('a', 1, 1))
        assert file['found']['sha256'] != file['sha256'], file
        state = file['stale_state']
        equal((state['objectRef'], state['stalenessClass'], state['autoRepairEligible']),
              (file['file_id'], 'checksum-mismatch', True))
        record = pathlib.Path(cli.directory) / 'stale-state.json'
        record.write_text(json.dumps(state))
        cli.does('contract', 'validate', str(record))
        cli.does('events', 'show', state['evidenceRefs'][0])
        equal(cli.json('log', str(notes / 'a'))[0]['change'], 'checked')
        for question, code in [('needs_human', 'restore_bytes'), ('auto_repairable', 'bytes_kept'),
                               ('restore_integrity', 'bytes_kept'), ('safe_to_sync', 'checksum_mismatch')]:
            equal(answer(cli, question, notes / 'a')['reason_code'], code)
        equal(answer(cli, 'needs_human', notes / 'a')['next'], f'sourceos-syncd workspace restore {notes / "a"}')
        told = ' '.join(cli.does('workspace', 'restore', str(notes / 'a'), '--dry-run').split())
        assert told.startswith('a: the recorded bytes of version 1 (') and 'take the place of what is there now (' in told, told
        assert told.split(', which is not what is recorded. ')[1].startswith(
            'What is there now is recorded and kept first, as version 2.'), told


def answers(cli, path):
    return {answer['question']: answer for answer in cli.json('explain', str(path))['answers']}


@promise
def whoever_explains_a_file_says_what_is_found_of_its_content(world):
    with user(world) as (cli, notes):
        (notes / 'a').write_bytes(os.urandom(2500000))
        add(cli, notes)
        state = cli.directory / 'state' / 'sourceos-syncd'
        chunks = list(state.glob('blobs/*/*'))
        equal(len(chunks), 3)
        for chunk in chunks:
            chunk.write_bytes(b'other bytes')
        equal(cli.run('verify', 'log', '--full')[0], NEGATIVE)
        found = findings(cli, NEGATIVE)['blob-damaged']
        # It is one content, however many parts of it are wrong.
        equal((found['count'], found['more'], len(found['evidence'])), (1, False, 1))
        out = cli.run('doctor')[1]
        assert 'missing or damaged: 1.' in out and 'A repair plan looks for that copy: blob-refill.' in out, out
        assert 'cannot be made again' not in out, out
        told = answers(cli, notes / 'a')
        # Whoever reads any of these is led to where the finding leads; none says that all is well.
        for question in ('safe_to_sync', 'blocked_because', 'auto_repairable', 'needs_human', 'durability',
                         'restore_integrity'):
            equal((told[question]['next'], told[question]['records']),
                  (found['next'], [{'kind': 'finding', 'id': 'blob-damaged'}]), question)
        step, = cli.json('log', str(notes / 'a'))
        equal((step['kept'], step['content_fault']), (False, 'damaged'))
        assert ' damaged ' in cli.does('log', str(notes / 'a')) and ' kept ' not in cli.does('log', str(notes / 'a'))
        # What is whole says so, and that it can be proven.
        told = answers(cli, notes / 'b')
        equal([told[question]['reason_code'] for question in ('blocked_because', 'needs_human', 'durability',
                                                              'restore_integrity')],
              ['not_blocked', 'nobody', 'kept', 'kept'])
        equal(cli.json('log', str(notes / 'b'))[0]['kept'], True)


@promise
def nobody_is_sent_to_restore_what_is_not_there(world):
    with user(world) as (cli, notes):
        (notes / 'a').write_bytes(b'a' * 100000)
        add(cli, notes)
        for name in 'ab':
            rot(cli, notes / name)
        chunk, = (cli.directory / 'state' / 'sourceos-syncd').glob('blobs/*/*')
        chunk.unlink()
        equal(cli.run('workspace', 'scan', 'notes', '--deep')[0], NEGATIVE)
        equal(cli.run('verify', 'log', '--full')[0], NEGATIVE)
        equal([(file['path'], file['stale_state']['autoRepairEligible'])
               for file in cli.json('workspace', 'files', 'notes', '--mismatched')], [('a', False), ('b', True)])
        equal({answers(cli, notes / name)['needs_human']['reason_code'] for name in 'ab'},
              {'mend_content', 'restore_bytes'})
        # The other one has its way out in spite of that.
        assert findings(cli, NEGATIVE)['checksum-mismatch']['repair'] is not None
        cli.does('workspace', 'restore', str(notes / 'b'), '--yes')
        assert findings(cli, NEGATIVE)['checksum-mismatch']['repair'] is None


@promise
def what_was_found_is_put_right_as_a_person_says(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        for name in 'ab':
            rot(cli, notes / name)
        equal(set(findings(cli, NEGATIVE, '--deep')), {'checksum-mismatch'})
        equal(len(cli.json('workspace', 'files', 'notes', '--mismatched')), 2)
        cli.does('workspace', 'restore', str(notes / 'a'), '--yes')
        equal((notes / 'a').read_text(), 'a')
        equal({step['version'] for step in cli.json('log', str(notes / 'a')) if step['kept']}, {1, 2, 3})
        equal([file['path'] for file in cli.json('workspace', 'files', 'notes', '--mismatched')], ['b'])
        accepted = cli.json('workspace', 'accept', str(notes / 'b'), '--yes')
        equal((accepted['changed'], accepted['version']), (True, 2))
        # What is accepted is recorded with its content.
        told = cli.json('log', str(notes / 'b'))[0]
        equal((told['operation_id'], told['version'], told['kept'], told['sha256']),
              (accepted['operation_id'], 2, True, accepted['sha256']))
        cli.fails(NOT_FOUND, 'NotFound', 'workspace', 'accept', str(notes / 'b'), '--yes')
        equal(findings(cli, DONE, '--deep'), {})
        equal(cli.json('status', '--user')['daemon_state'], 'clean')
        equal([file['version'] for file in cli.json('workspace', 'files', 'notes')][:2], [3, 2])


@promise
def what_somebody_wrote_is_kept_though_it_was_taken_for_rot(world):
    with user(world) as (cli, notes):
        add(cli, notes)
    before = os.stat(notes / 'a')
    (notes / 'a').write_text('!')
    os.utime(notes / 'a', ns=(before.st_atime_ns, before.st_mtime_ns))
    for index in (cli.directory / 'state' / 'sourceos-syncd').glob('index.db*'):
        index.unlink()
    with world.daemon(cli.directory):
        # Nothing knows any more when it was seen last, and by its record it was not written since.
        eventually(lambda: 'checksum-mismatch' in findings_of(cli), 'it is another one')
        cli.does('workspace', 'restore', str(notes / 'a'), '--yes')
        equal((notes / 'a').read_text(), 'a')
        cli.does('workspace', 'restore', str(notes / 'a'), '--version=2', '--yes')
        equal((notes / 'a').read_text(), '!')


@promise
def a_finding_outlives_the_daemon(world):
    with user(world) as (cli, notes):
        add(cli, notes)
        rot(cli, notes / 'a')
        equal(set(findings(cli, NEGATIVE, '--deep')), {'checksum-mismatch'})
    with world.daemon(cli.directory):
        eventually(lambda: findings_of(cli) == {'checksum-mismatch'}, 'it is known still')
        (notes / 'a').write_text('somebody wrote it')
        eventually(lambda: findings_of(cli) == set(), 'and a change ends it')


def change_entry(state, old, new):
    """Of a log that nobody has open, which refuses it by a trigger."""
    with contextlib.closing(sqlite3.connect(state / 'journal.db')) as journal:
        trigger, = journal.execute("SELECT sql FROM sqlite_schema WHERE name = 'entry_update'").fetchone()
        journal.execute('DROP TRIGGER entry_update')
        journal.execute('UPDATE entry SET header = CAST(replace(header, ?, ?) AS BLOB) WHERE instr(header, ?)',
                        (old, new, old))
        journal.execute(trigger)
        journal.commit()


@promise
def an_entry_that_is_known_to_be_changed_is_marked_where_it_is_shown(world):
    with world.daemon() as daemon:
        cli = Cli(world, daemon.directory, world.bus.address)
        operation = cli.enqueue('note-1')['operation']
        cli.enqueue('note-2')
    change_entry(daemon.state, '"lane":"normal"', '"lane":"priority"')
    with world.daemon(daemon.directory):
        code, _, _ = cli.run('verify', 'log', '--full')
        equal(code, NEGATIVE)
        for words in (('ops', 'list'), ('events', 'list')):
            code, out, err = cli.run(*words)
            equal(code, DONE)
            assert ', DAMAGED' in out and err.endswith('Next: run `sourceos-syncd doctor`.\n'), (out, err)
        code, out, _ = cli.run('log', 'note-1')
        assert '    damaged    the header is not the one that was written' in out, out
        record = cli.json('ops', 'show', operation)
        assert 'is not the one that was written' in record['entry_error'], record


@promise
def objects_and_tasks_are_evidence(world):
    with user(world) as (cli, _):
        cli.does('workspaces', 'register', '--set=workspace_id=workspace:notes')
        cli.does('objects', 'register', '--set=object_id=note-1', '--set=object_type=note', '--set=schema_id=note/v1',
                 '--set=schema_version=1', '--set=workspace_id=workspace:notes', '--set=owner_identity=me',
                 '--set=privacy_class=work')
        found = findings(cli, NEGATIVE)
        equal(found['objects-quarantined']['evidence'], ['note-1'])
        operation = cli.enqueue('note-2')['operation']
        lease = cli.json('tasks', 'claim', operation)['lease']
        cli.does('tasks', 'fail', lease, 'it did not work', '--final')
        found = findings(cli, NEGATIVE)
        equal(len(found['tasks-failed']['evidence']), 1)
        assert operation in found['tasks-failed']['evidence'][0], found


@promise
def what_others_may_read_is_told_with_what_to_do_and_whoever_listens_hears_of_it(world):
    with user(world) as (cli, _), world.caller() as caller:
        heard = caller.listen(MANAGER, 'FindingsChanged')
        journal = pathlib.Path(cli.directory) / 'state' / 'sourceos-syncd' / 'journal.db'
        journal.chmod(0o644)
        finding = findings(cli, NEGATIVE)['file-modes']
        equal((finding['evidence'], finding['count'], finding['durability'], finding['object'], finding['range']),
              (['journal.db: 0644, not 0600'], 1, 'none', None, None))
        equal(finding['repair'], {'kind': 'file-modes', 'target': 'state'})
        out = cli.run('doctor')[1]
        assert 'A repair plan can mend it: file-modes.' in out and 'journal.db: 0644' in out, out
        equal(finding['next'], 'sourceos-syncd repair plan')
        assert '  Findings     1; ' in cli.does('status', '--user'), 'no state says so'
        context, until = GLib.MainContext.default(), time.monotonic() + PATIENCE
        while not heard and time.monotonic() < until:
            context.iteration(False) or time.sleep(0.005)
        equal(heard[0][2], (1, 0))
        journal.chmod(0o600)
        assert 'Findings' not in cli.does('status', '--user')
        equal(findings(cli, DONE), {})
        while len(heard) < 2 and time.monotonic() < until:
            context.iteration(False) or time.sleep(0.005)
        equal(heard[1][2], (0, 0))


@promise
def without_a_daemon_that_is_what_is_found(world):
    directory = pathlib.Path(world.directory) / 'nobody'
    cli = Cli(world, directory, 'unix:path=/nonexistent')
    code, out, _ = cli.run('doctor', '--json')
    equal(code, UNREACHABLE, out)
    finding, = json.loads(out)['findings']
    equal((finding['code'], finding['next']), ('daemon-unavailable', 'sourceos-syncd daemon --user'))
    finding, = json.loads(cli.run('doctor', '--system', '--json')[1])['findings']
    equal((finding['code'], finding['next']), ('daemon-unavailable', 'systemctl start sourceos-syncd'))
    _, out, err = cli.run('doctor', '--system')
    assert '`systemctl start sourceos-syncd`' in out and 'journalctl -t' in out, out
    equal(err, '', 'nothing deeper can be looked at')
    shutil.rmtree(directory)


if __name__ == '__main__':
    main(session_world)
