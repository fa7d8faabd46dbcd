"""What tests of the bus ask for more than once."""

from harness import JOB, GLib, eventually


def text(value):
    return GLib.Variant('s', value)


def number(value):
    return GLib.Variant('u', value)


def finished(caller, path):
    eventually(lambda: caller.get(JOB, 'State', path) != 'running', 'the job ends')
    return caller.get(JOB, 'State', path)


def pages(caller, limit, **options):
    cursor, ids, sizes = '', [], []
    while True:
        given = {**options, 'limit': number(limit)}
        if cursor:
            given['cursor'] = text(cursor)
        records, cursor = caller.list(**given)
        ids += [record['operation_id'] for record in records]
        sizes.append(len(records))
        if not cursor:
            return ids, sizes
