#!/usr/bin/env python3
"""An auditor's ledger of a sourceos-syncd: every piece of its evidence, verified, once, in order.

    ledger.py [--once] [--key VKEY] FILE

Appends each envelope to FILE, a line of JSON each. Beside it, in FILE.state, is how far it came: the cursor,
and how long FILE was then. What was written after that, when this program was killed, is written again. The
key is VKEY (attestation_key of Manager.Describe), or the one that the daemon has when FILE begins; an envelope
that it has not signed ends the program. With --once it ends as soon as there is no more."""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import sys

import gi
gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # pylint: disable=wrong-import-position
from nacl.exceptions import BadSignatureError  # pylint: disable=wrong-import-position
from nacl.signing import VerifyKey  # pylint: disable=wrong-import-position

NAME, PATH = 'org.sourceos.Sync', '/org/sourceos/Sync'
MANAGER = NAME + '.Manager'
DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
GONE = ('ServiceUnknown', 'NameHasNoOwner', 'NoReply', 'Disconnected')


def canonical(document):
    return json.dumps(document, sort_keys=True, separators=(',', ':')).encode()


class Key:
    """A device's key as others know it: "<name>+<8 digits>+<base64>"."""

    def __init__(self, text):
        self.text = text
        self.name, digits, encoded = text.split('+', 2)
        typed = base64.b64decode(encoded, validate=True)
        if typed[0] != 1 or hashlib.sha256(self.name.encode() + b'\n' + typed).hexdigest()[:8] != digits:
            raise ValueError(f'{text} is no key')
        self.id, self.key = f'{self.name}+{digits}', VerifyKey(typed[1:])
        number = int.from_bytes(hashlib.sha256(b'sourceos-device-v1' + typed[1:]).digest(), 'big') >> 126
        self.device = 'device-' + ''.join(DIGITS[number >> 5 * place & 31] for place in range(25, -1, -1))
        if self.name != f'{NAME}/{self.device}':
            raise ValueError(f'{text} is no key of a device')

    def has_signed(self, envelope):
        signature = envelope['attestation']['signature'] or {}
        said = {name: value for name, value in envelope.items() if name != 'attestation'}
        digest = 'sha256:' + hashlib.sha256(canonical(envelope['artifact'])).hexdigest()
        try:
            self.key.verify(canonical(said), base64.b64decode(signature.get('signature', ''), validate=True))
        except (BadSignatureError, ValueError):
            return False
        return signature.get('key_id') == self.id and envelope['artifact_digest'] == digest


class Ledger:
    def __init__(self, path, key):
        self.state_path = pathlib.Path(str(path) + '.state')
        self.state = {'cursor': '', 'size': 0, 'key': key}
        if self.state_path.exists():
            self.state = json.loads(self.state_path.read_text())
            if key not in (None, self.state['key']):
                raise ValueError(f'{path} is the ledger of another key')
        self.file = open(path, 'ab')
        self.file.truncate(self.state['size'])

    def believe(self, key):
        if self.state['key'] is None:
            self.state['key'] = key
            print('believing the key', key, file=sys.stderr)

    def enter(self, page, cursor):
        key = Key(self.state['key'])
        for envelope in page:
            if not key.has_signed(envelope):
                raise ValueError(f'not signed by {key.id}: {envelope["evidence_id"]}')
            self.file.write(json.dumps(envelope, ensure_ascii=False).encode() + b'\n')
        self.file.flush()
        os.fsync(self.file.fileno())
        self.state.update(cursor=cursor, size=self.file.tell())
        self.keep()

    def keep(self):
        """Whole or not at all: what is in the file before this is done does not count yet."""
        new = self.state_path.with_suffix('.new')
        with new.open('w') as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.state_path)


class Auditor:
    def __init__(self, ledger, once):
        self.ledger, self.once = ledger, once
        self.loop, self.status = GLib.MainLoop(), 0
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.bus.signal_subscribe(NAME, MANAGER, 'EventRecorded', PATH, None, Gio.DBusSignalFlags.NONE,
                                  lambda *_: self.read())
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, 15, self.loop.quit)
        # Tells at once whether the daemon is there, and each time that it comes back.
        Gio.bus_watch_name_on_connection(self.bus, NAME, Gio.BusNameWatcherFlags.NONE,
                                         lambda *_: self.read(), lambda *_: self.miss())

    def call(self, method, signature='()', *arguments):
        return self.bus.call_sync(NAME, PATH, MANAGER, method, GLib.Variant(signature, arguments), None,
                                  Gio.DBusCallFlags.NO_AUTO_START, -1, None).unpack()

    def read(self):
        """Signals only say that there is more: the cursor knows what was had."""
        try:
            self.ledger.believe(json.loads(self.call('Describe')[0]).get('attestation_key'))
            self.read_pages()
        except GLib.Error as error:
            if not any(name in (Gio.DBusError.get_remote_error(error) or '') for name in GONE):
                self.end(error.message)
        except ValueError as error:
            self.end(error)

    def read_pages(self):
        cursor = None
        while cursor != self.ledger.state['cursor']:
            cursor = self.ledger.state['cursor']
            page, next_cursor = self.call('ListEvidence', '(a{sv})', {'cursor': GLib.Variant('s', cursor)})
            if next_cursor != cursor:
                self.ledger.enter(json.loads(page), next_cursor)
        if self.once:
            self.loop.quit()

    def miss(self):
        if self.once:
            self.end(f'{NAME} is not there')

    def end(self, why):
        print(why, file=sys.stderr)
        self.status = 1
        self.loop.quit()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--once', action='store_true')
    parser.add_argument('--key')
    parser.add_argument('file')
    given = parser.parse_args()
    auditor = Auditor(Ledger(given.file, given.key), given.once)
    auditor.loop.run()
    sys.exit(auditor.status)


if __name__ == '__main__':
    main()
