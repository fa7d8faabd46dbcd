#!/usr/bin/env python3
"""Turns schema files into a C table, sorted by id: embed-schemas.py OUTPUT FILE..."""
import json
import sys

PREFIX = 'urn:sourceos:schema:'
output, *files = sys.argv[1:]


def literal(text):
    lines = text.replace('\\', '\\\\').replace('"', '\\"').splitlines()
    return '\n'.join('     "%s\\n"' % line for line in lines)


def read(path):
    with open(path, encoding='utf-8') as source:
        text = source.read()
    schema = json.loads(text)
    if not schema['$id'].startswith(PREFIX) or not text.endswith('\n'):
        sys.exit(f'{path}: $id has to begin with {PREFIX}, and the file to end with a line feed')
    return schema['$id'][len(PREFIX):], schema['title'], text


with open(output, 'w', encoding='utf-8') as out:
    out.write('/* Made from the files in schemas/. */\n#include "contract/installed.h"\n\n')
    out.write('const SyncdInstalledSchema syncd_installed_schemas[] = {\n')
    table = sorted(read(path) for path in files)
    for id_, title, text in table:
        out.write('    {"%s",\n     "%s",\n%s},\n' % (id_, title, literal(text)))
    out.write('};\n\nconst unsigned syncd_n_installed_schemas = %d;\n' % len(table))
