"""A bus of its own, daemons on it, callers of any user, and promises that are checked in turn.

A test file marks functions with @promise and ends with main(). The promises share nothing but what
the file itself keeps; the output is TAP."""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from mounts import JOURNAL_SOCKET, Skip, in_private_mounts, play_journal

try:
    import gi
    gi.require_version('Gio', '2.0')
    from gi.repository import Gio, GLib
except (ImportError, ValueError):
    print('1..0 # SKIP python3-gi is not installed')
    sys.exit(77)

NAME = 'org.sourceos.Sync'
ROOT = '/org/sourceos/Sync'
MANAGER = NAME + '.Manager'
OPERATIONS = NAME + '.Operations'
JOB = NAME + '.Job'
ERROR = NAME + '.Error.'
STANDARD = 'org.freedesktop.DBus.Error.'
STANDARD_BUS = 'org.freedesktop.DBus'
PATIENCE = 30  # seconds until something that must happen has not happened


class Refused(Exception):
    def __init__(self, error):
        self.name = Gio.DBusError.get_remote_error(error) or error.message
        self.text = error.message.removeprefix(f'GDBus.Error:{self.name}: ')
        super().__init__(f'{self.name}: {self.text}')


# --- promises ----------------------------------------------------------------------------------

_promises = []


def promise(function):
    _promises.append(function)
    return function


def arguments(add_own=None):
    parser = argparse.ArgumentParser()
    parser.add_argument('--program', required=True)
    parser.add_argument('--source', default=str(pathlib.Path(__file__).parents[2]))
    parser.add_argument('--bus', default='dbus-daemon')
    parser.add_argument('--enqueuer')
    parser.add_argument('--asker')
    parser.add_argument('--rules')
    parser.add_argument('--worker')
    parser.add_argument('--applet')
    parser.add_argument('only', nargs='*')
    if add_own:
        add_own(parser)
    return parser.parse_args()


def main(make_world, add_own=None):
    """`make_world` gives a context manager whose value every promise gets; `add_own` is given the
    parser, for options that only this file has."""
    options = arguments(add_own)
    if options.bus == 'dbus-broker' and not os.path.exists(JOURNAL_SOCKET):
        in_private_mounts('dbus-broker wants the socket of the journal')
        play_journal()
    chosen = [p for p in _promises if not options.only or p.__name__ in options.only]
    failed = 0
    try:
        with make_world(options) as world:
            print(f'1..{len(chosen)}', flush=True)
            for number, check in enumerate(chosen, 1):
                failed += not _check(number, check, world)
    except Skip as reason:
        print(f'1..0 # SKIP {reason}')
        sys.exit(77)
    sys.exit(1 if failed else 0)


def _check(number, check, world):
    name = check.__name__.replace('_', ' ')
    try:
        check(world)
    except Skip as reason:
        print(f'ok {number} - {name} # SKIP {reason}', flush=True)
        return True
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print(f'# {line}')
        print(f'not ok {number} - {name}', flush=True)
        return False
    print(f'ok {number} - {name}', flush=True)
    return True


def equal(got, wanted, what=''):
    assert got == wanted, f'{what}: got {got!r}, not {wanted!r}'


def eventually(condition, what):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f'never happened: {what}'
        GLib.MainContext.default().iteration(False)
        time.sleep(0.005)


# --- the bus -----------------------------------------------------------------------------------

SESSION_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
'''


class Bus:
    """A private bus; `config` has {socket} where the path of its socket belongs."""

    def __init__(self, directory, kind='dbus-daemon', config=SESSION_CONFIG):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = self.directory / 'bus'
        self.address = f'unix:path={self.socket}'
        self.config = self.directory / 'bus.conf'
        self.config.write_text(config.replace('{socket}', str(self.socket)))
        self.log = (self.directory / 'bus.log').open('wb')
        start = {'dbus-daemon': self._start_daemon, 'dbus-broker': self._start_broker}[kind]
        self.process = start()
        eventually(self._answers, f'{kind} answers')

    def _start_daemon(self):
        return subprocess.Popen(['dbus-daemon', f'--config-file={self.config}', '--nofork',
                                 '--nopidfile'], stdout=self.log, stderr=self.log)

    def _start_broker(self):
        """The launcher wants its socket from a service manager, which we play, and for the rest
        takes its own bus for that of the service manager."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket))
        os.chmod(self.socket, 0o666)
        listener.listen(64)
        os.set_inheritable(listener.fileno(), True)
        # The shell's own pid is the one that the launcher will have.
        shell = ('exec 3<&%d; LISTEN_FDS=1 LISTEN_PID=$$ exec dbus-broker-launch --scope user '
                 '--config-file "$0"' % listener.fileno())
        process = subprocess.Popen(
            ['sh', '-c', shell, str(self.config)], stdout=self.log, stderr=self.log,
            close_fds=False, env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.address})
        listener.close()
        return process

    def _answers(self):
        if self.process.poll() is not None:
            raise Skip(f'the bus did not start: {(self.directory / "bus.log").read_text()[-200:]}')
        try:
            Caller(self.address).close()
        except GLib.Error:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


# --- callers -----------------------------------------------------------------------------------

class Caller:
    """A connection of this process's user."""

    def __init__(self, address):
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                 | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.connection.set_exit_on_close(False)

    @property
    def name(self):
        return self.connection.get_unique_name()

    def call(self, interface, method, signature='()', *args, path=ROOT, interactive=False):
        """The values of the reply: none, one, or a tuple. Refused when it is an error."""
        values = self.call_raw(interface, method, signature, args, path, interactive).unpack()
        return values[0] if len(values) == 1 else values or None

    def call_raw(self, interface, method, signature, args, path=ROOT, interactive=False):
        flags = Gio.DBusCallFlags.NO_AUTO_START
        if interactive:
            flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
        try:
            return self.connection.call_sync(NAME, path, interface, method,
                                             GLib.Variant(signature, args), None, flags,
                                             PATIENCE * 1000, None)
        except GLib.Error as error:
            raise Refused(error) from None

    def start(self, interface, method, signature, *args, path=ROOT, interactive=False):
        """Sends the call and goes on; the result of it is a Pending."""
        return Pending(self, interface, method, GLib.Variant(signature, args), path, interactive)

    def get(self, interface, name, path=ROOT):
        return self.call('org.freedesktop.DBus.Properties', 'Get', '(ss)', interface, name,
                         path=path)

    def get_all(self, interface, path=ROOT):
        return self.call('org.freedesktop.DBus.Properties', 'GetAll', '(s)', interface, path=path)

    def enqueue(self, body='{}', scope='workspace:notes', thing='note:1',
                kind='sync.operation.enqueue', **options):
        options.setdefault('create_scope', GLib.Variant('b', True))
        return self.call(OPERATIONS, 'Enqueue', '(ssssa{sv})', kind, scope, thing, body, options)

    def list(self, method='List', interface=OPERATIONS, **options):
        reply = self.call_raw(interface, method, '(a{sv})', (options,))
        records, cursor = reply.get_child_value(0), reply.get_child_value(1).get_string()
        if method == 'ListBytes':
            # Unpacked it would be a list of a million numbers.
            lines = records.get_data_as_bytes().get_data() or b''
            return [json.loads(line) for line in lines.splitlines()], cursor
        return json.loads(records.get_string()), cursor

    def listen(self, interface=None, member=None):
        """A list that fills with (path, member, values)."""
        heard = []
        self.connection.signal_subscribe(
            NAME, interface, member, None, None, Gio.DBusSignalFlags.NONE,
            lambda _c, _s, path, _i, name, values: heard.append((path, name, values.unpack())))
        # The answer to a further call comes after the bus took the match in.
        self.call('org.freedesktop.DBus.Peer', 'Ping')
        return heard

    def close(self):
        self.connection.close_sync(None)


class Pending:
    def __init__(self, caller, interface, method, arguments_, path, interactive=False):
        self.reply = self.refused = None
        flags = Gio.DBusCallFlags.NO_AUTO_START
        if interactive:
            flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
        caller.connection.call(NAME, path, interface, method, arguments_, None, flags,
                               PATIENCE * 1000, None, self._done)

    def _done(self, connection, result):
        try:
            self.reply = connection.call_finish(result).unpack()
        except GLib.Error as error:
            self.refused = Refused(error)

    def ended(self):
        return self.reply is not None or self.refused is not None


class OtherCaller:
    """A connection of another user's process. It is called as a Caller is; while it waits, this
    process goes on to answer what it is asked itself."""

    def __init__(self, address, uid):
        self.process = subprocess.Popen(
            [sys.executable, '-B', __file__, address], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=as_user(uid))
        os.set_blocking(self.process.stdout.fileno(), False)
        self.name = self._answer()

    @property
    def pid(self):
        return self.process.pid

    def _answer(self):
        line = ''

        def more():
            nonlocal line
            line += self.process.stdout.readline() or ''
            return line.endswith('\n') or self.process.poll() is not None

        eventually(more, 'the other process answers')
        return json.loads(line)

    def call(self, interface, method, signature='()', *args, **keywords):
        self.start(interface, method, signature, *args, **keywords)
        answer = self._answer()
        if 'reply' in answer:
            return answer['reply']
        refused = Refused.__new__(Refused)
        refused.name, refused.text = answer['name'], answer['text']
        refused.args = (f'{refused.name}: {refused.text}',)
        raise refused

    def list(self, method='List', interface=OPERATIONS, **options):
        records, cursor = self.call(interface, method, '(a{sv})', options)
        if method == 'ListBytes':
            return [json.loads(line) for line in bytes(records).splitlines()], cursor
        return json.loads(records), cursor

    def start(self, interface, method, signature='()', *args, path=ROOT, interactive=False):
        """Without waiting for an answer."""
        args = [{name: [value.get_type_string(), value.unpack()] for name, value in arg.items()}
                if isinstance(arg, dict) else arg for arg in args]
        self._send(interface=interface, method=method, signature=signature, args=args, path=path,
                   interactive=interactive)

    def burst(self, count, interface, method, signature, *args):
        """That many interactive calls at once: the names of the errors of those that were answered
        by the time that the first was."""
        self._send(burst=count, interface=interface, method=method, signature=signature, args=args)
        return self._answer()

    def _send(self, **request):
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()

    def listen(self):
        """From now on it keeps what it hears, until heard() asks for it."""
        self._send(listen=True)
        self._answer()

    def heard(self):
        self._send(heard=True)
        return self._answer()

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)


def serve_calls(address):
    """What an OtherCaller's process does."""
    caller = Caller(address)
    heard = []
    print(json.dumps(caller.name), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request.get('listen'):
            caller.connection.signal_subscribe(
                None, None, None, None, None, Gio.DBusSignalFlags.NONE,
                lambda *signal_: heard.append([str(part) for part in signal_[1:]]))
            caller.connection.call_sync(STANDARD_BUS, '/', 'org.freedesktop.DBus.Peer', 'Ping', None,
                                        None, Gio.DBusCallFlags.NONE, -1, None)
            answer = {}
        elif request.get('heard'):
            while GLib.MainContext.default().iteration(False):
                pass
            answer = heard
        elif request.get('burst'):
            calls = [caller.start(request['interface'], request['method'], request['signature'],
                                  *request['args'], interactive=True)
                     for _ in range(request['burst'])]
            eventually(lambda: any(call.ended() for call in calls), 'one is answered')
            answer = [call.refused.name for call in calls if call.refused]
        else:
            args = [{name: GLib.Variant(*value) for name, value in arg.items()}
                    if isinstance(arg, dict) else arg for arg in request['args']]
            try:
                reply = caller.call(request['interface'], request['method'], request['signature'],
                                    *args, path=request['path'], interactive=request['interactive'])
                answer = {'reply': reply}
            except Refused as refused:
                answer = {'name': refused.name, 'text': refused.text}
        print(json.dumps(answer), flush=True)


def refusal(function, *args, **keywords):
    """The Refused that a call must give."""
    try:
        reply = function(*args, **keywords)
    except Refused as refused:
        return refused
    raise AssertionError(f'not refused: {reply!r}')


def refused_as(name, function, *args, **keywords):
    """What the daemon said about it, which ends with what to do next."""
    refused = refusal(function, *args, **keywords)
    equal(refused.name, name if name.startswith('org.') else ERROR + name, refused.text)
    assert ' Next: ' in refused.text, f'no next step in: {refused}'
    return refused.text


# --- daemons -----------------------------------------------------------------------------------

def as_user(uid):
    """For preexec_fn: nothing of root is kept."""
    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    return become


class Daemon:
    """A daemon with a state of its own, ready when this returns; `without` names what its environment
    lacks, `environment` is what it has besides, `words` are further ones of its command line."""

    def __init__(self, program, bus, directory, instance='user', config=None, uid=None,
                 wait=True, without=(), environment=None, words=()):
        self.directory = pathlib.Path(directory)
        self.bus = bus
        for name in ('state', 'run', 'config'):
            (self.directory / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            if uid is not None:
                os.chown(self.directory / name, uid, uid)
        if uid is not None:
            os.chown(self.directory, uid, uid)
        self.state = self.directory / 'state' / 'sourceos-syncd'
        self.status_file = self.directory / 'run' / 'sourceos-syncd' / 'status.json'
        self.log = self.directory / 'daemon.log'
        command = [program, 'daemon', f'--{instance}', f'--state-dir={self.state}', *words]
        if config is not None:
            path = self.directory / 'syncd.conf'
            path.write_text(config)
            path.chmod(0o644)
            command.append(f'--config={path}')
        self.notify = self._notify_socket(uid)
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={name: value
                     for name, value in {**self._environment(), **(environment or {})}.items()
                     if name not in without},
                preexec_fn=as_user(uid) if uid is not None else None)
        if wait:
            self._wait_ready()

    def _environment(self):
        keep = ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')
        return {
            **{name: os.environ[name] for name in keep if name in os.environ},
            'HOME': str(self.directory),
            'XDG_STATE_HOME': str(self.directory / 'state'),
            'XDG_RUNTIME_DIR': str(self.directory / 'run'),
            'XDG_CONFIG_HOME': str(self.directory / 'config'),
            'RUNTIME_DIRECTORY': str(self.directory / 'run' / 'sourceos-syncd'),
            'DBUS_SESSION_BUS_ADDRESS': self.bus.address,
            'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address,
            'NOTIFY_SOCKET': str(self.directory / 'notify'),
        }

    def _notify_socket(self, uid):
        path = self.directory / 'notify'
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(path))
        if uid is not None:
            os.chown(path, uid, uid)
        self.notified = []
        threading.Thread(target=self._read_notifications, args=(notify,), daemon=True).start()
        return notify

    def _read_notifications(self, notify):
        """Always: a daemon whose notifications nobody takes would wait."""
        with contextlib.suppress(OSError):
            while message := notify.recv(4096):
                self.notified += message.decode().splitlines()

    def _wait_ready(self):
        until = time.monotonic() + PATIENCE
        while 'READY=1' not in self.notified:
            assert self.process.poll() is None, f'the daemon ended:\n{self.log.read_text()}'
            assert time.monotonic() < until, f'the daemon is not ready:\n{self.log.read_text()}'
            time.sleep(0.005)

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return self.log.read_text()

    def status(self):
        return json.loads(self.status_file.read_text())

    def stop(self, how=signal.SIGTERM):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self._end_notifications()
        return status

    def outcome(self):
        """Of a daemon that must not start: its exit status and what it said."""
        status = self.process.wait(PATIENCE)
        return status, self.said()

    def _end_notifications(self):
        with contextlib.suppress(OSError):
            self.notify.shutdown(socket.SHUT_RDWR)
        self.notify.close()


class World:
    """What the promises of one file share."""

    def __init__(self, options, directory, bus):
        self.options = options
        self.program = os.path.abspath(options.program)
        self.directory = pathlib.Path(directory)
        self.bus = bus
        self.count = 0

    def place(self):
        self.count += 1
        return self.directory / f'place-{self.count}'

    @contextlib.contextmanager
    def daemon(self, directory=None, bus=None, **options):
        daemon = Daemon(self.program, bus or self.bus, directory or self.place(), **options)
        try:
            yield daemon
        finally:
            status = daemon.stop()
            if status not in (0, -signal.SIGKILL):
                print(f'# daemon ended with {status}')
                for line in daemon.said().splitlines()[-30:]:
                    print(f'# {line}')
                raise AssertionError(f'the daemon ended with {status}')

    @contextlib.contextmanager
    def daemon_that_fails(self, directory=None, bus=None, **options):
        daemon = Daemon(self.program, bus or self.bus, directory or self.place(), wait=False,
                        **options)
        try:
            yield daemon
        finally:
            daemon.stop(signal.SIGKILL)

    @contextlib.contextmanager
    def caller(self, bus=None):
        caller = Caller((bus or self.bus).address)
        try:
            yield caller
        finally:
            if not caller.connection.is_closed():
                caller.close()

    @contextlib.contextmanager
    def other(self, uid, bus=None):
        caller = OtherCaller((bus or self.bus).address, uid)
        try:
            yield caller
        finally:
            caller.kill()

    @contextlib.contextmanager
    def served(self, **options):
        """A daemon and a caller."""
        with self.daemon(**options) as daemon, self.caller() as caller:
            yield daemon, caller


@contextlib.contextmanager
def session_world(options):
    with tempfile.TemporaryDirectory(prefix='syncd-') as directory:
        bus = Bus(directory + '/bus', options.bus)
        try:
            yield World(options, directory, bus)
        finally:
            bus.stop()


if __name__ == '__main__':
    serve_calls(sys.argv[1])
