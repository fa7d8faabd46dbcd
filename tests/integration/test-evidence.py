#!/usr/bin/python3
"""The log as signed evidence: a ledger that keeps the cursor has each entry once, whatever happens to the
daemon meanwhile, and the verbs list, follow, show and check it."""

import json
import pathlib
import signal
import sys

from cli_user import DONE, INTERRUPTED, NEGATIVE, NOT_FOUND, lines_of, served, stop
from harness import (MANAGER, OPERATIONS, GLib, equal, eventually, main, promise, refused_as,
                     session_world)

EVIDENCE = 'sourceos.lampstand-evidence/v1alpha1'


class Ledger:
    """Whoever reads by cursor: pages until it stays the same."""

    def __init__(self, limit=100):
        self.limit, self.cursor, self.envelopes = limit, '', []

    def read(self, caller):
        while True:
            page, cursor = caller.list('ListEvidence', MANAGER, cursor=GLib.Variant('s', self.cursor),
                                       limit=GLib.Variant('u', self.limit))
            self.envelopes += page
            if cursor == self.cursor:
                return self.envelopes
            self.cursor = cursor

    @property
    def operations(self):
        return [envelope['subject'] for envelope in self.envelopes]


def operations(caller):
    """Of all entries, oldest first, as another method has them."""
    found, cursor = [], ''
    while True:
        page, cursor = caller.list('ListBytes', cursor=GLib.Variant('s', cursor),
                                   order=GLib.Variant('s', 'oldest'))
        found += [line['header']['op'] for line in page]
        if not cursor:
            return found


@promise
def a_ledger_has_each_entry_once_across_restarts(world):
    """While others write, and the daemon is killed and comes back without an index."""
    place, ledger = world.place(), Ledger(limit=7)
    for life in range(4):
        with world.daemon(directory=place) as daemon:
            with world.caller() as writer, world.caller() as reader:
                calls = [writer.start(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue',
                                      'workspace:notes', f'n-{life}-{i}', '{}',
                                      {'create_scope': GLib.Variant('b', True)}) for i in range(40)]
                while not calls[20].ended():
                    ledger.read(reader)
                    GLib.MainContext.default().iteration(False)
                if life % 2:
                    daemon.stop(signal.SIGKILL)
                eventually(lambda: all(call.ended() for call in calls), 'each call is answered or refused')
        if life == 1:
            (daemon.state / 'index.db').unlink()
    with world.daemon(directory=place), world.caller() as reader:
        ledger.read(reader)
        equal(ledger.operations, operations(reader))
        equal(len({envelope['evidence_id'] for envelope in ledger.envelopes}), len(ledger.envelopes))


@promise
def an_independent_implementation_verifies_it(world):
    with world.served() as (_, caller):
        caller.enqueue()
        sys.path.insert(0, str(pathlib.Path(world.options.source) / 'examples'))
        from ledger import Key  # pylint: disable=import-outside-toplevel
        described = json.loads(caller.call(MANAGER, 'Describe'))
        key = Key(described['attestation_key'])
        equal(key.device, described['device_id'])
        for envelope in Ledger().read(caller):
            assert key.has_signed(envelope), envelope
            assert not key.has_signed({**envelope, 'subject': 'op-other'})
        refused_as('CursorExpired', caller.list, 'ListEvidence', MANAGER, after=GLib.Variant('t', 1 << 40))
        refused_as('NotFound', caller.call, MANAGER, 'GetEvidence', '(sa{sv})', 'evidence-0', {})


# --- the verbs ---------------------------------------------------------------------------------

@promise
def it_is_listed_and_goes_on_from_the_cursor(world):
    with served(world) as (cli, _):
        operation = cli.enqueue('note-1')['operation']
        table = cli.does('evidence', 'list')
        assert operation in table and 'policy-decision' in table and 'operation.enqueue' in table, table
        whole = cli.json('evidence', 'list', '--oldest-first', '--limit=0')
        equal({envelope['schema'] for envelope in whole['evidence']}, {EVIDENCE})
        newest = cli.json('evidence', 'list', '--limit=0')['evidence']
        equal([e['evidence_id'] for e in reversed(newest)], [e['evidence_id'] for e in whole['evidence']])
        cursor = ('--oldest-first', f'--cursor={whole["cursor"]}')
        equal(cli.json('evidence', 'list', *cursor), {'evidence': [], 'cursor': whole['cursor']})
        later = cli.enqueue('note-2')['operation']
        equal([e['subject'] for e in cli.json('evidence', 'list', *cursor)['evidence']], [later])
        decisions = cli.json('evidence', 'list', '--type=policy-decision')['evidence']
        equal({e['artifact']['schema'] for e in decisions}, {'sourceos.policy-decision/v1alpha1'})
        cli.fails(NEGATIVE, 'InvalidArgs', 'evidence', 'list', f'--cursor={whole["cursor"]}')


@promise
def following_prints_each_once(world):
    with served(world) as (cli, daemon):
        before = cli.enqueue('before')['operation']
        follow = cli.start('evidence', 'list', '--follow', '--json', '--limit=1')
        equal(json.loads(lines_of(follow, 1)[0])['subject'], before)
        sent = [cli.enqueue(f'n-{i}')['operation'] for i in range(8)]
        equal([json.loads(line)['subject'] for line in lines_of(follow, 8)], sent)
        daemon.stop()
        with world.daemon(directory=daemon.directory):
            after = cli.enqueue('after')['operation']
            equal(json.loads(lines_of(follow, 1)[0])['subject'], after)
        equal(stop(follow)[:2], (INTERRUPTED, ''))


@promise
def one_is_shown_checked_and_kept(world):
    with served(world) as (cli, daemon):
        operation = cli.enqueue('note-1')['operation']
        code, shown, said = cli.run('evidence', 'show', operation)
        equal((code, said), (DONE, 'It is valid, and signed by this device\'s key.\n'))
        envelope = json.loads(shown)
        equal((envelope['subject'], envelope['artifact']['object_id']), (operation, 'note-1'))
        equal(cli.does('evidence', 'show', envelope['evidence_id'], '--json'), shown)
        checked = cli.run('evidence', 'validate', '--file=-', stdin=shown)
        equal((checked[0], json.loads(checked[1])), (DONE, {'valid': True, 'errors': []}))

        # Whoever has the key needs no daemon; without either nobody is believed.
        with world.caller() as caller:
            key = json.loads(caller.call(MANAGER, 'Describe'))['attestation_key']
        daemon.stop()
        equal(cli.run('evidence', 'validate', '--file=-', stdin=shown)[0], NEGATIVE)
        equal(cli.run('evidence', 'validate', '--file=-', f'--key={key}', stdin=shown)[0], DONE)
        forged = shown.replace('note-1', 'note-9')
        equal(cli.run('evidence', 'validate', '--file=-', f'--key={key}', stdin=forged)[0], NEGATIVE)
    with world.daemon(directory=daemon.directory):
        cli.fails(NOT_FOUND, 'NotFound', 'evidence', 'show', 'evidence-00000000000000000000')


if __name__ == '__main__':
    main(session_world)
