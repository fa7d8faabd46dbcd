#!/usr/bin/python3
"""Repair from the command line: what a person is shown before he agrees, what a file can say and what it
cannot, and the exit codes by which a script knows. With the real polkitd."""

import hashlib
import json
import os
import pathlib
import re
import subprocess

from cli_user import DONE, FAILED, NEGATIVE, NOT_AUTHORISED, NOT_FOUND, Cli, on_terminal
from damage import GARBAGE, spoil_index, spoil_journal, spoilt_system_instance, spoilt_user_instance
from harness import PATIENCE, as_user, equal, main, promise
from polkit_world import ALLOWED, STRANGER, system_world, uid
from rot import rotting

STALE = 6


class Repairer:
    """A user of the command line, with a spoilt instance of his own."""

    def __init__(self, world, user, spoil=spoil_index):
        self.world, self.user, self.spoil = world, user, spoil

    def __enter__(self):
        self.instance = spoilt_user_instance(self.world, self.user, self.spoil)
        self.daemon, _ = self.instance.__enter__()
        self.cli = Cli(self.world, self.world.place(), self.daemon.bus.address)
        self.index = self.daemon.state / 'index.db'
        os.chown(self.cli.directory, uid(self.user), uid(self.user))
        self.options = {'preexec_fn': as_user(uid(self.user))}
        return self

    def __exit__(self, *failure):
        return self.instance.__exit__(*failure)

    def does(self, *words, **options):
        return self.cli.does('repair', *words, **self.options, **options)

    def json(self, *words):
        return self.cli.json('repair', *words, **self.options)

    def fails(self, code, name, *words, **options):
        return self.cli.fails(code, name, 'repair', *words, **self.options, **options)

    def plans_for_a_key_that_others_may_read(self):
        """And for nothing else: what was spoilt is mended before. The key."""
        for words in (('plan',), ('approve', '--yes'), ('apply', '--yes'), ('discard', '--yes')):
            self.does(*words)
        key = next((self.daemon.state / 'keys').iterdir())
        key.chmod(0o644)
        self.does('plan')
        return key


@promise
def a_repair_from_the_first_look_to_the_last(world):
    with Repairer(world, ALLOWED) as me:
        document = me.does('plan')
        digest = 'sha256:' + hashlib.sha256(document.encode()).hexdigest()
        plan = json.loads(document)['plan_id']
        equal(json.loads(document)['status'], 'preview')
        equal([one['id'] for one in me.json('list')], [plan])
        shown = me.does('show')
        for part in (plan, digest, 'preview', 'index-rebuild'):
            assert part in shown, (part, shown)
        equal(me.does('show', plan[:-1], '--document'), document)
        # What is planned again takes the place of what nobody approved.
        document = me.does('plan')
        plan = json.loads(document)['plan_id']
        equal([one['id'] for one in me.json('list')], [plan])
        me.does('approve', '--yes')
        equal(json.loads(me.does('plan', '--compact'))['status'], 'preview')
        # The newest is meant, but for what cannot be undone.
        newest = me.json('list')[0]['id']
        assert newest in me.does('show')
        said = me.fails(NEGATIVE, 'Usage', 'discard', '--yes')
        assert f'{newest} (preview), {plan} (approved)' in said, said
        me.fails(NEGATIVE, 'Usage', 'show', 'plan-')
        me.fails(NOT_FOUND, 'NotFound', 'show', 'plan-none')
        assert f'Next: `sourceos-syncd repair approve {newest}`' in me.does('show')
        assert f'repair apply {newest}' in me.does('approve', newest, '--yes')
        me.does('discard', newest, '--yes')
        me.does('discard', '--yes')
        document = me.does('plan')
        digest = 'sha256:' + hashlib.sha256(document.encode()).hexdigest()
        plan = json.loads(document)['plan_id']

        me.fails(NOT_FOUND, 'NotFound', 'show', '--report')
        me.fails(NOT_FOUND, 'NotFound', 'rollback', '--yes')
        me.fails(NOT_AUTHORISED, 'ApprovalRequired', 'apply', '--yes')
        equal(me.index.read_bytes(), GARBAGE)
        said = me.does('approve', '--yes')
        assert f'repair apply {plan}' in said, said
        done = me.does('apply', '--yes')
        for part in ('Repaired.', 'What was wrong:', 'Next:'):
            assert part in done, (part, done)
        assert me.index.read_bytes() != GARBAGE
        equal(me.json('show', '--report')['plan_digest'], digest)
        me.fails(STALE, 'AlreadyResolved', 'apply', plan, '--yes')
        assert 'taken back' in me.does('show')
        back = me.does('rollback', '--yes')
        assert 'Taken back' in back, back
        equal(me.index.read_bytes(), GARBAGE)
        me.fails(NOT_FOUND, 'NotFound', 'rollback', '--yes')
        # The one that was taken back is in nobody's way.
        json.loads(me.does('plan'))
        waiting, = (one['id'] for one in me.json('list') if one['state'] == 'preview')
        assert waiting in me.does('show')
        me.does('discard', '--yes')
        equal([one['id'] for one in me.json('list')], [plan])


@promise
def modes_are_mended_file_by_file(world):
    with Repairer(world, ALLOWED) as me:
        key = me.plans_for_a_key_that_others_may_read()
        shown = me.does('show')
        assert f'keys/{key.name}: 0644, not 0600' in shown, shown
        me.does('approve', '--yes')
        me.does('apply', '--yes')
        equal(key.stat().st_mode & 0o777, 0o600)
        assert key.name not in me.does('show')


@promise
def one_that_fits_no_more_is_called_so_wherever_it_is_shown(world):
    with Repairer(world, ALLOWED) as me:
        me.does('plan')
        me.does('approve', '--yes')
        folder = me.daemon.state / 'repair'
        (folder / '.plan-x.state.new').write_text('y')
        equal(me.cli.run('doctor', **me.options)[0], NEGATIVE)
        listed, shown = me.does('list'), me.does('show')
        assert re.search(r'plan-\S+ +stale', listed), listed
        assert re.search(r'\nState: +stale\n', shown), shown
        assert re.search(r'\nStale: +\S', shown), shown


@promise
def a_repair_says_which_other_one_cannot_be_taken_back_then(world):
    with Repairer(world, ALLOWED) as me:
        for words in (('plan',), ('approve', '--yes'), ('apply', '--yes')):
            me.does(*words)
        old = me.json('list')[0]['id']
        assert '\nPreserved:' in me.does('show', old)
        next((me.daemon.state / 'keys').iterdir()).chmod(0o644)
        document = json.loads(me.does('plan'))
        assert f'What {old} kept is released' in document['checkpoint']['snapshot'], document
        seen = on_terminal(me.cli, ('repair', 'approve'), b'y\n', DONE, **me.options)
        assert re.search(f'Releases: +what {old} kept', seen), seen
        me.does('apply', '--yes')
        shown = me.does('show', old)
        assert re.search(f'\nReleased: +by {document["plan_id"]}', shown), shown
        assert '\nPreserved then:' in shown and '\nPreserved:' not in shown, shown
        said = me.fails(NOT_FOUND, 'NotFound', 'rollback', old, '--yes')
        assert f'released by {document["plan_id"]}' in said, said


@promise
def a_journal_that_cannot_be_opened_keeps_nobody_from_mending_it(world):
    with Repairer(world, ALLOWED, spoil_journal) as me:
        status = json.loads(me.cli.run('status', '--user', '--json', **me.options)[1])
        equal((status['daemon_state'], status['state_reasons']), ('repair-recommended', ['journal-unreadable']))
        assert 'no index' not in status['note'], status['note']
        for words in ((), ('--deep',)):
            code, out, _ = me.cli.run('doctor', *words, **me.options)
            equal((code, out.count('Next: `sourceos-syncd repair plan`')), (NEGATIVE, out.count('Next: ')), out)
            for part in ('journal-unreadable', 'journal-backup.db', 'not looked at: workspaces'):
                assert part in out, (part, out)
        assert '"unsafe"' in me.cli.run('health', 'snapshot', **me.options)[1]
        for words in (('list',), ('enqueue', '--object=note:2', '--body-json={}')):
            me.cli.fails(NEGATIVE, 'JournalCorrupt', 'ops', *words, **me.options)
        me.cli.fails(NEGATIVE, 'JournalCorrupt', 'verify', 'log', **me.options)
        assert 'journal-restore' in me.does('plan')
        me.does('approve', '--yes')
        assert 'Repaired.' in me.does('apply', '--yes')
        equal(me.cli.json('status', '--user', **me.options)['daemon_state'], 'clean')
        assert 'note:1' in me.cli.does('ops', 'list', **me.options)
        equal(me.cli.json('verify', 'log', '--full', **me.options)['verdict'], 'sound')


@promise
def without_a_yes_nothing_is_done_and_nothing_waits(world):
    with Repairer(world, ALLOWED) as me:
        me.does('plan')
        plan = me.json('list')[0]
        for words in (('approve',), ('discard',)):
            code, out, err = me.cli.run('repair', *words, **me.options)
            equal(code, NEGATIVE, words)
            assert plan['digest'] in out and '--yes' in err, (out, err)
        # Nobody is asked to agree to what would be refused.
        code, out, err = me.cli.run('repair', 'apply', **me.options)
        equal((code, out), (NOT_AUTHORISED, ''))
        assert plan['id'] in err and 'sourceos-syncd repair approve' in err, err
        equal(me.json('list'), [plan])
        me.does('approve', '--yes')
        code, _, _ = me.cli.run('repair', 'apply', **me.options)
        equal((code, me.json('list')[0]['state']), (NEGATIVE, 'approved'))
        equal(me.index.read_bytes(), GARBAGE)


@promise
def a_person_sees_what_he_agrees_to(world):
    with Repairer(world, ALLOWED) as me:
        me.does('plan')
        plan = me.json('list')[0]
        seen = on_terminal(me.cli, ('repair', 'approve'), b'n\n', FAILED, **me.options)
        for part in (plan['id'], plan['digest'], 'Effect:', 'Risk:', 'Approve exactly this plan? [y/N]'):
            assert part in seen, (part, seen)
        equal(me.json('list'), [plan])
        on_terminal(me.cli, ('repair', 'approve'), b'y\n', DONE, **me.options)
        seen = on_terminal(me.cli, ('repair', 'apply'), b'y\n', DONE, **me.options)
        assert 'Repaired.' in seen, seen
        seen = on_terminal(me.cli, ('repair', 'rollback'), b'n\n', FAILED, **me.options)
        assert plan['id'] in seen and 'Take back' in seen, seen
        equal(me.json('list')[0]['state'], 'complete')


@promise
def nobody_is_asked_about_what_fits_no_more(world):
    """And what was mended otherwise waits for nobody."""
    with Repairer(world, ALLOWED) as me:
        key = me.plans_for_a_key_that_others_may_read()
        plan = me.json('list')[0]
        equal((plan['state'], plan['stale']), ('preview', None))
        assert 'To approve' in me.cli.does('status', '--user', **me.options)
        key.chmod(0o600)
        assert 'To approve' not in me.cli.does('status', '--user', **me.options)
        assert 'stale' in me.does('list')
        shown = me.does('show')
        assert 'Stale: ' in shown and 'Next: plan again with `sourceos-syncd repair plan`' in shown, shown
        said = on_terminal(me.cli, ('repair', 'approve'), b'', STALE, **me.options)
        assert 'does not fit any more' in said and '[y/N]' not in said, said
        # Nor does the daemon ask polkit, whoever calls it.
        code, _, err = me.cli.run('repair', 'approve', plan['id'], '--yes', **me.options)
        equal(code, STALE, err)
        me.does('discard', plan['id'], '--yes')


@promise
def a_file_names_bytes_and_approves_nothing(world):
    with Repairer(world, ALLOWED) as me:
        document = me.does('plan')
        directory = pathlib.Path(me.cli.directory)

        def file(text):
            path = directory / 'plan.json'
            path.write_text(text)
            return f'--approved-plan={path}'

        approved = document.replace('"preview"', '"approved"')
        assert approved != document
        me.fails(NOT_AUTHORISED, 'ApprovalRequired', 'apply', file(document), '--yes')
        for other in (approved, document.rstrip('\n'), document + ' ', ''):
            me.fails(NOT_FOUND, 'NotFound', 'apply', file(other), '--yes')
        me.does('approve', '--yes')
        for other in (approved, json.dumps(json.loads(document))):
            me.fails(NOT_FOUND, 'NotFound', 'apply', file(other), '--yes')
        me.fails(NEGATIVE, 'Usage', 'apply', me.json('list')[0]['id'], file(document), '--yes')
        me.fails(NOT_FOUND, 'NotFound', 'apply', '--approved-plan=/nowhere', '--yes')
        equal(me.index.read_bytes(), GARBAGE)
        done = me.does('apply', '--approved-plan=-', '--yes', stdin=document)
        assert 'Repaired.' in done, done


@promise
def whom_polkit_denies_approves_nothing(world):
    with Repairer(world, STRANGER) as me:
        me.does('plan')
        me.fails(NOT_AUTHORISED, 'AccessDenied', 'approve', '--yes')
        me.fails(NOT_AUTHORISED, 'ApprovalRequired', 'apply', '--yes')
        equal(me.json('list')[0]['state'], 'preview')
        equal(me.index.read_bytes(), GARBAGE)


@promise
def what_is_well_needs_no_plan(world):
    with Repairer(world, ALLOWED) as me:
        equal(me.json('list'), [])
        me.fails(NOT_FOUND, 'NotFound', 'approve', '--yes')
        me.does('plan')
        me.does('approve', '--yes')
        me.does('apply', '--yes')
        me.fails(NOT_FOUND, 'NotFound', 'plan')
        me.does('discard', '--yes')
        equal(me.json('list'), [])
        me.fails(NOT_FOUND, 'NotFound', 'rollback', '--yes')
        me.fails(NEGATIVE, 'Usage', 'plan', '--file=x', '--accept=y')


class Rotten:
    """A file of a workspace that a deep scan found to have other bytes than are recorded."""

    def __init__(self, me):
        self.me, self.notes = me, me.cli.directory / 'notes'
        self.file, self.text = self.notes / 'shopping', 'Remember the milk.\n'
        self.notes.mkdir()
        self.file.write_text(self.text)
        for path in (self.notes, self.file):
            os.chown(path, uid(me.user), uid(me.user))
        self.workspace('add', str(self.notes), '--keep=2')
        self.rot()

    def workspace(self, *words, ends=DONE):
        code, out, err = self.me.cli.run('workspace', *words, **self.me.options)
        equal(code, ends, (words, out, err))
        return out

    def rot(self):
        with rotting(self.file, lambda: self.workspace('scan', 'notes')):
            pass
        self.workspace('scan', '--deep', 'notes', ends=NEGATIVE)
        self.rotten = self.file.read_text()
        assert self.rotten != self.text

    def is_found(self):
        return 'shopping' in self.workspace('files', 'notes', '--mismatched')

    def plan(self, *options):
        """Its one step."""
        step, = json.loads(self.me.does('plan', *options))['steps']
        return step['id']

    def last(self):
        return self.me.json('list')[0]['id']

    def repair(self):
        """What is said of it, for people."""
        for verb in ('approve', 'apply'):
            said = self.me.does(verb, self.last(), '--yes')
        return said

    def take_back(self):
        plan = self.last()
        for verb in ('rollback', 'discard'):
            self.me.does(verb, plan, '--yes')


def id_of_file(me):
    """The id of the file that the newest plan is about."""
    step, = me.json('list')[0]['steps']
    return step['object_id']


@promise
def of_a_file_a_person_says_which_bytes_are_right(world):
    with Repairer(world, ALLOWED) as me:
        for words in (('plan',), ('approve', '--yes'), ('apply', '--yes'), ('discard', '--yes')):
            me.does(*words)
        rotten = Rotten(me)
        equal(rotten.plan(), 'file-restore')
        shown = me.does('show')
        assert 'shopping' in shown and 'sha256' not in shown.split('STEP')[1], shown
        told, identifier = rotten.repair(), id_of_file(me)
        assert 'About: shopping' in told and identifier not in told, told
        assert identifier in me.does('show', '--json', rotten.last())
        equal((rotten.file.read_text(), rotten.is_found()), (rotten.text, False))
        rotten.take_back()
        equal((rotten.file.read_text(), rotten.is_found()), (rotten.rotten, True))
        # By its id, as plans and reports have it, as well as by its path; by no digest.
        equal(rotten.plan(f'--accept={identifier}'), 'file-accept')
        me.fails(NOT_FOUND, 'NotFound', 'plan', f'--accept={"0" * 64}')
        equal(rotten.plan(f'--accept={rotten.file}'), 'file-accept')
        rotten.repair()
        equal((rotten.file.read_text(), rotten.is_found()), (rotten.rotten, False))
        rotten.take_back()
        equal((rotten.file.read_text(), rotten.is_found()), (rotten.rotten, True))
        # What is there by now is another thing.
        equal(rotten.plan(), 'file-restore')
        me.does('approve', '--yes')
        rotten.file.write_text('Remember nothing.\n')
        rotten.workspace('scan', 'notes')
        me.fails(STALE, 'PlanStale', 'apply', '--yes')
        equal(rotten.file.read_text(), 'Remember nothing.\n')


@promise
def of_content_that_is_lost_a_person_is_told_the_file(world):
    with Repairer(world, ALLOWED) as me:
        for words in (('plan',), ('approve', '--yes'), ('apply', '--yes'), ('discard', '--yes')):
            me.does(*words)
        notes = me.cli.directory / 'notes'
        notes.mkdir()
        picture = notes / 'picture'
        picture.write_bytes(b'first' * 40000)
        for path in (notes, picture):
            os.chown(path, uid(me.user), uid(me.user))
        me.cli.does('workspace', 'add', str(notes), '--keep=2', **me.options)
        me.cli.does('workspace', 'scan', 'notes', **me.options)
        chunk, = (path for path in (me.daemon.state / 'blobs').rglob('*') if path.is_file())
        picture.write_bytes(b'other' * 40000)
        me.cli.does('workspace', 'scan', 'notes', **me.options)
        chunk.write_bytes(GARBAGE)
        code, _, _ = me.cli.run('verify', 'log', '--full', **me.options)
        equal(code, NEGATIVE)
        plan = me.does('plan')
        step, = json.loads(plan)['steps']
        equal(step['id'], 'blob-refill')
        assert 'file-' in step['description'] and 'picture' not in plan, plan
        shown = ' '.join(me.does('show').split())
        assert re.search(r'picture of workspace:notes, version 1: [0-9a-f]{64}\.', shown), shown
        me.does('approve', '--yes')
        told = ' '.join(me.does('apply', '--yes').split())
        assert 'content of picture of workspace:notes, version 1 is lost' in told, told


@promise
def the_machine_is_repaired_by_whom_polkit_allows(world):
    with spoilt_system_instance(world) as (daemon, _):
        cli = Cli(world, world.place(), None)
        cli.environment['DBUS_SYSTEM_BUS_ADDRESS'] = world.bus.address
        os.chown(cli.directory, uid(ALLOWED), uid(ALLOWED))
        allowed, stranger = ({'preexec_fn': as_user(uid(user))} for user in (ALLOWED, STRANGER))
        document = cli.does('repair', 'plan', '--system', **allowed)
        plan = json.loads(document)['plan_id']
        cli.fails(NOT_AUTHORISED, 'AccessDenied', 'repair', 'plan', '--system', **stranger)
        equal(cli.json('repair', 'list', '--system', **stranger), [])
        _, _, said = cli.run('repair', 'list', '--system', **stranger)
        assert '`sourceos-syncd --system repair plan`' in said and '--all' in said, said
        _, _, said = cli.run('repair', 'show', '--system', **stranger)
        assert '`sourceos-syncd --system repair plan`' in said, said
        code, out, _ = cli.run('doctor', '--system', **stranger)
        assert '(not shown)' in out and 'does not allow you this' in out, out
        equal(code, NOT_AUTHORISED)
        equal(cli.run('doctor', '--system', **allowed)[0], NEGATIVE)
        for verb in ('show', 'approve', 'apply', 'rollback', 'discard'):
            sure = '--all' if verb == 'show' else '--yes'
            code, out, err = cli.run('repair', verb, plan, '--system', sure, **stranger)
            assert code in (NOT_FOUND, NOT_AUTHORISED) and plan not in out, (verb, code, out, err)
        cli.does('repair', 'approve', '--system', '--yes', **allowed)
        done = cli.does('repair', 'apply', '--system', '--yes', **allowed)
        assert 'Repaired.' in done, done
        cli.does('repair', 'rollback', '--system', '--yes', **allowed)
        equal((daemon.state / 'index.db').read_bytes(), GARBAGE)


@promise
def the_commands_of_the_manual_work(world):
    page = pathlib.Path(world.options.source, 'docs/man/sourceos-syncd.1.scd').read_text()
    commands = [line for line in page.splitlines()
                if line.startswith('sourceos-syncd repair') and '--file' not in line]
    assert len(commands) >= 4, commands
    with Repairer(world, ALLOWED) as me:
        place = me.cli.directory
        (place / 'sourceos-syncd').symlink_to(me.cli.program)
        environment = {**me.cli.environment, 'PATH': f'{place}:{me.cli.environment["PATH"]}'}
        for command in commands:
            done = subprocess.run(['bash', '-c', command], cwd=place, env=environment, check=False,
                                  capture_output=True, text=True, timeout=PATIENCE, **me.options)
            equal(done.returncode, DONE, (command, done.stdout, done.stderr))


main(system_world)
