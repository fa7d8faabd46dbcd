"""A log as a whole: all that is in it, and what a verification of it finds."""

import json

from harness import JOB, MANAGER, GLib, eventually


def every_entry(caller):
    """With its body, in the order of the log."""
    cursor = ''
    while True:
        options = {'limit': GLib.Variant('u', 1000), 'bodies': GLib.Variant('b', True)}
        if cursor:
            options['cursor'] = GLib.Variant('s', cursor)
        entries, cursor = caller.list('ListBytes', **options)
        yield from entries
        if not cursor:
            return


def verified(caller, mode='full'):
    """What the job found, which is waited for."""
    path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', mode)})
    eventually(lambda: caller.get(JOB, 'State', path) != 'running', 'the job ends')
    return json.loads(caller.get(JOB, 'Result', path))
