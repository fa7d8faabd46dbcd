#!/usr/bin/python3
"""The status line in Lua and the prompt of a shell tell every state apart, by one file and without a
process, and a file that a killed daemon left does not look alive. An auditor's ledger has all evidence once, and
an applet draws each change, whatever becomes of the daemon and of them."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess

from gi.repository import Gio, GLib

from cli_user import lines_of
from harness import MANAGER, NAME, PATIENCE, ROOT, equal, eventually, main, promise, session_world

STATES = ('clean', 'degraded', 'conflicted', 'policy-blocked', 'offline', 'repair-recommended')
GONE = 'daemon-unavailable'
TERMINAL = '''
local shown, handler
local terminal = {
  on = function(event, func) assert(event == 'update-right-status'); handler = func end,
  format = function(items) return items[2].Text end,
}
local sourceos = dofile(arg[1])
sourceos.attach(terminal)
handler({ set_right_status = function(_, text) shown = text end })
assert(shown == sourceos.states[sourceos.state()].text .. ' ')
print(sourceos.state())
'''
SHELL = '. "$1"; sourceos_state; sourceos_state; printf "%s %s\\n" "$SOURCEOS_STATE" "$SOURCEOS_MARK"'


def readers(source):
    lua, prompt = source / 'examples/turtleterm/sourceos.lua', source / 'examples/prompt/sourceos.sh'
    yield 'lua', ['lua5.4', '-', str(lua)], TERMINAL
    yield 'bash', ['bash', '--norc', '-c', SHELL, 'bash', str(prompt)], None
    yield 'zsh', ['zsh', '-f', '-c', SHELL, 'zsh', str(prompt)], None


def run(world, command, given, runtime, traced=None):
    trace = ['strace', '-f', '-qq', '-e', 'trace=clone,clone3,fork,vfork,execve', '-o', traced] if traced else []
    done = subprocess.run([*trace, *command], input=given, capture_output=True, text=True, check=False,
                          timeout=PATIENCE, env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8',
                                                 **({'XDG_RUNTIME_DIR': str(runtime)} if runtime else {})})
    equal((done.returncode, done.stderr), (0, ''), command[0])
    return done.stdout.split()


def all_say(world, state, runtime):
    for name, command, given in readers(pathlib.Path(world.options.source)):
        said = run(world, command, given, runtime)
        equal(said[0], state, name)
        if name != 'lua':
            equal(said[1:], [] if state == 'clean' else [f'({state})'], name)


def pretending(world, document, change):
    """A runtime directory with a status.json like that one."""
    runtime = world.place()
    (runtime / 'sourceos-syncd').mkdir(parents=True)
    text = json.dumps({**document, **change}, separators=(',', ':'))
    (runtime / 'sourceos-syncd/status.json').write_text(text + '\n')
    return runtime


@promise
def every_state_is_told_apart(world):
    with world.daemon() as daemon:
        runtime = daemon.status_file.parents[1]
        all_say(world, 'clean', runtime)
        document = json.loads(daemon.status_file.read_text())
        equal(document['pid'], daemon.pid)
        for state in STATES:
            all_say(world, state, pretending(world, document, {'daemon_state': state}))
        trap = {'note': '","daemon_state":"conflicted"', 'state_reasons': ['"pid":1', '}{']}
        all_say(world, 'clean', pretending(world, document, trap))
        for change in ({'daemon_state': 'none'}, {'pid': os.getpid()}, {'pid': 0}, {'pid': None}):
            all_say(world, GONE, pretending(world, document, change))


@promise
def what_is_not_there_is_told_too(world):
    place = world.place()
    with world.daemon(place) as daemon:
        runtime = daemon.status_file.parents[1]
        killed = daemon.status_file.read_text()
    all_say(world, GONE, runtime)
    equal(json.loads(daemon.status_file.read_text())['daemon_available'], False)
    daemon.status_file.write_text(killed)
    all_say(world, GONE, runtime)
    for text in ('', '{', 'x' * 100000, '{"daemon_state":"clean"}', '"daemon_state":"clean","pid":1}'):
        daemon.status_file.write_text(text)
        all_say(world, GONE, runtime)
    daemon.status_file.unlink()
    all_say(world, GONE, runtime)
    all_say(world, GONE, None)


@promise
def no_process_is_started(world):
    with world.daemon() as daemon:
        for name, command, given in readers(pathlib.Path(world.options.source)):
            trace = world.place()
            run(world, command, given, daemon.status_file.parents[1], str(trace))
            calls = trace.read_text().splitlines()
            equal(len(calls), 1, f'{name}: {calls}')
            assert 'execve(' in calls[0], calls


# --- programs on the bus ------------------------------------------------------------------------

def example(world, name, *words):
    """Started on the world's bus."""
    path = os.path.join(world.options.source, 'examples', name)
    command = ['/usr/bin/python3', '-B', path] if name.endswith('.py') else [os.path.abspath(world.options.applet)]
    return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': world.bus.address})


def ended(process, how=signal.SIGTERM):
    """The exit status, and what it said last."""
    process.send_signal(how)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def envelopes_of(path):
    with contextlib.suppress(FileNotFoundError):
        return [json.loads(line) for line in path.read_bytes().splitlines() if line.endswith(b'}')]
    return []


@promise
def a_ledger_is_complete_whoever_is_killed(world):
    place, path = world.place(), world.place()
    world.directory.mkdir(exist_ok=True)

    def has(operation):
        return lambda: any(envelope['subject'] == operation for envelope in envelopes_of(path))

    with world.daemon(directory=place) as daemon:
        with world.caller() as caller:
            ledger = example(world, 'ledger.py', str(path))
            eventually(has(caller.enqueue(thing='one')[0]), 'the first one is in the ledger')
            equal(ended(ledger, signal.SIGKILL)[0], -signal.SIGKILL)
            caller.enqueue(thing='two')
            # What was written and not counted is written again, as it was.
            with path.open('ab') as file:
                file.write(b'{"torn":')
            ledger = example(world, 'ledger.py', str(path))
            eventually(has(caller.enqueue(thing='three')[0]), 'the third one is in the ledger')
        daemon.stop(signal.SIGKILL)
    with world.daemon(directory=place), world.caller() as caller:
        eventually(has(caller.enqueue(thing='four')[0]), 'the fourth one is in the ledger')
        equal(ended(ledger)[0], 0)
        lines, _ = caller.list('ListBytes', order=GLib.Variant('s', 'oldest'))
        equal([envelope['subject'] for envelope in envelopes_of(path)], [line['header']['op'] for line in lines])
        once = example(world, 'ledger.py', '--once', str(path))
        equal((once.wait(PATIENCE), *once.communicate()), (0, '', ''))


@promise
def a_ledger_takes_nothing_from_another_device(world):
    path = world.place()
    with world.served() as (_, caller):
        caller.enqueue()
        first = example(world, 'ledger.py', '--once', str(path))
        equal(first.wait(PATIENCE), 0, first.communicate())
        before = path.read_bytes()
    with world.served() as (_, caller):
        caller.enqueue()
        for words in ((), ('--key', json.loads(caller.call(MANAGER, 'Describe'))['attestation_key'])):
            second = example(world, 'ledger.py', '--once', *words, str(path))
            _, said = second.communicate(timeout=PATIENCE)
            equal(second.returncode, 1, said)
        equal(path.read_bytes(), before)


@contextlib.contextmanager
def applets(world, all_taken=True):
    """Both, and a function that takes the next lines from each of them, but for those about jobs: the
    daemon has some of its own."""
    both = [example(world, name) for name in ('applet.py', 'applet')]

    def draw(*wanted):
        for applet in both:
            for line in wanted:
                while (drawn := lines_of(applet, 1)[0]).startswith('job '):
                    pass
                equal(drawn, line, applet.args[-1])

    yield both, draw
    for applet in both:
        status, out, err = ended(applet)
        equal((status, out if all_taken else '', err), (0, '', ''))


@promise
def an_applet_draws_what_changes_and_outlives_the_daemon(world):
    with applets(world) as (both, draw):
        draw('state daemon-unavailable')
        with world.served() as (daemon, caller):
            draw('state clean')
            job = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', 'full')})
            for applet in both:
                name = job.rpartition('/')[2].replace('_2d', '-')
                while (line := lines_of(applet, 1)[0]) != f'job {name} done':
                    assert line.startswith('job '), line
        draw('state daemon-unavailable')
        with world.daemon(directory=daemon.directory):
            draw('state clean')
        draw('state daemon-unavailable')


@promise
def an_applet_draws_findings_and_plans(world):
    """From somebody who says nothing else: the state is not known then."""
    with world.caller() as other, applets(world) as (both, draw):
        draw('state daemon-unavailable')
        other.connection.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'RequestName',
                                   GLib.Variant('(su)', (NAME, 0)), None, Gio.DBusCallFlags.NONE, -1, None)
        plan = f'{ROOT}/plan/p1'
        for path, interface, member, values in (
                (ROOT, 'Manager', 'FindingsChanged', GLib.Variant('(uu)', (1, 2))),
                (plan, 'RepairPlan', 'PlanChanged', GLib.Variant('(s)', ('approved',))),
                (ROOT, 'Manager', 'Unknown', GLib.Variant('(s)', ('x',))),
                (plan, 'RepairPlan', 'PlanChanged', GLib.Variant('(s)', ('complete',)))):
            other.connection.emit_signal(None, path, f'{NAME}.{interface}', member, values)
        for gone, interface in ((f'{ROOT}/job/j1', f'{NAME}.Job'), (plan, f'{NAME}.RepairPlan')):
            other.connection.emit_signal(None, ROOT, 'org.freedesktop.DBus.ObjectManager', 'InterfacesRemoved',
                                         GLib.Variant('(oas)', (gone, [interface])))
        other.connection.flush_sync()
        draw('findings 1 errors, 2 warnings', 'plan p1 approved', 'plan p1 complete', 'plan p1 gone')


def wait_for_line(both, line):
    """Whatever is drawn before it."""
    for applet in both:
        while lines_of(applet, 1)[0] != line:
            pass


@promise
def an_applet_draws_each_finding_by_its_name(world):
    with world.served() as (daemon, caller), applets(world, all_taken=False) as (both, draw):
        draw('state clean')
        journal = daemon.state / 'journal.db'
        journal.chmod(0o644)
        caller.call(MANAGER, 'Diagnose', '(a{sv})', {})
        wait_for_line(both, 'finding error file-modes')
        with applets(world, all_taken=False) as (later, _):  # which were not there when it was found
            wait_for_line(later, 'finding error file-modes')
        journal.chmod(0o600)
        caller.call(MANAGER, 'Diagnose', '(a{sv})', {})
        wait_for_line(both, 'finding file-modes gone')


if __name__ == '__main__':
    main(session_world)
