#!/usr/bin/env python3
"""Turns numbered SQL files into a C table of migrations: embed-sql.py NAME OUTPUT FILE..."""
import os
import sys

name, output, *files = sys.argv[1:]


def literal(text):
    return '\n'.join('    "%s\\n"' % line.replace('\\', '\\\\').replace('"', '\\"') for line in text.splitlines())


with open(output, 'w', encoding='utf-8') as out:
    out.write('/* Made from the numbered SQL files beside this directory. */\n#include "store/migrations.h"\n\n')
    out.write('static const SyncdMigration migrations[] = {\n')
    for path in sorted(files):
        with open(path, encoding='utf-8') as source:
            out.write('    {%d,\n%s},\n' % (int(os.path.basename(path)[:4]), literal(source.read())))
    out.write('};\n\nconst SyncdMigrations %s = {migrations, %d};\n' % (name, len(files)))
