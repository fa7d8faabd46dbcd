#!/usr/bin/env python3
"""An agent for sourceos-syncd: puts a text into a file of a workspace, and says so before, so that the
change is recorded as its own.

    agent.py WORKSPACE DIRECTORY PATH <TEXT

It is known by the systemd unit that it runs in, and has to be registered with it (actors register, with
identity_id unit:NAME.service). Anybody else who runs this is the user, and so is the change."""

import hashlib
import json
import os
import sys
import tempfile

import gi
gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # pylint: disable=wrong-import-position

NAME, PATH = 'org.sourceos.Sync', '/org/sourceos/Sync'


def announce(workspace, *changes):
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    reply = bus.call_sync(NAME, PATH, NAME + '.Workspaces', 'Announce',
                          GLib.Variant('(ssa{sv})', (workspace, json.dumps(changes), {})), None,
                          Gio.DBusCallFlags.NONE, -1, None)
    return json.loads(reply.unpack()[0])


def write(directory, path, content):
    """As a whole, so that no half of it is ever found; and made beside the workspace, as a temporary file
    in it would be recorded as well."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(os.path.realpath(directory)), delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, os.path.join(directory, path))


def main(workspace, directory, path):
    content = sys.stdin.buffer.read()
    said = announce(workspace, {'path': path, 'sha256': hashlib.sha256(content).hexdigest()})
    write(directory, path, content)
    print(f'{path} is written as {said["actor_id"]}')


if __name__ == '__main__':
    main(*sys.argv[1:])
