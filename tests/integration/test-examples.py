#!/usr/bin/python3
"""The status line in Lua and the prompt of a shell tell every state apart, by one file and without a
process, and a file that a killed daemon left does not look alive."""

import json
import os
import pathlib
import subprocess

from harness import PATIENCE, equal, main, promise, session_world

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


if __name__ == '__main__':
    main(session_world)
