"""Content of files that is kept, as sections 6.1 and 6.2 of docs/format.md say it."""

import collections
import hashlib
import json

from formats import CHUNK, NONCE, TAG, Wrong, check_nonce, is_count, is_hash, is_list_of, is_object_of, need, open_sealed

SCHEMA = 'sourceos.file-changes/v1'
ROW_MAX = 65536
NAMES = is_list_of(is_hash, 0, 257)
DROPPED = is_list_of(is_object_of(chunks=NAMES, version=is_count), 0, 1 << 16)


def associated(header):
    return b'\0'.join((b'sourceos-content-v1', header['scope'].encode(), bytes.fromhex(header['key'])))


class Contents:
    """What entries name, less what they drop."""

    def __init__(self, keys):
        self.keys = keys
        self.needs = collections.Counter()
        self.named = []

    def add(self, header, content, where):
        if header['schema']['id'] != SCHEMA or header['kind'] == 'object.deleted':
            return
        files = json.loads(content).get('files')
        for item in files if isinstance(files, list) else ():
            if not isinstance(item, dict) or not NAMES(item.get('chunks', [])) or not DROPPED(item.get('dropped', [])):
                continue
            for dropped in item.get('dropped', ()):
                self.needs.subtract(dropped['chunks'])
            if 'chunks' in item:
                self.needs.update(item['chunks'])
                self.named.append((header, item, where))

    def read(self, name, small, rows, blobs):
        try:
            stored = rows(name) if small else (blobs / name[:2] / f'{name}.file').read_bytes()
        except OSError as error:
            raise Wrong(f'chunk {name} cannot be read: {error.strerror}') from None
        need(stored is not None, f'chunk {name} is not there')
        need(len(stored) <= NONCE + CHUNK + TAG, f'chunk {name} is too long')
        need(hashlib.sha256(stored).hexdigest() == name, f'chunk {name} has another digest')
        return stored

    def check(self, header, item, rows, blobs):
        """Whether it was looked at."""
        if any(self.needs[name] <= 0 for name in item['chunks']):
            return False
        key = self.keys.scopes.get(header['key'])
        digest, size = hashlib.sha256(), 0
        need(is_count(item.get('size')), 'a file has no size')
        for number, name in enumerate(item['chunks'], 1):
            stored = self.read(name, item['size'] <= ROW_MAX, rows, blobs)
            if header['key'] and key is None:
                continue
            plain = open_sealed(stored, associated(header), key)
            if key is not None:
                check_nonce(stored, plain, key)
            need(len(plain) == CHUNK or (number == len(item['chunks']) and 0 < len(plain) < CHUNK),
                 f'chunk {name} is cut at another place')
            digest.update(plain)
            size += len(plain)
        if not header['key'] or key is not None:
            need(size == item['size'], 'the content of a file has another size')
            need(digest.hexdigest() == item.get('sha256'), 'the content of a file has another digest')
        return True
