"""An agent of polkit that asks nobody."""

import os
import pathlib

from harness import Gio, GLib
from polkit_world import POLKIT

AUTHORITY = (POLKIT, '/org/freedesktop/PolicyKit1/Authority', POLKIT + '.Authority')
CONSENTS, REFUSES, WAITS = 'consents', 'refuses', 'waits'
AGENT = '''<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
  <method name="BeginAuthentication">
    <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{ss}" direction="in"/><arg type="s" direction="in"/>
    <arg type="a(sa{sv})" direction="in"/>
  </method>
  <method name="CancelAuthentication"><arg type="s" direction="in"/></method>
</interface></node>'''


class Agent:
    """Answers for a process: with root's password, as it were, with a wrong one, or not at all."""

    def __init__(self, bus, pid, how=CONSENTS):
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                 | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.connection = Gio.DBusConnection.new_for_address_sync(bus.address, flags, None, None)
        self.asked, self.messages, self.cancelled, self.how, self.open = [], [], 0, how, []
        self.connection.register_object('/agent', Gio.DBusNodeInfo.new_for_xml(AGENT).interfaces[0],
                                        self._on_call, None, None)
        start = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[19]
        subject = ('unix-process', {
            'pid': GLib.Variant('u', pid), 'start-time': GLib.Variant('t', int(start)),
            'uid': GLib.Variant('i', os.stat(f'/proc/{pid}').st_uid)})
        self._authority('RegisterAuthenticationAgent',
                        GLib.Variant('((sa{sv})ss)', (subject, 'C.UTF-8', '/agent')))

    def _authority(self, method, values):
        return self.connection.call_sync(*AUTHORITY, method, values, None,
                                         Gio.DBusCallFlags.NONE, -1, None)

    def _on_call(self, _connection, _sender, _path, _interface, method, values, invocation):
        if method == 'CancelAuthentication':
            self.cancelled += 1
            invocation.return_value(None)
            return
        action, message, _icon, _details, cookie, _identities = values.unpack()
        self.asked.append(action)
        self.messages.append(message)
        if self.how == WAITS:
            self.open.append(invocation)
            return
        if self.how == REFUSES:
            invocation.return_value(None)
            return
        root = ('unix-user', {'uid': GLib.Variant('u', 0)})
        self.connection.call(*AUTHORITY, 'AuthenticationAgentResponse2',
                             GLib.Variant('(us(sa{sv}))', (0, cookie, root)), None,
                             Gio.DBusCallFlags.NONE, -1, None,
                             lambda *_: invocation.return_value(None))

    def close(self):
        self.connection.close_sync(None)
