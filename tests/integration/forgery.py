"""A copy of a log, and all that is needed to forge it: past its triggers, and with the device's own
keys."""

import base64
import contextlib
import hashlib
import importlib
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

sys.path.append(str(VERIFIER.parent))
formats = importlib.import_module('formats')


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
        self.scope_keys = formats.Keys(state / 'keys').scopes

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
        stored = self.value('SELECT body FROM entry WHERE pos = ?', self.large('public'))
        listed = json.loads(stored[formats.NONCE:].partition(b'\n')[2])
        name = listed['chunks'][0]['name']
        return self.state / 'blobs' / name[:2] / name

    # What only the device can do.

    def set_header(self, pos, header):
        text = header if isinstance(header, bytes) else canonical(header)
        self.run('UPDATE entry SET header = ? WHERE pos = ?', text, pos)

    def set_body(self, pos, stored):
        header = self.header(pos)
        header['body'] |= {'size': len(stored), 'digest': hashlib.sha256(stored).hexdigest()}
        self.run('UPDATE entry SET body = ? WHERE pos = ?', stored, pos)
        self.set_header(pos, header)

    def seal(self, pos, plain, **changes):
        header = self.header(pos) | changes
        nonce = bytes(formats.NONCE)
        key = self.scope_keys[header['key']]
        return nonce + seal(plain, formats.associated_of_body(header), nonce, key)

    def tree(self, scope):
        tree = formats.Tree()
        for (header,) in self.database.execute(
                'SELECT header FROM entry WHERE feed = ? ORDER BY seq', (self.feeds[scope],)):
            tree.append(formats.leaf_hash(header))
        return tree

    def sign(self, scope='workspace', signer=None):
        """Everything that follows from the entries of a feed, and the signatures."""
        signer, feed = signer or self.signer, self.feeds[scope]
        tree = self.tree(scope)
        self.database.execute('UPDATE entry SET tiles = NULL WHERE feed = ?', (feed,))
        for seq, tiles in tree.kept_tiles().items():
            self.run('UPDATE entry SET tiles = ? WHERE feed = ? AND seq = ?', tiles, feed, seq)
        self.run('UPDATE head SET size = ?, frontier = ?, tail = ?, note = ? WHERE feed = ?',
                 tree.size, b''.join(tree.frontier(tree.size)), b''.join(tree.tail()),
                 self.note(scope, tree.size, tree.root(tree.size), signer), feed)
        for number, size in self.database.execute('SELECT id, size FROM checkpoint WHERE feed = ?',
                                                  (feed,)).fetchall():
            size = min(size, tree.size)
            self.run('UPDATE checkpoint SET size = ?, note = ? WHERE id = ?', size,
                     self.note(scope, size, tree.root(size), signer), number)

    def origin(self, scope):
        return formats.ORIGIN + self.value("SELECT device || '/' || scope || '/' || epoch FROM feed"
                                          ' WHERE id = ?', self.feeds[scope])

    def note(self, scope, size, root, signer=None, lines='', signatures='', origin=None):
        signer, origin = signer or self.signer, origin or self.origin(scope)
        text = f'{origin}\n{size}\n{base64.b64encode(root).decode()}\n{lines}'
        signature = (formats.key_hash(origin, bytes(signer.verify_key))
                     + signer.sign(text.encode()).signature)
        return f'{text}\n\u2014 {origin} {base64.b64encode(signature).decode()}\n{signatures}'
