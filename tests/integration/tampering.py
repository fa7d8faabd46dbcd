"""A copy of a log and what can be done to it: harm, and what only looks like it.

Some of the harm is done with the device's own keys: only so the rules behind the hashes are asked
for. That the forger itself does nothing wrong is what the harmless ones show."""

import base64
import contextlib
import hashlib
import importlib.util
import json
import pathlib
import sqlite3
import sys

try:
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as seal
    from nacl.signing import SigningKey
except ImportError:
    print('1..0 # SKIP python3-nacl is not installed')
    sys.exit(77)

VERIFIER = pathlib.Path(__file__).resolve().parents[1] / 'verifier/verify.py'
SOUND, DAMAGED = 0, 2

_spec = importlib.util.spec_from_file_location('verify', VERIFIER)
verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':')).encode()


class Log:
    """A copy of the journal, which can be changed."""

    def __init__(self, state):
        self.state = state
        self.triggers_left_out = []
        self.database = sqlite3.connect(state / 'journal.db', isolation_level=None)
        self.feeds = {scope.split('-')[0]: number for number, scope in
                      self.database.execute('SELECT id, scope FROM feed')}
        self.signer = SigningKey(self.secret('device')[:32])
        self.scope_keys = verify.Keys(state / 'keys').scopes

    def secret(self, kind):
        for path in (self.state / 'keys').iterdir():
            values = dict(line.partition('=')[::2] for line in path.read_text().splitlines())
            if values['Type'] == kind:
                return base64.b64decode(values['Data'])
        raise AssertionError(f'there is no {kind} key')

    @contextlib.contextmanager
    def change(self):
        """What the journal refuses by trigger is done without them; they are as before after it."""
        run = self.database.execute
        run('BEGIN')
        triggers = run("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            run(f'DROP TRIGGER {name}')
        yield self
        for name, statement in triggers:
            if name in self.triggers_left_out:
                continue
            run(statement)
        run('COMMIT')
        self.close()

    def close(self):
        self.database.close()

    def run(self, statement, *values):
        done = self.database.execute(statement, values)
        assert done.rowcount != 0, f'changed nothing: {statement}'
        return done

    def value(self, statement, *values):
        return self.database.execute(statement, values).fetchone()[0]

    def last(self, scope='workspace'):
        return self.value('SELECT max(pos) FROM entry WHERE feed = ?', self.feeds[scope])

    def large(self, scope='workspace'):
        """The entry whose content is in chunks."""
        return self.value('SELECT pos FROM entry WHERE feed = ? AND instr(header, ?)',
                          self.feeds[scope], b'"form":"list"')

    def header(self, pos):
        return json.loads(self.value('SELECT header FROM entry WHERE pos = ?', pos))

    def chunk(self):
        stored = self.value('SELECT blob FROM body WHERE pos = ?', self.large('public'))
        listed = json.loads(stored[verify.NONCE:].partition(b'\n')[2])
        name = listed['chunks'][0]['name']
        return self.state / 'blobs' / name[:2] / name

    # What only the device can do.

    def set_header(self, pos, header):
        text = header if isinstance(header, bytes) else canonical(header)
        self.run('UPDATE entry SET header = ? WHERE pos = ?', text, pos)

    def set_body(self, pos, stored):
        header = self.header(pos)
        header['body'] |= {'size': len(stored), 'digest': hashlib.sha256(stored).hexdigest()}
        self.run('UPDATE body SET blob = ? WHERE pos = ?', stored, pos)
        self.set_header(pos, header)

    def seal(self, pos, plain, **changes):
        header = self.header(pos) | changes
        nonce = bytes(verify.NONCE)
        key = self.scope_keys[header['key']]
        return nonce + seal(plain, verify.associated_of_body(header), nonce, key)

    def tree(self, scope):
        tree = verify.Tree()
        for (header,) in self.database.execute(
                'SELECT header FROM entry WHERE feed = ? ORDER BY seq', (self.feeds[scope],)):
            tree.append(verify.leaf_hash(header))
        return tree

    def sign(self, scope='workspace', signer=None):
        """Everything that follows from the entries of a feed, and the signatures."""
        signer, feed = signer or self.signer, self.feeds[scope]
        tree = self.tree(scope)
        self.database.execute('DELETE FROM tile WHERE feed = ?', (feed,))
        for (level, number), hashes in tree.tiles().items():
            self.run('INSERT INTO tile (feed, level, number, hashes) VALUES (?, ?, ?, ?)', feed,
                     level, number, hashes)
        self.run('UPDATE head SET size = ?, frontier = ?, tail = ?, note = ? WHERE feed = ?',
                 tree.size, b''.join(tree.frontier(tree.size)), b''.join(tree.tail()),
                 self.note(scope, tree.size, tree.root(tree.size), signer), feed)
        for number, size in self.database.execute('SELECT id, size FROM checkpoint WHERE feed = ?',
                                                  (feed,)).fetchall():
            size = min(size, tree.size)
            self.run('UPDATE checkpoint SET size = ?, note = ? WHERE id = ?', size,
                     self.note(scope, size, tree.root(size), signer), number)

    def origin(self, scope):
        return verify.ORIGIN + self.value("SELECT device || '/' || scope || '/' || epoch FROM feed"
                                          ' WHERE id = ?', self.feeds[scope])

    def note(self, scope, size, root, signer=None, lines='', signatures=''):
        signer, origin = signer or self.signer, self.origin(scope)
        text = f'{origin}\n{size}\n{base64.b64encode(root).decode()}\n{lines}'
        signature = (verify.key_hash(origin, bytes(signer.verify_key))
                     + signer.sign(text.encode()).signature)
        return f'{text}\n\u2014 {origin} {base64.b64encode(signature).decode()}\n{signatures}'


# --- what is done to it ------------------------------------------------------------------------

CASES = []  # (function, verdict, codes)


def case(verdict, codes=''):
    """`codes`: one of these the verifier must name, so that it does not find something else."""
    def enter(function):
        CASES.append((function, verdict, codes.split()))
        return function
    return enter


harmless = case(SOUND)


@harmless
def nothing(log):
    pass


@harmless
def all_signed_again_with_the_same_keys(log):
    log.sign()
    log.sign('device')
    log.sign('public')


@harmless
def a_body_sealed_again_and_the_log_signed(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}\n{"other":"content"}'))
    log.sign()


@harmless
def a_member_of_a_header_that_is_not_known(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': [{'large': 2 ** 63 - 1}]})
    log.sign()


@harmless
def a_kind_that_is_not_known(log):
    log.set_header(log.last(), log.header(log.last()) | {'kind': 'thing.happened'})
    log.sign()


@harmless
def a_note_with_a_line_and_a_signature_more(log):
    size = log.tree('workspace').size
    note = log.note('workspace', size, log.tree('workspace').root(size), lines='more\n',
                    signatures=f'\u2014 witness.example {"A" * 92}\n')
    log.run('UPDATE head SET note = ? WHERE feed = ?', note, log.feeds['workspace'])


@harmless
def a_version_that_is_not_known(log):
    header = log.header(log.last())
    known = {name: header[name] for name in ('device', 'scope', 'epoch', 'seq', 'op')}
    log.set_header(log.last(), known | {'v': 2, 'content': 'elsewhere'})
    log.sign()


@harmless
def scope_keys_that_are_not_at_hand(log):
    for path in (log.state / 'keys').glob('scope-*'):
        path.unlink()


@case(DAMAGED, 'head')
def one_letter_of_a_header(log):
    header = log.value('SELECT header FROM entry WHERE pos = 100')
    log.run('UPDATE entry SET header = ? WHERE pos = 100', header.replace(b'"o:', b'"p:'))


@case(DAMAGED, 'body')
def two_bodies_exchanged(log):
    first, second = (log.value('SELECT blob FROM body WHERE pos = ?', log.last() - step)
                     for step in (3, 4))
    log.run('UPDATE body SET blob = ? WHERE pos = ?', second, log.last() - 3)
    log.run('UPDATE body SET blob = ? WHERE pos = ?', first, log.last() - 4)


@case(DAMAGED, 'body')
def a_byte_more_of_a_body(log):
    log.run("UPDATE body SET blob = CAST(blob || x'00' AS BLOB) WHERE pos = 20")


@case(DAMAGED, 'body')
def a_body_gone(log):
    log.run('DELETE FROM body WHERE pos = 20')


@case(DAMAGED, 'orphan')
def a_body_more(log):
    log.run('INSERT INTO body SELECT pos + 1000000, blob FROM body WHERE pos = 20')


@case(DAMAGED, 'head')
def the_last_entry_gone(log):
    last = log.last()
    log.run('DELETE FROM entry WHERE pos = ?', last)
    log.run('DELETE FROM body WHERE pos = ?', last)


@case(DAMAGED, 'head')
def the_last_entry_gone_and_the_head_cut(log):
    the_last_entry_gone(log)
    log.run('UPDATE head SET size = size - 1 WHERE feed = ?', log.feeds['workspace'])


@case(DAMAGED, 'position')
def an_entry_in_the_middle_gone(log):
    log.run('DELETE FROM entry WHERE pos = 100')
    log.run('DELETE FROM body WHERE pos = 100')


@case(DAMAGED, 'header head')
def an_entry_of_another_feed(log):
    log.run('UPDATE entry SET header = (SELECT header FROM entry WHERE pos = ?) WHERE pos = ?',
            log.last('public'), log.last())
    log.run('UPDATE body SET blob = (SELECT blob FROM body WHERE pos = ?) WHERE pos = ?',
            log.last('public'), log.last())


@case(DAMAGED, 'header')
def an_entry_of_another_feed_signed(log):
    an_entry_of_another_feed(log)
    log.sign()


@case(DAMAGED, 'head')
def an_entry_more(log):
    header = log.header(log.last())
    end = log.value('SELECT max(pos) FROM entry')
    log.run('INSERT INTO entry VALUES (?, ?, ?, ?)', end + 1, log.feeds['workspace'],
            header['seq'] + 1, canonical(header | {'seq': header['seq'] + 1}))
    log.run('INSERT INTO body SELECT ?, blob FROM body WHERE pos = ?', end + 1, log.last() - 1)


@case(DAMAGED, 'position')
def a_position_left_out(log):
    end = log.value('SELECT max(pos) FROM entry')
    log.run('UPDATE entry SET pos = pos + 1 WHERE pos = ?', end)
    log.run('UPDATE body SET pos = pos + 1 WHERE pos = ?', end)


@case(DAMAGED, 'position')
def two_entries_in_another_order(log):
    for table in ('entry', 'body'):
        for old, new in ((100, 1000000), (101, 100), (1000000, 101)):
            log.run(f'UPDATE {table} SET pos = ? WHERE pos = ?', new, old)


@case(DAMAGED, 'header head')
def a_feed_of_another_epoch(log):
    log.run('UPDATE feed SET epoch = 2 WHERE id = ?', log.feeds['public'])


@case(DAMAGED, 'head')
def the_size_in_a_note(log):
    note = log.value('SELECT note FROM head WHERE feed = ?', log.feeds['workspace'])
    lines = note.split('\n')
    lines[1] = str(int(lines[1]) - 1)
    log.run('UPDATE head SET note = ? WHERE feed = ?', '\n'.join(lines), log.feeds['workspace'])


@case(DAMAGED, 'head')
def the_note_of_another_feed(log):
    log.run('UPDATE head SET note = (SELECT note FROM head WHERE feed = ?) WHERE feed = ?',
            log.feeds['public'], log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_log_signed_with_another_key(log):
    log.set_header(log.last(), log.header(log.last()) | {'object': 'o:other'})
    log.sign(signer=SigningKey.generate())


@case(DAMAGED, 'signer')
def a_log_that_names_and_is_signed_with_another_key(log):
    signer = SigningKey.generate()
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    log.set_header(first, log.header(first) | {'signer': bytes(signer.verify_key).hex()})
    log.sign(signer=signer)


@case(DAMAGED, 'checkpoint')
def a_checkpoint_with_another_root(log):
    log.run('UPDATE checkpoint SET note = ? WHERE feed = ?', log.note('workspace', 5, bytes(32)),
            log.feeds['workspace'])


@case(DAMAGED, 'checkpoint')
def a_checkpoint_of_more_than_there_is(log):
    log.run('UPDATE checkpoint SET size = 100000, note = ? WHERE feed = ?',
            log.note('workspace', 100000, bytes(32)), log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_frontier(log):
    log.run('UPDATE head SET frontier = zeroblob(length(frontier)) WHERE feed = ?',
            log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_tail(log):
    log.run('UPDATE head SET tail = zeroblob(length(tail)) WHERE feed = ?', log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile(log):
    log.run('UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 1 AND number = 0')


@case(DAMAGED, 'tile')
def a_tile_gone(log):
    log.run('DELETE FROM tile WHERE level = 0 AND number = 3')


@case(DAMAGED, 'tile')
def a_tile_more(log):
    log.run('INSERT INTO tile SELECT feed, level, 999, hashes FROM tile WHERE level = 1')


@case(DAMAGED, 'head')
def a_head_gone(log):
    log.run('DELETE FROM head WHERE feed = ?', log.feeds['public'])


@case(DAMAGED, 'orphan')
def a_head_without_a_feed(log):
    log.run('INSERT INTO head SELECT 99, 0, frontier, tail, note FROM head WHERE feed = ?',
            log.feeds['public'])


@case(DAMAGED, 'body')
def a_chunk_gone(log):
    log.chunk().unlink()


@case(DAMAGED, 'body')
def a_bit_of_a_chunk(log):
    stored = bytearray(log.chunk().read_bytes())
    stored[-1] ^= 1
    log.chunk().write_bytes(stored)


@case(DAMAGED, 'schema')
def a_trigger_gone(log):
    log.triggers_left_out = ['entry_delete']


@case(DAMAGED, 'schema')
def another_application(log):
    log.database.execute('PRAGMA application_id = 7')


@case(DAMAGED, 'meta')
def a_row_of_meta_more(log):
    log.run("INSERT INTO meta VALUES ('more', '')")


@case(DAMAGED, 'meta')
def another_device_in_meta(log):
    log.run("UPDATE meta SET value = 'device-0' WHERE name = 'device'")


@case(DAMAGED, 'meta')
def a_machine_in_meta_that_is_no_hash(log):
    log.run("UPDATE meta SET value = '' WHERE name = 'machine'")


@case(DAMAGED, 'meta')
def a_digit_of_the_machine(log):
    machine = log.value("SELECT value FROM meta WHERE name = 'machine'")
    log.run("UPDATE meta SET value = ? WHERE name = 'machine'",
            machine[:5] + ('0' if machine[5] != '0' else '1') + machine[6:])


@case(DAMAGED, 'checkpoint')
def a_checkpoint_of_another_number(log):
    log.run('UPDATE checkpoint SET id = 99 WHERE id = (SELECT max(id) FROM checkpoint)')


@case(DAMAGED, 'checkpoint')
def a_checkpoint_for_another_reason(log):
    log.run("UPDATE checkpoint SET reason = 'checkpoint.writf' WHERE id = 1")


@harmless
def a_machine_without_check_digits_as_older_logs_have_it(log):
    log.run("UPDATE meta SET value = substr(value, 1, 64) WHERE name = 'machine'")


@case(DAMAGED, 'schema')
def a_table_more(log):
    log.run('CREATE TABLE more (column)')


# What follows is signed by the device, so that nothing but its rule finds it.

@case(DAMAGED, 'header')
def a_header_that_is_not_canonical(log):
    log.set_header(log.last(), canonical(log.header(log.last())).replace(b'":', b'": ', 1))
    log.sign()


@case(DAMAGED, 'header')
def a_header_of_another_place(log):
    header = log.header(log.last())
    log.set_header(log.last(), header | {'seq': header['seq'] + 1})
    log.sign()


@case(DAMAGED, 'header')
def a_header_without_a_member(log):
    header = log.header(log.last())
    del header['lane']
    log.set_header(log.last(), header)
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_a_fraction(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': 0.5})
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_an_integer_beyond_64_bits(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': 2 ** 63})
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_half_a_surrogate_pair(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': '\ud800'})
    log.sign()


@case(DAMAGED, 'header')
def an_object_that_is_no_id(log):
    log.set_header(log.last(), log.header(log.last()) | {'object': 'a b'})
    log.sign()


@case(DAMAGED, 'signer')
def a_feed_that_opens_without_a_key(log):
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    header = log.header(first)
    del header['signer']
    log.set_header(first, header)
    log.sign()


@case(DAMAGED, 'body')
def a_body_sealed_for_another_place(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}\n{}', seq=0))
    log.sign()


@case(DAMAGED, 'body')
def a_body_without_a_meta_line(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}'))
    log.sign()


@case(DAMAGED, 'body')
def a_list_with_another_digest(log):
    pos = log.large('public')
    stored = log.value('SELECT blob FROM body WHERE pos = ?', pos)
    begin = stored.index(b'\n', verify.NONCE) + 1
    listed = json.loads(stored[begin:]) | {'digest': 'sha256:' + '0' * 64}
    log.set_body(pos, stored[:begin] + canonical(listed))
    log.sign('public')


@case(DAMAGED, 'body')
def a_body_that_is_not_sealed(log):
    log.set_header(log.last(), log.header(log.last()) | {'key': ''})
    log.set_body(log.last(), bytes(verify.NONCE) + b'{}\n{}')
    log.sign()


@case(DAMAGED, 'signer')
def a_feed_that_nothing_opens(log):
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    log.set_header(first, log.header(first) | {'kind': 'thing.happened'})
    log.sign()


@case(DAMAGED, 'body')
def a_meta_line_that_is_not_json(log):
    log.set_body(log.last(), log.seal(log.last(), b'hello\n{}'))
    log.sign()


@case(DAMAGED, 'body')
def a_chunk_of_another_size(log):
    pos = log.large('public')
    stored = log.value('SELECT blob FROM body WHERE pos = ?', pos)
    begin = stored.index(b'\n', verify.NONCE) + 1
    listed = json.loads(stored[begin:])
    listed['chunks'][0]['size'] += 1
    log.set_body(pos, stored[:begin] + canonical(listed))
    log.sign('public')
