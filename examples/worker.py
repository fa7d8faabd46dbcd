#!/usr/bin/env python3
"""A worker for sourceos-syncd: runs a command for each task, with the operation on its standard input.

    worker.py [--once] COMMAND [ARGUMENT...]

The task is completed when the command ends with status 0, and given back otherwise. While the command
runs the lease is renewed; when that is refused somebody else has the task, and the command is ended.
With --once it stops when there is nothing left to do."""

import subprocess
import sys

import gi
gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # pylint: disable=wrong-import-position

NAME, PATH = 'org.sourceos.Sync', '/org/sourceos/Sync'
OPERATIONS = NAME + '.Operations'
LEASE = 30  # seconds


class Worker:
    def __init__(self, command, once):
        self.command, self.once = command, once
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.loop = GLib.MainLoop()
        self.bus.signal_subscribe(NAME, OPERATIONS, 'TaskChanged', PATH, None,
                                  Gio.DBusSignalFlags.NONE, lambda *_: self.work())

    def call(self, method, signature, *arguments):
        reply = self.bus.call_sync(NAME, PATH, OPERATIONS, method,
                                   GLib.Variant(signature, arguments), None,
                                   Gio.DBusCallFlags.NONE, -1, None)
        return reply.unpack()

    def work(self):
        while True:
            lease, _, operation = self.call('ClaimTask', '(a{sv})', {'lease': GLib.Variant('u', LEASE)})
            if not lease:
                break
            self.carry_out(lease, operation)
        if self.once:
            self.loop.quit()

    def carry_out(self, lease, operation):
        try:
            status = self.run(lease, operation)
            if status == 0:
                self.call('CompleteTask', '(sa{sv})', lease, {})
            else:
                self.call('FailTask', '(ssa{sv})', lease, f'the command ended with {status}', {})
        except GLib.Error as error:
            if 'LeaseLost' not in (Gio.DBusError.get_remote_error(error) or ''):
                raise
            print('somebody else has the task now', file=sys.stderr)

    def run(self, lease, operation):
        with subprocess.Popen(self.command, stdin=subprocess.PIPE, text=True) as process:
            try:
                process.stdin.write(operation)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it does not want to know
            try:
                while True:
                    try:
                        return process.wait(LEASE / 3)
                    except subprocess.TimeoutExpired:
                        self.call('RenewTask', '(sa{sv})', lease, {})
            except GLib.Error:
                process.kill()
                raise


def main():
    command = sys.argv[1:]
    once = command[:1] == ['--once']
    command = command[once:]
    if not command:
        sys.exit(__doc__)
    worker = Worker(command, once)
    GLib.idle_add(worker.work)
    worker.loop.run()


if __name__ == '__main__':
    main()
