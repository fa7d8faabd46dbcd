#!/usr/bin/python3
"""Writes org.sourceos.Sync(5) as scdoc from the interface descriptions and the table of errors.

Usage: dbus-man.py ERROR_TABLE XML... > org.sourceos.Sync.5.scd
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

HEAD = '''org.sourceos.Sync(5)

# NAME

org.sourceos.Sync - the D-Bus interface of sourceos-syncd

# DESCRIPTION

The user instance owns the name *org.sourceos.Sync* on the session bus, the system instance the same name on the system bus.
The root object is _/org/sourceos/Sync_. Methods that take options take them last, as a dictionary; an option that is not known
is refused. Documents are JSON (RFC 8259) in UTF-8 and are checked strictly: one document, no duplicate keys, no lone surrogates, at
most 64 levels. Lists are read in pages: a cursor that is given back continues where the page ended. Times are in microseconds
since 1970.

An answer to a call that records something means that it is on the disk.
'''

LIMITS = '''# LIMITS

A body has at most 16 MiB, a call of EnqueueMany 512 requests and 4 MiB, a list 100 records (ListBytes: 1000) and 1 MiB, an
operation 16 parents, an idempotency key 256 bytes, an id 128 characters, a log 1024 scopes. One user may have 256 calls in flight
(see *syncd.conf*(5)) and 4 jobs. Manager.Describe names the limits that are in effect.
'''

TAIL = '''# SEE ALSO

*sourceos-syncd*(1), *syncd.conf*(5), *busctl*(1)
'''

WIDTH = 110
# A generated page that has lost its content must not be built.
LEAST_ERRORS = 20


def escaped(text):
    """Words that scdoc would take for marks."""
    return re.sub(r'([\\*_#`<\[])', r'\\\1', text)


def wrapped(text, indent=''):
    lines, line = [], ''
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(indent + line)
            line = word
        else:
            line = f'{line} {word}'.strip()
    # A line that begins with a point, or like a list, means something else in a page's source.
    return '\n'.join(re.sub(r'^(\t*)([.\-|\]])', r'\1\\\2', line) for line in [*lines, indent + line])


class Comment:
    """"Name:", lines "@argument: text", and paragraphs."""

    def __init__(self, text, name):
        body = re.match(rf'\s*{re.escape(name)}:(.*)', text, re.S)
        if not body:
            sys.exit(f'dbus-man.py: {name} has no description')
        paragraphs = re.split(r'\n\s*\n', body[1].strip('\n'))
        self.arguments, self.prose = {}, []
        for paragraph in paragraphs:
            if '@' in paragraph:
                for part in re.split(r'^\s*@', paragraph, flags=re.M)[1:]:
                    argument, _, description = part.partition(':')
                    self.arguments[argument.strip()] = ' '.join(description.split())
            elif paragraph.strip():
                self.prose.append(' '.join(paragraph.split()))


def described(parent):
    """Children with the comment before each."""
    comment = ''
    for element in parent:
        if element.tag is ElementTree.Comment:
            comment = element.text
        else:
            yield element, comment
            comment = ''


def signature(element):
    arguments = {'in': [], 'out': []}
    for argument in element.findall('arg'):
        arguments[argument.get('direction', 'in')].append(
            f'_{escaped(argument.get("name"))}_ {argument.get("type")}')
    line = f'*{element.get("name")}*({", ".join(arguments["in"])})'
    return line + (f' -> {", ".join(arguments["out"])}' if arguments['out'] else '')


def member(element, text):
    comment = Comment(text, element.get('name'))
    lines = [signature(element)]
    lines += ['\t' + '\n\n\t'.join(wrapped(escaped(p), '\t').lstrip('\t') for p in comment.prose), '']
    for argument in element.findall('arg'):
        name = argument.get('name')
        prose = wrapped(f'_{escaped(name)}_: {escaped(comment.arguments[name])}', '\t')
        lines += [prose, '']
    return '\n'.join(lines)


def property_(element, text):
    comment = Comment(text, element.get('name'))
    prose = wrapped(escaped(' '.join(comment.prose)), '\t')
    return f'*{element.get("name")}* {escaped(element.get("type"))}\n{prose}\n'


SECTIONS = (('method', 'Methods', member), ('signal', 'Signals', member),
            ('property', 'Properties', property_))


def interface(element, text):
    name = element.get('name')
    comment = Comment(text, name)
    prose = [p for p in comment.prose]
    short = comment.arguments.get('short_description')
    lines = [f'# {name}', '']
    if short:
        lines += [wrapped(escaped(short) + '.'), '']
    lines += [f'{wrapped(escaped(p))}\n' for p in prose]
    for tag, title, write in SECTIONS:
        members = [(e, t) for e, t in described(element) if e.tag == tag]
        if members:
            lines += [f'## {title}', '', *(write(e, t) for e, t in members)]
    return '\n'.join(lines)


def interfaces(path):
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(path.read_text(encoding='utf-8'), parser)
    return [interface(element, text) for element, text in described(root)
            if element.tag == 'interface']


def errors(path):
    """The rows of the one table: OURS(Name) or THEIRS(Name), exit code, next step."""
    source = path.read_text(encoding='utf-8')
    rows = re.findall(r'\{SYNCD_ERROR_\w+,\s*(OURS|THEIRS)\((\w+)\),\s*SYNCD_EXIT_\w+,\s*'
                      r'((?:"(?:\\.|[^"\\])*"\s*)+)\}', source)
    if len(rows) < LEAST_ERRORS:
        sys.exit(f'dbus-man.py: found only {len(rows)} errors in {path}')
    lines = ['# ERRORS', '', wrapped(
        'A message is a sentence about what happened, followed by "Next:" and what to do. Names begin with '
        '*org.sourceos.Sync.Error.*, and those marked \\* with *org.freedesktop.DBus.Error.*'), '']
    for kind, name, literals in rows:
        hint = ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', literals))
        mark = '' if kind == 'OURS' else ' \\*'
        lines += [f'*{name}*{mark}', wrapped(escaped(hint) + '.', '\t'), '']
    return '\n'.join(lines)


def main():
    table, *descriptions = map(pathlib.Path, sys.argv[1:])
    parts = [HEAD]
    for path in sorted(descriptions, key=lambda path: 'Manager' not in path.name):
        parts += interfaces(path)
    parts += [errors(table), LIMITS, TAIL]
    sys.stdout.write('\n'.join(parts))


if __name__ == '__main__':
    main()
