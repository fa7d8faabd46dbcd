#!/usr/bin/python3
"""Arguments of up to 31 MiB, documents of 100,000 brackets, forged cursors, bytes that are no text
and file descriptors: each is refused with a name, for a bounded amount of memory."""

import contextlib
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'integration'))

# The harness is where the line above says.
from harness import (MANAGER, NAME, OPERATIONS, PATIENCE, ROOT,  # pylint: disable=wrong-import-position
                     STANDARD, Gio, GLib, Refused, equal, main, promise, refusal, refused_as,
                     session_world)

INVALID_ARGS = STANDARD + 'InvalidArgs'
GIANT = 31 << 20
MORE_MAX = 64 << 20  # beside the input itself
SANITIZED = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=1'}


def text(value):
    return GLib.Variant('s', value)


def status(pid, name):
    line = next(line for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
                if line.startswith(name + ':'))
    return int(line.split()[1]) << 10


class Memory:
    """What a process needed at most while this was open."""

    def __init__(self, pid):
        self.pid = pid
        self.before = status(pid, 'VmRSS')
        pathlib.Path(f'/proc/{pid}/clear_refs').write_text('5')

    def more(self):
        return status(self.pid, 'VmHWM') - self.before


def enqueue(caller, body, options=None):
    caller.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', 'sync.operation.enqueue', 'workspace:notes',
                'note:1', body, options or {})


def octets(value):
    return GLib.Variant.new_from_bytes(GLib.VariantType('ay'), GLib.Bytes(value), True)


def many(caller, lines):
    values = GLib.Variant.new_tuple(octets(lines), GLib.Variant('a{sv}', {}))
    try:
        caller.connection.call_sync(NAME, ROOT, OPERATIONS, 'EnqueueMany', values, None,
                                    Gio.DBusCallFlags.NONE, PATIENCE * 1000, None)
    except GLib.Error as error:
        raise Refused(error) from None


def nested(depth):
    value = GLib.Variant('s', 'x')
    for _ in range(depth):
        value = GLib.Variant('v', value)
    return value


# What is called, and how it is refused.
GIANTS = {
    'a body of spaces': (
        'TooLarge', lambda caller: enqueue(caller, ' ' * GIANT)),
    'a body of brackets': (
        'TooLarge', lambda caller: enqueue(caller, '[' * GIANT)),
    'a body of 100,000 brackets': (
        'TooDeep', lambda caller: enqueue(caller, '{"a":' + '[' * 100_000 + ']' * 100_000 + '}')),
    'the largest body, of numbers': (
        'InvalidContract', lambda caller: enqueue(caller, '[' + '1,' * ((8 << 20) - 2) + '1]')),
    'the largest body, of keys': (
        'InvalidEncoding', lambda caller: enqueue(
            caller, '{' + ','.join(f'"{i}":1' for i in range(1_200_000)) + ',"0":1}')),
    'lines of brackets': (
        'TooLarge', lambda caller: many(caller, b'[' * GIANT)),
    'the largest lines, empty': (
        'InvalidContract', lambda caller: many(caller, b'{}\n' * ((4 << 20) // 3))),
    'a type': (
        'InvalidContract', lambda caller: caller.call(
            OPERATIONS, 'Enqueue', '(ssssa{sv})', 'x' * GIANT, 'device', '', '{}', {})),
    'an id': (
        INVALID_ARGS, lambda caller: caller.call(
            OPERATIONS, 'Get', '(sa{sv})', 'o' * GIANT, {})),
    'a cursor': (
        INVALID_ARGS, lambda caller: caller.list(cursor=text('c' * GIANT))),
    'an option of a wrong type': (
        INVALID_ARGS, lambda caller: caller.list(limit=octets(b'\1' * GIANT))),
    'an option within variants': (
        INVALID_ARGS, lambda caller: caller.list(limit=nested(30))),
    'the name of an option': (
        INVALID_ARGS, lambda caller: caller.list(**{'n' * GIANT: text('x')})),
    '100,000 options': (
        INVALID_ARGS, lambda caller: caller.list(
            **{f'option-{i}': text('x') for i in range(100_000)})),
    'a million parents': (
        INVALID_ARGS, lambda caller: enqueue(
            caller, '{}', {'parents': GLib.Variant.new_strv(['op-x'] * 1_000_000)})),
    'a million known heads': (
        INVALID_ARGS, lambda caller: caller.call(
            MANAGER, 'Verify', '(a{sv})', {'known_heads': GLib.Variant.new_strv(['x'] * 1_000_000)})),
}


@promise
def giants_are_refused_for_a_bounded_amount_of_memory(world):
    with world.served(environment=SANITIZED) as (daemon, caller):
        caller.enqueue()
        for what, (error, call) in GIANTS.items():
            memory = Memory(daemon.pid)
            refused_as(error, call, caller)
            more = memory.more()
            print(f'# {what}: {more / 2**20:.0f} MiB')
            assert more <= GIANT + MORE_MAX, f'{what}: {more} bytes'
        caller.enqueue()


GREEDY = f"""
print('ready', flush=True)
input()
kept = b'x' * {3 * GIANT + MORE_MAX}
print('kept', flush=True)
input()
"""


@promise
def a_process_that_keeps_copies_is_found(_world):
    """The control: three of what it was given."""
    with subprocess.Popen([sys.executable, '-c', GREEDY], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        equal(process.stdout.readline(), 'ready\n')
        memory = Memory(process.pid)
        process.stdin.write('\n')
        process.stdin.flush()
        equal(process.stdout.readline(), 'kept\n')
        assert memory.more() > GIANT + MORE_MAX
        process.stdin.write('\n')


@promise
def forged_cursors_are_refused(world):
    with world.served() as (_, caller):
        for _ in range(5):
            caller.enqueue()
        _, cursor = caller.list(limit=GLib.Variant('u', 2))
        assert cursor
        forged = {cursor[:at] + other + cursor[at + 1:] for at in range(len(cursor))
                  for other in 'Az09-_.:=' if other != cursor[at]}
        forged |= {cursor[:size] for size in range(1, len(cursor))} | {cursor + cursor, cursor + 'A'}
        for fake in forged:
            try:
                records, _ = caller.list(limit=GLib.Variant('u', 2), cursor=text(fake))
            except Refused as refused:
                assert refused.name in (INVALID_ARGS, NAME + '.Error.CursorExpired'), refused
            else:
                assert len(records) <= 2


def holds(pid, name):
    """Whether a process has the file open. It may open and close others meanwhile."""
    for descriptor in os.listdir(f'/proc/{pid}/fd'):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samefile(f'/proc/{pid}/fd/{descriptor}', name):
                return True
    return False


@promise
def file_descriptors_are_refused_and_not_kept(world):
    with world.served() as (daemon, caller), tempfile.NamedTemporaryFile() as passed_file:
        for _ in range(50):
            passed = Gio.UnixFDList.new_from_array([os.open(passed_file.name, os.O_RDONLY)])
            try:
                caller.connection.call_with_unix_fd_list_sync(
                    NAME, ROOT, MANAGER, 'Describe', GLib.Variant('(h)', (0,)), None,
                    Gio.DBusCallFlags.NONE, PATIENCE * 1000, passed, None)
            except GLib.Error:
                continue
            raise AssertionError('taken')
        assert not holds(daemon.pid, passed_file.name)
        assert holds(os.getpid(), passed_file.name)


# --- by hand: what no library would send ---------------------------------------------------------

def padded(data, to):
    return data + b'\0' * (-len(data) % to)


def wire_string(value):
    return padded(struct.pack('<I', len(value)) + value + b'\0', 4)


def wire_call(serial, destination, path, interface, member, signature=b'', body=b''):
    fields = b''
    for code, kind, value in ((1, b'o', path), (2, b's', interface), (3, b's', member),
                              (6, b's', destination)):
        fields = padded(fields, 8) + bytes([code, 1]) + kind + b'\0' + \
            struct.pack('<I', len(value)) + value + b'\0'
    if signature:
        fields = padded(fields, 8) + bytes([8, 1]) + b'g\0' + bytes([len(signature)]) + \
            signature + b'\0'
    head = struct.pack('<cBBBIII', b'l', 1, 0, 1, len(body), serial, len(fields))
    return padded(head + fields, 8) + body


def raw_connection(bus):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(str(bus.socket))
    connection.sendall(b'\0AUTH EXTERNAL ' + str(os.geteuid()).encode().hex().encode() + b'\r\n')
    assert connection.recv(4096).startswith(b'OK')
    connection.sendall(b'BEGIN\r\n' + wire_call(
        1, b'org.freedesktop.DBus', b'/org/freedesktop/DBus', b'org.freedesktop.DBus', b'Hello'))
    connection.recv(4096)
    return connection


# Bodies of Get(s, a{sv}) that a careful bus would not pass on.
NO_TEXTS = {
    'no UTF-8': wire_string(b'op-\xff\xfe\xc3\x28') + struct.pack('<I', 0),
    'a NUL within': wire_string(b'op-\0x') + struct.pack('<I', 0),
    'a length beyond the end': struct.pack('<I', 0x7fffffff) + b'op-x\0\0\0\0' + struct.pack('<I', 0),
    'no end': struct.pack('<I', 4) + b'op-xyyyy' + struct.pack('<I', 0),
    'an array beyond the end': wire_string(b'op-x') + struct.pack('<I', 0x3ffffff),
    'nothing': b'',
}


@promise
def bytes_that_are_no_text_do_no_harm(world):
    with world.served() as (daemon, caller):
        for what, body in NO_TEXTS.items():
            connection = raw_connection(world.bus)
            connection.sendall(wire_call(2, NAME.encode(), ROOT.encode(), OPERATIONS.encode(),
                                         b'Get', b'sa{sv}', body))
            # An error of ours, or the bus throws the sender out.
            answer = connection.recv(65536)
            connection.close()
            equal(caller.call('org.freedesktop.DBus.Peer', 'Ping'), None, what)
            assert daemon.process.poll() is None
            print(f'# {what}: {"thrown out" if not answer else "answered"}')
        assert refusal(caller.call, OPERATIONS, 'Get', '(sa{sv})', 'op-x', {})


main(session_world)
