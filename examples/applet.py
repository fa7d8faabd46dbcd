#!/usr/bin/env python3
"""An applet for sourceos-syncd without a panel: writes a line for each change that one would draw.

    applet.py

    state degraded: no-space            how it is, and why; daemon-unavailable when it is not there
    findings 1 errors, 2 warnings       what a diagnosis found: how much,
    finding error file-modes            each for itself; gone when it is found no more
    plan <id> preview                   a repair plan, and what became of it; gone when it is forgotten
    job <id> running 40 %               how far a job is, and how it ended

It only listens: nothing that it asks for is waited for, and it never starts the daemon. When that comes back
it is asked how it is. Ends on SIGTERM."""

import json
import re

import gi
gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # pylint: disable=wrong-import-position

NAME, PATH = 'org.sourceos.Sync', '/org/sourceos/Sync'
MANAGER, JOB, PLAN = NAME + '.Manager', NAME + '.Job', NAME + '.RepairPlan'
PROPERTIES, OBJECTS = 'org.freedesktop.DBus.Properties', 'org.freedesktop.DBus.ObjectManager'
STOP_SIGNALS = (2, 15)


class Applet:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.drawn, self.state, self.reasons, self.jobs, self.findings = None, None, [], {}, {}
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.handlers = {
            (PROPERTIES, 'PropertiesChanged'): self.on_properties,
            (MANAGER, 'FindingsChanged'): self.on_findings,
            (PLAN, 'PlanChanged'): lambda path, state: print(f'plan {id_of(path)} {state}', flush=True),
            (OBJECTS, 'InterfacesRemoved'): self.on_removed,
        }
        self.bus.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE, self.on_signal)
        Gio.bus_watch_name_on_connection(self.bus, NAME, Gio.BusNameWatcherFlags.NONE,
                                         lambda *_: self.ask(), lambda *_: self.draw_state('daemon-unavailable', []))
        for number in STOP_SIGNALS:
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.loop.quit)

    def on_signal(self, _bus, _sender, path, interface, member, values):
        handler = self.handlers.get((interface, member))
        if handler:
            handler(path, *values.unpack())

    def on_properties(self, path, interface, changed, _invalidated):
        if interface == MANAGER:
            self.draw_state(changed.get('State', self.state), changed.get('StateReasons', self.reasons))
        elif interface == JOB:
            self.draw_job(path, changed)

    def on_findings(self, _, errors, warnings):
        print(f'findings {errors} errors, {warnings} warnings', flush=True)
        self.call(MANAGER, 'Diagnose', GLib.Variant('(a{sv})', ({},)), self.on_diagnosis)

    @staticmethod
    def on_removed(_, path, interfaces):
        if PLAN in interfaces:
            print(f'plan {id_of(path)} gone', flush=True)

    def ask(self):
        """The answer comes when it comes: one that is older than a signal was sent before it."""
        self.jobs.clear()
        self.findings.clear()
        self.call(PROPERTIES, 'GetAll', GLib.Variant('(s)', (MANAGER,)), self.on_properties_asked)
        self.call(MANAGER, 'Diagnose', GLib.Variant('(a{sv})', ({},)), self.on_diagnosis)

    def call(self, interface, method, arguments, take):
        def on_answer(bus, result):
            try:
                take(*bus.call_finish(result).unpack())
            except GLib.Error:
                pass  # it is gone again, and will be asked when it is back
        self.bus.call(NAME, PATH, interface, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START, -1, None,
                      on_answer)

    def on_properties_asked(self, found):
        self.draw_state(found['State'], found['StateReasons'])

    def on_diagnosis(self, document):
        found = {one['code']: one['severity'] for one in json.loads(document)['findings']}
        for code in self.findings.keys() - found.keys():
            print(f'finding {code} gone', flush=True)
        for code, severity in found.items():
            if self.findings.get(code) != severity:
                print(f'finding {severity} {code}', flush=True)
        self.findings = found

    def draw_state(self, state, reasons):
        self.state, self.reasons = state, reasons
        line = f'state {state}' + (': ' + ', '.join(reasons) if reasons else '')
        if state is not None and line != self.drawn:
            self.drawn = line
            print(line, flush=True)

    def draw_job(self, path, changed):
        job = self.jobs.setdefault(path, {'State': 'running', 'Progress': 0.0})
        job.update({name: changed[name] for name in job if name in changed})
        running = job['State'] == 'running'
        print(f'job {id_of(path)} {job["State"]}' + (f' {job["Progress"] * 100:.0f} %' if running else ''), flush=True)
        if not running:
            del self.jobs[path]


def id_of(path):
    """The last element, without the spelling that paths have for what is no letter or digit."""
    return re.sub('_([0-9a-f]{2})', lambda code: chr(int(code[1], 16)), path.rpartition('/')[2])


if __name__ == '__main__':
    Applet().loop.run()
