#!/usr/bin/python3
"""Verifies a journal by section 8 of docs/format.md, and a proof document by its section 5.

Written from that page alone and sharing no line with the daemon: where the two differ, one of them
or the page is wrong. It reads a state at rest, or a copy of journal.db (with its -wal), blobs/ and
keys/. A line a finding, `code feed seq pos: sentence`, with - for what does not apply.
Exit status: 0 sound, 1 not readable, 2 damaged."""

import argparse
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile

from contents import Contents
from formats import (HASH, Keys, Note, Tree, Unreadable, Wrong, check_body, device_id, from_base64, is_count, is_hash,
                     is_list_of, is_object_of, is_text, key_hash, leaf_hash, need, parse_header,
                     root_from_path, sha256)

APPLICATION = 0x53595244
PURGE = 'deletion.purged'
PURGED_KINDS = {'operation.enqueue', 'operation.replay', 'operation.reconcile',
                'object.created', 'object.changed', 'object.deleted'}
SCHEMA = pathlib.Path(__file__).resolve().parents[2] / 'src/store/journal'


# --- the journal (7, 8) ------------------------------------------------------------------------

class Findings:
    def __init__(self):
        self.count = 0

    def add(self, code, sentence, feed='-', seq='-', pos='-'):
        self.count += 1
        line = f'{code} {feed} {seq} {pos}: {sentence}'
        print(''.join(c if c.isprintable() else '?' for c in line))


def open_copy(journal, directory):
    """Opening a database may write to what lies beside it."""
    for suffix in ('', '-wal'):
        source = journal.with_name(journal.name + suffix)
        if source.exists() or not suffix:
            shutil.copyfile(source, directory / source.name)
    database = sqlite3.connect(directory / journal.name)
    database.text_factory = bytes
    database.execute('PRAGMA trusted_schema = OFF')
    database.execute('PRAGMA query_only = ON')
    return database


def schema_of(database):
    return database.execute('SELECT type, name, tbl_name, sql FROM sqlite_schema'
                            ' ORDER BY type, name').fetchall()


def expected_schema(directory):
    """What the migrations make, and the number of the last one."""
    scripts = sorted(directory.glob('*.sql'))
    if not scripts:
        raise Unreadable(f'no migrations in {directory}')
    database = sqlite3.connect(':memory:')
    database.text_factory = bytes
    for script in scripts:
        database.executescript(script.read_text(encoding='utf-8'))
    return schema_of(database), len(scripts)


def is_generation(text, device):
    number, _, check = text.partition('-')
    wanted = sha256(b'sourceos-generation-v1', device.encode(), number.encode()).hex()[:10]
    return number.isdecimal() and number == str(int(number)) and int(number) >= 2 and check == wanted


def is_machine(text):
    digits, check = text[:2 * HASH], text[2 * HASH:]
    wanted = sha256(b'sourceos-machine-check-v1', digits.encode()).hex()[:10]
    return text == 'none' or (is_hash(digits) and check in ('', wanted))


class Feed:
    def __init__(self, row):
        self.id, device, scope, self.epoch, *self.base = row
        self.device, self.scope = (bytes(part or b'').decode(errors='replace')
                                   for part in (device, scope))
        self.text = f'{self.device}/{self.scope}/{self.epoch}'
        self.tree = Tree()
        self.signer = None
        self.head_size = None


class Verification:
    def __init__(self, database, blobs, keys):
        self.database = database
        self.blobs = blobs
        self.keys = keys
        self.findings = Findings()
        self.contents = Contents(keys)
        self.feeds = {}
        self.purges = {}
        self.missing = {}
        self.lost = {}

    def rows(self, statement):
        return self.database.execute(statement)

    def run(self, schema_directory, known_heads):
        steps = (lambda: self.check_database(schema_directory), self.check_meta, self.read_feeds,
                 self.check_entries, self.check_contents, self.check_purges, self.check_orphans, self.check_heads,
                 self.check_checkpoints, self.check_tiles,
                 lambda: self.check_known(known_heads))
        for step in steps:
            try:
                step()
            except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
                self.findings.add('database', f'cannot be read: {error}')
        return self.findings.count == 0

    # 8.1
    def check_database(self, schema_directory):
        for (line,) in self.rows('PRAGMA integrity_check'):
            if line != b'ok':
                self.findings.add('database', line.decode(errors='replace'))
        schema, version = expected_schema(schema_directory)
        for name, wanted in (('application_id', APPLICATION), ('user_version', version)):
            (got,) = self.rows(f'PRAGMA {name}').fetchone()
            if name == 'user_version' and got > wanted:
                raise Unreadable(f'the journal was written by a newer program: {got}, not {wanted}')
            if got != wanted:
                self.findings.add('schema', f'the {name} is {got}, not {wanted}')
        if schema_of(self.database) != schema:
            self.findings.add('schema', 'the schema is not the text of the migrations')

    def check_meta(self):
        rows = {name.decode(): value.decode() for name, value in
                self.rows('SELECT name, value FROM meta')}
        if rows.keys() - {'generation'} != {'device', 'machine'}:
            self.findings.add('meta', 'has other rows than device, machine and generation')
        if not is_generation(rows.get('generation', ''), rows.get('device', '')) and 'generation' in rows:
            self.findings.add('meta', 'the generation is not a number with its check digits')
        machine = rows.get('machine', 'none')
        if not is_machine(machine):
            self.findings.add('meta', 'the machine is not a hash with its check digits')
        if self.keys.device not in (None, rows.get('device')):
            self.findings.add('meta', f'the device is not that of the keys, {self.keys.device}')

    def read_feeds(self):
        for row in self.rows('SELECT id, device, scope, epoch, base_size, base_frontier,'
                             ' base_snapshot FROM feed ORDER BY id'):
            feed = Feed(row)
            self.feeds[feed.id] = feed
            if feed.base[0] != 0 or any(feed.base[1:]):
                self.findings.add('feed', 'does not begin with its first entry', feed.text)

    # 8.2 (the order), 8.3, 8.4
    def check_entries(self):
        self.lost = dict(self.rows('SELECT pos, leaf FROM lost'))
        wanted = 0
        for pos, feed_id, seq, header, body in self.rows(
                'SELECT pos, feed, seq, CAST(header AS BLOB), body FROM entry ORDER BY pos'):
            wanted += 1
            if pos != wanted:
                self.findings.add('position', f'{wanted} is not there', pos=pos)
                wanted = pos
            feed = self.feeds.get(feed_id)
            if feed is None:
                self.findings.add('orphan', 'the entry has no feed', '-', seq, pos)
                continue
            where = (feed.text, seq, pos)
            if seq != feed.tree.size:
                self.findings.add('position', f'{feed.tree.size} would be next in the feed', *where)
            if not header and self.lost.get(pos) is not None:
                feed.tree.append(self.lost[pos])
                self.missing[pos] = None, where
                if seq == 0:
                    self.findings.add('signer', 'the first entry is lost', *where)
                if body is not None:
                    self.findings.add('lost', 'the header is lost, and the body is there', *where)
                continue
            feed.tree.append(leaf_hash(header))
            parsed = self.check_header(feed, seq, header, where)
            if parsed and parsed['v'] == 1 and parsed['kind'] == PURGE:
                self.purges[pos] = parsed
            if body is None:
                self.missing[pos] = parsed, where
            elif parsed and parsed['v'] == 1:
                content = self.attempt('body', where, check_body, body, parsed, self.keys, self.blobs)
                if content is not None:
                    self.attempt('content', where, self.contents.add, parsed, content, where)

    # 8.4, 6.2
    def check_contents(self):
        def row(name):
            found = self.database.execute('SELECT bytes FROM content WHERE name = ?', (bytes.fromhex(name),)).fetchone()
            return found[0] if found else None
        for header, item, where in self.contents.named:
            self.attempt('content', where, self.contents.check, header, item, row, self.blobs)

    # 8.4, 7.2, 7.3
    def check_purges(self):
        rows = dict(self.rows('SELECT pos, by FROM purge'))
        for pos in rows.keys() - self.missing.keys():
            self.findings.add('purge', 'the body is said to be purged, and is there or has no entry',
                              pos=pos)
        for pos, leaf in self.lost.items():
            header, where = self.missing.get(pos, (None, ('-', '-', pos)))
            if (pos not in self.missing or pos in rows or (leaf is not None and len(leaf) != HASH)
                    or (leaf is None) != (header is not None)):
                self.findings.add('lost', 'is said to be lost, and is there, was purged or is none', *where)
        for pos, (header, where) in self.missing.items():
            if pos in self.lost:
                continue
            purge = self.purges.get(rows.get(pos))
            if self.lost.get(rows.get(pos)) is not None and rows[pos] > pos:
                continue
            if purge is None or rows[pos] <= pos or not self.covers(purge, header):
                self.findings.add('body', 'is not there, and nothing purged it', *where)

    @staticmethod
    def covers(purge, header):
        return (header is not None and header['v'] == 1 and header['kind'] in PURGED_KINDS
                and header['object'] != ''
                and (purge['scope'], purge['object']) == (header['scope'], header['object']))

    def attempt(self, code, where, check, *arguments):
        """What `check` returns; None after a finding."""
        try:
            return check(*arguments)
        except Wrong as wrong:
            self.findings.add(code, str(wrong), *where)
        return None

    def check_header(self, feed, seq, raw, where):
        header = self.attempt('header', where, parse_header, raw)
        if header is None:
            return None
        named = tuple(header.get(name) for name in ('device', 'scope', 'epoch', 'seq'))
        if named != (feed.device, feed.scope, feed.epoch, seq):
            self.findings.add('header', 'names another feed or place', *where)
        if seq == 0:
            self.attempt('signer', where, self.take_signer, feed, header)
        return header

    @staticmethod
    def take_signer(feed, header):
        need(header.get('kind') == 'feed.open', 'the first entry does not open the feed')
        need(is_hash(header.get('signer')), 'the first entry names no key')
        signer = bytes.fromhex(header['signer'])
        need(device_id(signer) == feed.device, 'the key is not that of the device')
        feed.signer = signer

    # 8.2
    def check_orphans(self):
        for table, key, parent, parent_key in (
                ('head', 'feed', 'feed', 'id'),
                ('checkpoint', 'feed', 'feed', 'id')):
            for (value,) in self.rows(f'SELECT DISTINCT {key} FROM {table} WHERE {key} NOT IN'
                                      f' (SELECT {parent_key} FROM {parent})'):
                self.findings.add('orphan', f'a row of {table} has no {parent} {value}')

    # 8.5, 8.6
    def check_heads(self):
        for feed_id, size, frontier, tail, note in self.rows(
                'SELECT feed, size, frontier, tail, CAST(note AS BLOB) FROM head'):
            feed = self.feeds.get(feed_id)
            if feed is None:
                continue
            feed.head_size = size
            where = (feed.text, '-', '-')
            if size != feed.tree.size:
                self.findings.add('head', f'is of {size} entries, but there are {feed.tree.size}',
                                  *where)
                continue
            if frontier != b''.join(feed.tree.frontier(size)):
                self.findings.add('head', 'the frontier is not that of the tree', *where)
            if tail != b''.join(feed.tree.tail()):
                self.findings.add('head', 'the tail is not that of the tree', *where)
            self.attempt('head', where, self.check_note, feed, size, note)
        for feed in self.feeds.values():
            if feed.head_size is None:
                self.findings.add('head', 'is not there', feed.text)

    @staticmethod
    def check_note(feed, size, raw):
        note = Note(raw)
        need(note.feed == feed.text, 'the note is of another feed')
        need(note.size == size, f'the note states {note.size} entries, not {size}')
        need(size <= feed.tree.size, f'the note states {size} entries, of {feed.tree.size}')
        need(note.root == feed.tree.root(size), 'the note states another root than the tree has')
        need(feed.signer is not None, 'no key is known that could have signed the note')
        note.verify(feed.signer)

    def check_checkpoints(self):
        rows = self.rows('SELECT id, feed, size, CAST(note AS BLOB), reason FROM checkpoint'
                         ' ORDER BY id')
        for wanted, (number, feed_id, size, note, reason) in enumerate(rows, 1):
            if (number, reason) != (wanted, b'checkpoint.write'):
                self.findings.add('checkpoint', f'{number} is at the place of {wanted}, or was kept'
                                  f' for {reason!r}')
            feed = self.feeds.get(feed_id)
            if feed is not None:
                self.attempt('checkpoint', (feed.text, '-', '-'), self.check_note, feed, size, note)

    def check_tiles(self):
        for feed in self.feeds.values():
            wanted = feed.tree.kept_tiles()
            for seq, tiles in self.database.execute(
                    'SELECT seq, tiles FROM entry WHERE feed = ?', (feed.id,)):
                if tiles != wanted.pop(seq, None):
                    self.findings.add('tile', 'those kept with the entry are not those that it'
                                      ' completes', feed.text, seq)
            for seq in wanted:
                self.findings.add('tile', 'there is no entry that keeps it', feed.text, seq)

    # 8.7
    def check_known(self, known_heads):
        by_text = {feed.text: feed for feed in self.feeds.values()}
        for note in known_heads:
            where = (note.feed, '-', '-')
            feed = by_text.get(note.feed)
            if feed is None:
                self.findings.add('rollback', 'the feed of a known head is not there', *where)
            elif feed.signer is not None:
                if self.attempt('known-head', where, self.judge, note, feed):
                    self.compare(note, feed, where)

    @staticmethod
    def judge(note, feed):
        note.verify(feed.signer)
        return True

    def compare(self, note, feed, where):
        if note.size > feed.tree.size:
            self.findings.add('rollback', f'a known head is of {note.size} entries, but there are'
                              f' {feed.tree.size}', *where)
        elif note.root != feed.tree.root(note.size):
            self.findings.add('fork', f'a known head has another root at {note.size}', *where)


def read_known(path):
    try:
        return Note(path.read_bytes())
    except (OSError, Wrong) as error:
        raise Unreadable(f'the known head {path}: {error}') from None


def verify_state(options):
    keys = Keys(None if options.no_keys else options.state / 'keys')
    known = [read_known(path) for path in options.known_head]
    with tempfile.TemporaryDirectory(prefix='verify-') as directory:
        try:
            database = open_copy(options.state / 'journal.db', pathlib.Path(directory))
        except OSError as error:
            raise Unreadable(f'the journal: {error}') from None
        verification = Verification(database, options.state / 'blobs', keys)
        return verification.run(options.schema, known)


# --- proofs (5) --------------------------------------------------------------------------------

def parse_verifier_key(text):
    """(key name, public key)"""
    parts = text.split('+', 2)
    need(len(parts) == 3, 'the verifier key has not three parts')
    name, stated, encoded = parts
    raw = from_base64(encoded, 1 + 32)
    need(raw[0] == 1, 'the verifier key is not one of Ed25519')
    need(stated == key_hash(name, raw[1:]).hex(), 'the verifier key has another hash')
    return name, raw[1:]


PROOF = is_object_of(
    schema=lambda value: value == 'sourceos.log-proof/v1', header=is_text, leaf=is_hash,
    seq=is_count, size=is_count, root=is_hash, path=is_list_of(is_hash, 0, 64), note=is_text,
    verifier_key=is_text)


def check_proof(proof, expected_key):
    need(PROOF(proof), 'lacks a member, or has one of another form')
    need(expected_key in (None, proof['verifier_key']), 'is of another verifier key')
    raw = proof['header'].encode(errors='surrogatepass')
    header = parse_header(raw)
    leaf, root = bytes.fromhex(proof['leaf']), bytes.fromhex(proof['root'])
    need(leaf == leaf_hash(raw), 'the leaf is not that of the header')
    need(header.get('seq') == proof['seq'], 'the header is at another place')
    path = [bytes.fromhex(step) for step in proof['path']]
    need(root_from_path(leaf, proof['seq'], proof['size'], path) == root,
         'the path leads to another root')
    note = Note(proof['note'].encode(errors='surrogatepass'))
    need(note.feed == '/'.join(str(header.get(name)) for name in ('device', 'scope', 'epoch')),
         'the note is of another feed')
    need((note.size, note.root) == (proof['size'], root), 'the note is of another tree')
    name, public_key = parse_verifier_key(proof['verifier_key'])
    need(name == note.origin, 'the verifier key is of another feed')
    note.verify(public_key)
    need(device_id(public_key) == header.get('device'), 'the key is not that of the device')


def verify_proof(options):
    try:
        proof = json.loads(options.file.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f'the proof {options.file}: {error}') from None
    try:
        check_proof(proof, options.key)
    except Wrong as wrong:
        Findings().add('proof', str(wrong))
        return False
    return True


# --- the command -------------------------------------------------------------------------------

class Parser(argparse.ArgumentParser):
    def error(self, message):
        """Not 2, which says that something is damaged."""
        self.exit(1, f'{self.prog}: {message}\n')


def parse_arguments(words):
    path = pathlib.Path
    if words[:1] == ['proof']:
        parser = Parser(prog='verify.py proof')
        parser.add_argument('file', type=path)
        parser.add_argument('--key', help='the verifier key that the proof must be of')
        parser.set_defaults(verify=verify_proof)
        return parser.parse_args(words[1:])
    parser = Parser(epilog='verify.py proof FILE verifies a proof document.')
    parser.add_argument('state', type=path, help='directory with journal.db, blobs and keys')
    parser.add_argument('--known-head', type=path, action='append', default=[],
                        help='a note that was kept elsewhere')
    parser.add_argument('--no-keys', action='store_true', help='do not open what is sealed')
    parser.add_argument('--schema', type=path, default=SCHEMA, help='directory of the migrations')
    parser.set_defaults(verify=verify_state)
    return parser.parse_args(words)


def main():
    options = parse_arguments(sys.argv[1:])
    try:
        sys.exit(0 if options.verify(options) else 2)
    except Unreadable as error:
        print(f'verify.py: {error}', file=sys.stderr)
        sys.exit(1)


if __name__ == '__main__':
    main()
