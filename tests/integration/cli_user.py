"""A user of the command line: the program in the surroundings of one user, and what that user sees."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import PATIENCE, equal

DONE, FAILED, NEGATIVE, NOT_FOUND, NOT_AUTHORISED, UNREACHABLE, INTERRUPTED = (
    0, 1, 2, 3, 4, 7, 130)
# The sanitizer's own words, once for each program that goes on another stack.
OF_STACKS = re.compile(r"^==\d+==WARNING: ASan doesn't fully support makecontext.*\n", re.MULTILINE)


class Cli:
    """The program in the surroundings of one user."""

    def __init__(self, world, directory, address):
        self.program = world.program
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        keep = ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')
        self.environment = {
            **{name: os.environ[name] for name in keep if name in os.environ},
            'HOME': str(self.directory), 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm',
            'XDG_STATE_HOME': str(self.directory / 'state'),
            'XDG_RUNTIME_DIR': str(self.directory / 'run'),
            'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent',
        }
        if address:
            self.environment['DBUS_SESSION_BUS_ADDRESS'] = address

    def start(self, *words, **options):
        options.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen([self.program, *words], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True, **options)

    def run(self, *words, stdin=None, **options):
        """Exit code, output, complaints."""
        if stdin is not None:
            options['stdin'] = subprocess.PIPE
        process = self.start(*words, **options)
        out, err = process.communicate(stdin, timeout=PATIENCE)
        return process.returncode, out, OF_STACKS.sub('', err)

    def does(self, *words, **options):
        """The output of what must succeed."""
        code, out, err = self.run(*words, **options)
        assert code == DONE, f'{words}: {code}: {out}{err}'
        return out

    def json(self, *words, **options):
        return json.loads(self.does(*words, '--json', **options))

    def fails(self, exit_code, name, *words, **options):
        """What must fail says so in the same way as text and as JSON; the sentence."""
        code, out, err = self.run(*words, **options)
        equal((code, out), (exit_code, ''), f'{words}: {err}')
        lines = err.splitlines()
        equal(len(lines), 2, err)
        assert lines[0].startswith('sourceos-syncd: ') and lines[1].startswith('Next: '), err

        code, out, err = self.run(*words, '--json', **options)
        equal((code, err), (exit_code, ''), f'{words} --json')
        error = json.loads(out)['error']
        equal(set(error), {'name', 'message', 'hint', 'exit'})
        equal((error['name'], error['exit']), (name, exit_code))
        equal(lines[0], 'sourceos-syncd: ' + error['message'])
        return error['message']

    def enqueue(self, thing='note-1', body='{}', *words):
        return self.json('ops', 'enqueue', f'--object={thing}', f'--body-json={body}', *words)


@contextlib.contextmanager
def served(world):
    with world.daemon() as daemon:
        yield Cli(world, daemon.directory, world.bus.address), daemon


def lines_of(process, n):
    """The next lines of a stream, without waiting for ever."""
    held = getattr(process, 'held', b'')
    until = time.monotonic() + PATIENCE
    while held.count(b'\n') < n:
        ready, _, _ = select.select([process.stdout], [], [], max(0, until - time.monotonic()))
        assert ready, f'only {held.count(bytes([10]))} of {n} lines came: {held}'
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, f'the stream ended before {n} lines: {held} {process.stderr.read()}'
        held += piece
    *lines, process.held = held.split(b'\n', n)
    return [line.decode() for line in lines]


def stop(process, how=signal.SIGINT):
    process.send_signal(how)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def on_terminal(cli, words, typed, exit_code, columns=0, **options):
    """What a person sees who types this. `columns` 0: of a terminal that knows no size. `exit_code`
    None: any."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack('HHHH', 0, columns, 0, 0))
    process = subprocess.Popen([cli.program, *words], env=cli.environment, stdin=inside,
                               stdout=inside, stderr=inside, start_new_session=True, **options)
    os.close(inside)
    os.write(terminal, typed)
    seen = b''
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], PATIENCE)[0]:
            piece = os.read(terminal, 4096)
            if not piece:
                break
            seen += piece
    os.close(terminal)
    code = process.wait(PATIENCE)
    equal(code, code if exit_code is None else exit_code, seen)
    return seen.decode()
