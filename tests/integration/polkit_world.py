"""The system instance beside the real polkitd, on a bus with the policy that is installed. Nothing
outside of the test's own mounts is changed."""

import contextlib
import os
import pathlib
import pwd
import subprocess
import tempfile

from harness import PATIENCE, Bus, World, eventually
from mounts import Skip, in_private_mounts, mount

POLKITD = '/usr/lib/polkit-1/polkitd'
POLKIT = 'org.freedesktop.PolicyKit1'

# Users that every Debian has; the rules below give each its part.
SERVICE, ALLOWED, ASKED, STRANGER = 'games', 'daemon', 'bin', 'nobody'
PURGES_NOTHING = 'man'
RULES = '''
polkit.addAdminRule(function(action, subject) { return ["unix-user:root"]; });
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.sourceos.sync.") != 0) return null;
    // Only a daemon that owns the action may say what it is for.
    if (action.id == "org.sourceos.sync.run" && !action.lookup("effect")) return polkit.Result.NO;
    if (subject.user == "%s") return polkit.Result.YES;
    if (subject.user == "%s") return polkit.Result.AUTH_ADMIN;
    if (subject.user == "%s" && action.id.indexOf(".purge") < 0) return polkit.Result.YES;
    return polkit.Result.NO;
});
''' % (ALLOWED, ASKED, PURGES_NOTHING)

BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="polkitd">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_interface="org.freedesktop.PolicyKit1.AuthenticationAgent"/>
  </policy>
  <include>{include}</include>
</busconfig>
'''


def uid(user):
    return pwd.getpwnam(user).pw_uid


class SystemWorld(World):
    """A system bus, polkitd with our actions and rules, and one daemon, run by a user of its own."""

    @contextlib.contextmanager
    def system_daemon(self, bus=None, place=None, **options):
        with self.daemon(place, bus=bus, instance='system', uid=uid(SERVICE), **options) as daemon:
            yield daemon

    @contextlib.contextmanager
    def system(self, *users):
        """The daemon, and callers that are these users."""
        with contextlib.ExitStack() as stack:
            daemon = stack.enter_context(self.system_daemon())
            yield daemon, *(stack.enter_context(self.other(uid(user))) for user in users)


@contextlib.contextmanager
def a_user_instance_beside_polkit(world, user):
    """Its daemon's processes and a caller, all of that user, with polkit on the system bus."""
    bus = Bus(world.directory / f'session-bus-of-{user}', world.options.bus)
    os.chmod(bus.socket, 0o666)
    with world.daemon(bus=bus, uid=uid(user),
                      environment={'DBUS_SYSTEM_BUS_ADDRESS': world.bus.address}) as daemon, \
            world.other(uid(user), bus) as caller:
        yield daemon, caller
    bus.stop()


def fill(source, name, directory):
    """An installed form of a template, with the service user of the test."""
    text = pathlib.Path(source, 'data', name + '.in').read_text()
    path = pathlib.Path(directory, name)
    path.write_text(text.replace('@service_user@', SERVICE))
    return path


def start_polkitd(source, directory, bus):
    actions, rules = directory / 'actions', directory / 'rules'
    actions.mkdir()
    rules.mkdir()
    fill(source, 'org.sourceos.sync.policy', actions)
    (rules / '10-test.rules').write_text(RULES)
    mount('--bind', actions, '/usr/share/polkit-1/actions')
    mount('--bind', rules, '/usr/share/polkit-1/rules.d')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/etc/polkit-1/rules.d')
    log = (directory / 'polkitd.log').open('wb')
    process = subprocess.Popen([POLKITD], stdout=log, stderr=log,
                               env={**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': bus.address})

    def has_name():
        if process.poll() is not None:
            raise Skip(f'polkitd ended: {(directory / "polkitd.log").read_text()[-200:]}')
        return POLKIT in subprocess.run(['busctl', f'--address={bus.address}', 'list'],
                                        capture_output=True, text=True, check=False).stdout

    eventually(has_name, 'polkitd has its name')
    return process


@contextlib.contextmanager
def system_world(options):
    in_private_mounts("polkit's actions and rules are replaced")
    if not os.path.exists(POLKITD):
        raise Skip('polkitd is not installed')
    with tempfile.TemporaryDirectory(prefix='syncd-') as directory:
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        include = fill(options.source, 'org.sourceos.Sync.conf', directory)
        config = BUS_CONFIG.replace('{include}', str(include))
        bus = Bus(directory / 'bus', options.bus, config)
        polkitd = start_polkitd(options.source, directory, bus)
        world = SystemWorld(options, directory, bus)
        world.config = config
        world.polkitd = polkitd
        try:
            yield world
        finally:
            polkitd.terminate()
            polkitd.wait(PATIENCE)
            bus.stop()
