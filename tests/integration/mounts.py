"""Where a test may mount over what belongs to the machine, and change nothing for others."""

import os
import socket
import subprocess
import sys
import threading

JOURNAL_SOCKET = '/run/systemd/journal/socket'


class Skip(Exception):
    """Cannot be checked here; the message says why."""


def in_private_mounts(why):
    """Starts the test again where mounting changes nothing for others."""
    if os.environ.get('SYNCD_PRIVATE_MOUNTS'):
        return
    if os.geteuid() != 0:
        print(f'1..0 # SKIP no root: {why}')
        sys.exit(77)
    private = ['unshare', '--mount', '--propagation', 'private']
    if subprocess.run([*private, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print(f'1..0 # SKIP no mount namespace: {why}')
        sys.exit(77)
    os.environ['SYNCD_PRIVATE_MOUNTS'] = '1'
    os.execvp('unshare', [*private, sys.executable, *sys.argv])


def play_journal():
    """Takes what is said to the journal, and forgets it."""
    mount('-t', 'tmpfs', 'tmpfs', '/run')
    os.makedirs(os.path.dirname(JOURNAL_SOCKET))
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(JOURNAL_SOCKET)
    os.chmod(JOURNAL_SOCKET, 0o666)

    def forget():
        while True:
            journal.recv(65536)

    threading.Thread(target=forget, daemon=True).start()


def mount(*command):
    done = subprocess.run(['mount', *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f'cannot mount: {done.stderr.strip()}')
