"""What a journal is made of, by sections 2 to 7 and 10 of docs/format.md: canonical JSON, identities,
headers, the tree, notes, keys and bodies. Each is read strictly: what is not as the page says is Wrong."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import sys

try:
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as unseal
    from nacl.exceptions import CryptoError
    from nacl.signing import SigningKey, VerifyKey
except ImportError:
    print('python3-nacl is not installed', file=sys.stderr)
    sys.exit(77)

ORIGIN = 'org.sourceos.Sync/'
LOST_VERSION = 2 ** 63 - 1
HEADER_LIMIT = 16384
META_LIMIT = 4096
CHUNK = 1048536
NONCE = 24
TAG = 16
TILE_HEIGHT = 5
TILE_WIDTH = 1 << TILE_HEIGHT
HASH = 32
DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

HEX = re.compile('[0-9a-f]{64}')
DECIMAL = re.compile('0|[1-9][0-9]*')
TOKEN = re.compile('[A-Za-z0-9][A-Za-z0-9._:-]{0,127}')
PLAIN = re.compile(r'[ !#-\[\]-~]{0,128}')


class Unreadable(Exception):
    """Nothing can be said."""


class Wrong(Exception):
    """What is being looked at does not hold; the message is the finding's sentence."""


def need(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


# --- canonical JSON (2) ------------------------------------------------------------------------

def integer(digits):
    number = int(digits)
    if not -1 << 63 <= number < 1 << 63:
        raise ValueError(f'{number} does not fit into 64 bits')
    return number


def not_an_integer(number):
    raise ValueError(f'{number} is not an integer')


def parse_canonical(raw, limit):
    """The object, without fractions, that `raw` is the canonical text of."""
    need(isinstance(raw, bytes), 'is not text')
    need(len(raw) <= limit, f'has {len(raw)} bytes, which is more than {limit}')
    try:
        value = json.loads(raw.decode('ascii'), parse_int=integer, parse_float=not_an_integer,
                           parse_constant=not_an_integer)
        again = json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=True)
        # Half of a surrogate pair is no character, which only an encoding tells.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Wrong(f'is not canonical JSON: {error}') from None
    need(isinstance(value, dict), 'is not an object')
    need(again.encode() == raw, 'is not canonical JSON')
    return value


# --- identities (3) ----------------------------------------------------------------------------

def device_id(public_key):
    digest = sha256(b'sourceos-device-v1', public_key)
    bits = int.from_bytes(digest, 'big') >> (256 - 26 * 5)
    return 'device-' + ''.join(DIGITS[bits >> (5 * place) & 31] for place in range(25, -1, -1))


def key_id(key):
    return hashlib.sha256(b'sourceos-seal-key-v1' + key).hexdigest()


# --- the header (4.1) --------------------------------------------------------------------------

def is_text(value):
    return isinstance(value, str)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_hash(value):
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def is_id(value):
    return isinstance(value, str) and (value == '' or TOKEN.fullmatch(value) is not None)


def is_list_of(check, fewest, most):
    return lambda value: (isinstance(value, list) and fewest <= len(value) <= most
                          and all(map(check, value)))


def is_object_of(**members):
    return lambda value: (isinstance(value, dict)
                          and all(name in value and check(value[name])
                                  for name, check in members.items()))


# Of every version, also of those to come.
PLACE = is_object_of(
    device=is_id, epoch=lambda value: is_count(value) and value >= 1, op=is_id, scope=is_id,
    seq=is_count)
HEADER = is_object_of(
    actor=is_id,
    body=is_object_of(digest=is_hash, form=lambda value: value in ('whole', 'list'), size=is_count),
    decision=is_id,
    engine=is_id,
    hlc=lambda value: is_list_of(is_count, 2, 2)(value) and value[1] <= 65535,
    key=lambda value: value == '' or is_hash(value),
    keyed=lambda value: isinstance(value, bool),
    kind=is_id,
    lane=is_id,
    object=is_id,
    parents=is_list_of(is_hash, 0, 16),
    schema=is_object_of(id=lambda value: is_text(value) and PLAIN.fullmatch(value) is not None,
                        version=is_count))


def parse_header(raw):
    """Members, kinds and versions that are not known are none of our business."""
    header = parse_canonical(raw, HEADER_LIMIT)
    need(is_count(header.get('v')) and 1 <= header['v'] < LOST_VERSION, 'has no version that an entry may have')
    need(PLACE(header) and (header['v'] > 1 or HEADER(header)),
         'lacks a member, or has one of another form')
    return header


# --- the tree (5, 7.1) -------------------------------------------------------------------------

def leaf_hash(header):
    return sha256(b'\0', header)


def node_hash(left, right):
    return sha256(b'\1', left, right)


class Tree:
    """Every full subtree by its height: enough for any root of the past and any tile."""

    def __init__(self):
        self.levels = [[]]

    @property
    def size(self):
        return len(self.levels[0])

    def append(self, leaf):
        height = 0
        self.levels[0].append(leaf)
        while len(self.levels[height]) % 2 == 0:
            if height + 1 == len(self.levels):
                self.levels.append([])
            self.levels[height + 1].append(node_hash(*self.levels[height][-2:]))
            height += 1

    def frontier(self, size):
        return [self.levels[height][(size >> height) - 1]
                for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]

    def root(self, size):
        subtrees = self.frontier(size)
        if not subtrees:
            return sha256()
        root = subtrees.pop()
        while subtrees:
            root = node_hash(subtrees.pop(), root)
        return root

    def tail(self):
        return self.levels[0][self.size - self.size % TILE_WIDTH:]

    def kept_tiles(self):
        """{seq: the full tiles that this entry completes, from level 0 up}"""
        kept = {}
        for height in range(0, len(self.levels), TILE_HEIGHT):
            hashes = self.levels[height]
            for number in range(len(hashes) // TILE_WIDTH):
                last = ((number + 1) << (height + TILE_HEIGHT)) - 1
                tile = b''.join(hashes[number * TILE_WIDTH:(number + 1) * TILE_WIDTH])
                kept[last] = kept.get(last, b'') + tile
        return kept


def root_from_path(leaf, seq, size, path):
    """RFC 9162, 2.1.3.2, which gives the rule for the paths of RFC 6962."""
    need(0 <= seq < size, f'there is no entry {seq} in a tree of {size}')
    node, last, root = seq, size - 1, leaf
    for sibling in path:
        need(last > 0, 'the path is too long')
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        node >>= 1
        last >>= 1
    need(last == 0, 'the path is too short')
    return root


# --- notes (5) ---------------------------------------------------------------------------------

def from_base64(text, size=None):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong('is not base64') from None
    need(base64.b64encode(raw).decode() == text, 'is not base64 as it is written')
    need(size in (None, len(raw)), f'has {len(raw)} bytes, not {size}')
    return raw


def key_hash(name, public_key):
    return sha256(name.encode(), b'\n\1', public_key)[:4]


class Note:
    """As the two specifications have it: more lines and more signatures may be there."""

    def __init__(self, raw):
        need(isinstance(raw, bytes), 'is not text')
        try:
            text, blank, signatures = raw.decode().rpartition('\n\n')
        except UnicodeDecodeError:
            raise Wrong('is not UTF-8') from None
        need(blank and signatures.endswith('\n'), 'has no signatures after an empty line')
        lines = text.split('\n')
        need(len(lines) >= 3 and all(lines), 'has not the three lines of a checkpoint')
        self.origin, size, root = lines[:3]
        need(self.origin.startswith(ORIGIN), f'is of {self.origin!r}')
        need(DECIMAL.fullmatch(size) and len(size) < 20, f'states the size {size!r}')
        self.size = int(size)
        self.root = from_base64(root, HASH)
        self.signatures = [signature_line(line) for line in signatures.split('\n')[:-1]]
        self.signed = (text + '\n').encode()

    @property
    def feed(self):
        return self.origin.removeprefix(ORIGIN)

    def verify(self, public_key):
        by_this_key = (self.origin, key_hash(self.origin, public_key))
        ours = [raw[4:] for name, raw in self.signatures if (name, raw[:4]) == by_this_key]
        need(ours, 'is not signed with the key of the feed')
        try:
            for signature in ours:
                VerifyKey(public_key).verify(self.signed, signature)
        except (CryptoError, ValueError):
            raise Wrong('has a signature that does not verify') from None


def signature_line(line):
    """(key name, key hash and signature)"""
    words = line.split(' ')
    need(len(words) == 3 and words[0] == '\u2014' and words[1], 'has a malformed signature line')
    raw = from_base64(words[2])
    need(len(raw) > 4, 'has a malformed signature line')
    return words[1], raw


# --- keys (10) ---------------------------------------------------------------------------------

def read_key(path):
    """Its type and its data; None where it is wrapped."""
    values, group = {}, None
    for line in path.read_text(encoding='utf-8').splitlines():
        line = line.strip()
        if line.startswith('['):
            group = line
        elif group == '[Key]' and '=' in line and not line.startswith('#'):
            name, _, value = line.partition('=')
            values[name.strip()] = value.strip()
    if values.get('Wrapped') != 'no':
        return values.get('Type'), None
    return values.get('Type'), from_base64(values.get('Data', ''),
                                           64 if values.get('Type') == 'device' else 32)


class Keys:
    """What of the keys is at hand: those of scopes by id, and the id of the device."""

    def __init__(self, directory=None):
        self.scopes = {}
        self.device = None
        for path in sorted(directory.iterdir()) if directory and directory.is_dir() else []:
            try:
                kind, data = read_key(path)
            except (OSError, UnicodeDecodeError, Wrong) as error:
                raise Unreadable(f'the key file {path}: {error}') from None
            if data and kind == 'device':
                self.device = device_id(bytes(SigningKey(data[:32]).verify_key))
            elif data and kind == 'scope':
                self.scopes[key_id(data)] = data


# --- bodies (4.2, 4.3) -------------------------------------------------------------------------

def open_sealed(stored, associated, key):
    """`key` is None for what is not sealed."""
    need(len(stored) >= NONCE, 'is shorter than its nonce')
    if key is None:
        return stored[NONCE:]
    try:
        return unseal(stored[NONCE:], associated, stored[:NONCE], key)
    except (CryptoError, ValueError):
        raise Wrong('does not open with its key') from None


def associated_of_body(header):
    feed = f'{header["device"]}/{header["scope"]}/{header["epoch"]}'
    return b'\0'.join((b'sourceos-entry-v1', feed.encode(),
                       header['seq'].to_bytes(8, 'big') + bytes.fromhex(header['key'])))


def associated_of_chunk(header):
    return b'\0'.join((b'sourceos-chunk-v1', header['scope'].encode(),
                       bytes.fromhex(header['key'])))


CHUNK_LIST = is_object_of(
    chunks=is_list_of(is_object_of(name=is_hash, size=is_count), 1, 1 << 20),
    digest=is_text, size=is_count)


def read_chunk(blobs, chunk):
    path = blobs / chunk['name'][:2] / chunk['name']
    try:
        with path.open('rb') as file:
            stored = file.read(NONCE + CHUNK + TAG + 1)
    except OSError as error:
        raise Wrong(f'chunk {chunk["name"]} cannot be read: {error.strerror}') from None
    need(hashlib.sha256(stored).hexdigest() == chunk['name'],
         f'chunk {chunk["name"]} has another digest')
    need(len(stored) == chunk['size'], f'chunk {chunk["name"]} has another size')
    return stored


def check_nonce(stored, plain, key):
    inner = hmac.digest(key, b'sourceos-chunk-nonce-v1', 'sha256')
    need(stored[:NONCE] == hmac.digest(inner, plain, 'sha256')[:NONCE],
         'a chunk has a nonce that does not follow from it')


def check_chunks(content, header, key, blobs):
    listed = parse_canonical(content, len(content))
    need(CHUNK_LIST(listed), 'is not a list of chunks')
    digest, size, parts = hashlib.sha256(), 0, []
    for number, chunk in enumerate(listed['chunks'], 1):
        stored = read_chunk(blobs, chunk)
        plain = open_sealed(stored, associated_of_chunk(header), key)
        if key is not None:
            check_nonce(stored, plain, key)
        need(len(plain) == CHUNK or (number == len(listed['chunks']) and 0 < len(plain) < CHUNK),
             f'chunk {chunk["name"]} is cut at another place')
        digest.update(plain)
        size += len(plain)
        parts.append(plain)
    need(size == listed['size'], 'the chunks have another size than the content')
    need('sha256:' + digest.hexdigest() == listed['digest'],
         'the chunks have another digest than the content')
    return b''.join(parts)


def check_body(stored, header, keys, blobs):
    """The content, where it opens."""
    need(isinstance(stored, bytes), 'is not a blob')
    need(len(stored) == header['body']['size'], 'has another size than its header says')
    need(hashlib.sha256(stored).hexdigest() == header['body']['digest'],
         'has another digest than its header says')
    public = header['scope'].startswith('public-')
    need(public == (header['key'] == ''), 'is sealed in a public scope or open in another')
    key = keys.scopes.get(header['key'])
    if not public and key is None:
        return None
    plain = open_sealed(stored, associated_of_body(header), key)
    meta, line_feed, content = plain.partition(b'\n')
    need(line_feed, 'has no meta line')
    parse_canonical(meta, META_LIMIT)
    if header['body']['form'] == 'list':
        return check_chunks(content, header, key, blobs)
    return content
