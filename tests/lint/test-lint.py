#!/usr/bin/python3
"""Each check of the linter is fed what it must find and what it must leave alone: a check that
cannot fail is a defect."""

import pathlib
import sys
import tempfile

from lint import CHECKS
from tree import CannotCheck, Tree

POLICY = {'.editorconfig': '[*]\ncharset = utf-8\nend_of_line = lf\ninsert_final_newline = true\n'
                           'trim_trailing_whitespace = true\nindent_style = space\n'
                           '[*.scd]\nindent_style = tab\n'}
FORMAT = {'.clang-format': 'BasedOnStyle: LLVM\nIndentWidth: 4\n'}
LONG_BODY = '    x++;\n'

PROGRAM = '''#!/bin/sh
case "$1 $2" in
'help --verbs') printf 'status\\nops list\\n' ;;
'--help ') echo "{help}" ;;
'completion bash'|'completion zsh') echo 'status ops list' ;;
'completion fish') echo "{fish}" ;;
esac
'''


def program(help_text='status, ops list', fish='status ops list', man='*status*, *ops list*'):
    return {'program': PROGRAM.format(help=help_text, fish=fish), 'src/cli/verbs.c': '',
            'docs/man/sourceos-syncd.1.scd': man + '\n'}


def interface(comments=('X: An interface.', 'Do: Does it.\n@what: What.'), listed="'X.xml'"):
    about, method = comments
    return {'introspection/meson.build': listed,
            'introspection/X.xml': f'<node><!-- {about} --><interface name="X"><!-- {method} -->'
                                   '<method name="Do"><arg name="what" type="s"/></method>'
                                   '</interface></node>'}


PO_HEAD = ('msgid ""\nmsgstr ""\n"Project-Id-Version: x\\n"\n"PO-Revision-Date: 2026-01-01 00:00+0000\\n"\n'
           '"Last-Translator: none\\n"\n"Language-Team: none\\n"\n"Language: de\\n"\n"MIME-Version: 1.0\\n"\n'
           '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n')


def catalog(translation='Ja', template='yes'):
    return {'src/cli/a.c': 'const char *a = _("yes");\n', 'po/POTFILES': 'src/cli/a.c\n',
            'po/LINGUAS': 'de\n', 'po/de.po': f'{PO_HEAD}\nmsgid "yes"\nmsgstr "{translation}"\n',
            'po/sourceos-syncd.pot': f'{PO_HEAD}\nmsgid "{template}"\nmsgstr ""\n'}


def c_file(path, line):
    return {path: line + '\n'}


INCLUDES = 'includes keep to the layers'
DOMAIN = 'the domain reads no clock and no file'
OUTSIDE = 'SQL is only in store/'
BUILT = 'SQL is never built from strings'
TEXT = 'text files keep to .editorconfig'
VERBS = 'every verb is in help, completions and man page'
POTFILES = 'every translatable file is in POTFILES'
TRANSLATED = 'translations are complete'
DESCRIBED = 'interfaces are described'

# check, files, what a finding must contain (None: nothing may be found)
CASES = [
    (INCLUDES, c_file('src/base/a.c', '#include "store/journal.h"'), 'base/ includes store/'),
    (INCLUDES, c_file('src/domain/a.h', '# include "service/x.h"'), 'domain/ includes service/'),
    (INCLUDES, c_file('src/client/a.c', '#include "domain/task.h"'), 'client/ includes domain/'),
    (INCLUDES, c_file('src/gateway/a.c', '#include "store/journal.h"'), 'gateway/ includes store/'),
    (INCLUDES, c_file('src/bus/a.c', '#include "daemon/config.h"'), 'bus/ includes daemon/'),
    (INCLUDES, c_file('src/service/a.c', '#include <sqlite3.h>'), 'only store may include'),
    (INCLUDES, c_file('src/store/a.c', '#include <systemd/sd-bus.h>'), 'only bus, cli'),
    (INCLUDES, c_file('src/store/a.c', '#include <systemd/sd-bus-vtable.h>'), 'only bus, cli'),
    (INCLUDES, c_file('src/domain/a.c', '#include <stdio.h>'), 'domain/ includes stdio.h'),
    (INCLUDES, c_file('src/domain/a.c', '#include <gio/gio.h>'), 'domain/ includes gio'),
    (INCLUDES, c_file('src/domain/a.c', '#include "base/log.h"'), 'domain/ includes base/log.h'),
    (INCLUDES, c_file('src/domain/a.c', '#include "base/sources.h"'), 'base/sources.h'),
    (INCLUDES, c_file('src/base/a.c', '#include "error.h"'), 'write it as "folder/error.h"'),
    (INCLUDES, c_file('src/misc/a.c', 'int a;'), 'in no layer'),
    (INCLUDES, c_file('src/store/a.c', '#include "base/error.h"\n#include <sqlite3.h>\n'
                      '// #include "bus/x.h"\n#include "config.h"'), None),
    (INCLUDES, c_file('src/cli/a.c', '#include "daemon/run.h"\n#include "client/call.h"\n'
                      '#include <systemd/sd-bus.h>'), None),
    (DOMAIN, c_file('src/domain/a.c', 'x = g_get_real_time();'), 'calls g_get_real_time'),
    (DOMAIN, c_file('src/domain/a.c', 'g_warning("no");'), 'calls g_warning'),
    (DOMAIN, c_file('src/domain/a.c', '/* time() */ x = policy->time(); s = "rand()";'), None),
    (OUTSIDE, c_file('src/service/a.c', 'q = "SELECT a FROM b";'), 'looks like SQL'),
    (OUTSIDE, c_file('src/bus/a.c', 'q = "insert into" " b (a) values (1)";'), 'looks like SQL'),
    (OUTSIDE, c_file('src/bus/a.c', 'q = "select a from b where c";'), 'looks like SQL'),
    (OUTSIDE, c_file('src/bus/a.c', 'q = "PRAGMA x=1";'), 'looks like SQL'),
    (OUTSIDE, {'data/a.sql': 'x\n'}, 'SQL outside store/'),
    (OUTSIDE, {'src/store/a.sql': 'x\n', 'src/store/a.c': 'q = "SELECT a FROM b";\n',
               'src/cli/a.c': 's = "Select one, update the rest, delete from here on";\n'
                              '// "SELECT a FROM b"\n'}, None),
    (BUILT, c_file('src/store/a.c', 'q = g_strdup_printf("SELECT a FROM %s", t);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'g_string_append(q, " WHERE a = 1");'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'g_string_append_printf(q, " LIMIT %d", n);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'snprintf(b, sizeof(b), "DELETE FROM %s", t);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'q = g_strconcat("UPDATE t SET ", a, NULL);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'strcat(q, "INSERT INTO t");'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'q = sqlite3_mprintf("SELECT %Q", t);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'q = g_strdup_printf("PRAGMA %s = 1", t);'), 'builds SQL'),
    (BUILT, c_file('src/store/a.c', 'q = prepare("SELECT a" COLUMNS " FROM b WHERE c = :c");\n'
                   's = g_strdup_printf("PRAGMA user_version = %d", n);\n'
                   'm = g_strdup_printf("cannot open %s", p);'), None),
    ('sizes', c_file('src/base/a.c', 'int a;\n' * 601), 'lines: look for the second idea'),
    ('sizes', c_file('src/base/a.c', 'int f(int x)\n{\n' + LONG_BODY * 80 + '}'), 'f has 82 lines'),
    ('sizes', c_file('src/base/a.c', 'int f(int x)\n{\n' + LONG_BODY * 70 + '}\n\n'
                     'int g(int x)\n{\n' + LONG_BODY * 70 + '}'), None),
    ('clang-format', {**FORMAT, 'src/base/a.c': 'int  a ;\n'}, 'clang-format-14 -i'),
    ('clang-format', {**FORMAT, 'src/base/a.c': 'int a;\n'}, None),
    (TEXT, {**POLICY, 'a.c': 'int a; \n'}, 'space at the end'),
    (TEXT, {**POLICY, 'a.c': 'int a;'}, 'no newline at the end'),
    (TEXT, {**POLICY, 'a.c': '\tint a;\n'}, 'indented by a tab'),
    (TEXT, {**POLICY, 'a.c': 'int a;\r\n'}, 'CR LF'),
    (TEXT, {**POLICY, 'a.c': b'\xff\n'}, 'not UTF-8'),
    (TEXT, {**POLICY, 'a.c': '// TO' 'DO: later\n'}, 'without the number of an issue'),
    (TEXT, {**POLICY, 'a.c': '// FIX' 'ME(me) #\n'}, 'without the number of an issue'),
    (TEXT, {**POLICY, 'a.scd': '\ta\n', 'b.c': '// TO' 'DO(#12): later\n', 'c.bin': b'\0 \n'}, None),
    (VERBS, program(help_text='status'), '`ops list` is not in --help'),
    (VERBS, program(fish='status ops'), '`ops list` is not in the completion for fish'),
    (VERBS, program(man='*status*, *ops lists*'), '`ops list` is not in docs/man'),
    (VERBS, {'src/cli/verbs.c': ''}, 'the program is not built'),
    (VERBS, program(), None),
    (POTFILES, {'src/cli/a.c': 'p(_("hello"));\n', 'po/POTFILES': ''}, 'add it to po/POTFILES'),
    (POTFILES, {'src/cli/a.c': 'N_(\n    "hello");\n'}, 'add it to po/POTFILES'),
    (POTFILES, {'data/a.policy.in': 'x'}, 'add it to po/POTFILES'),
    (POTFILES, {'src/cli/a.c': 'int a;\n', 'po/POTFILES': 'src/cli/a.c\n'}, 'nothing to translate'),
    (POTFILES, {'src/cli/a.c': '_("x");\n', 'src/cli/b.c': '_("x");\n',
                'po/POTFILES': 'src/cli/b.c\nsrc/cli/a.c\n'}, 'sort it'),
    (POTFILES, {**catalog(), 'src/cli/i.h': '#define _(text) gettext(text)\n'}, None),
    (TRANSLATED, catalog(translation=''), 'po/de.po'),
    (TRANSLATED, catalog(template='no'), 'older than the sources'),
    (TRANSLATED, {**catalog(), 'po/de.po': PO_HEAD}, 'complete it'),
    (TRANSLATED, {**catalog(), 'po/de.po': PO_HEAD + '\nmsgid broken\n'}, 'po/de.po'),
    (TRANSLATED, catalog(), None),
    (DESCRIBED, interface(comments=('X: An interface.', 'Do:')), 'method Do is not described'),
    (DESCRIBED, interface(comments=('X: An interface.', 'Do: Does it.')), 'argument what of Do'),
    (DESCRIBED, interface(comments=('An interface.', 'Do: It.\n@what: What.')), 'interface X is not'),
    (DESCRIBED, interface(listed=''), 'not installed'),
    (DESCRIBED, {**interface(), 'introspection/X.xml': '<node>'}, 'not XML'),
    (DESCRIBED, interface(), None),
]


def build(root, files):
    for path, content in files.items():
        target = pathlib.Path(root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        if path == 'program':
            target.chmod(0o755)


def complaint(check, files, expected):
    """What is wrong with the check on this example; None when it does what it must."""
    with tempfile.TemporaryDirectory() as root:
        build(root, files)
        findings = [str(finding) for finding in CHECKS[check](Tree(root, f'{root}/program'))]
    if expected is None:
        return f'found {findings}' if findings else None
    return None if any(expected in finding for finding in findings) else f'found only {findings}'


def main():
    unproven = set(CHECKS) - {check for check, _, expected in CASES if expected}
    print(f'1..{len(CASES) + 1}')
    print('not ok' if unproven else 'ok', '1 - every check has an example that it must find',
          f'# {unproven}' if unproven else '')
    failed = bool(unproven)
    for number, (check, files, expected) in enumerate(CASES, 2):
        name = f'{check}: {expected or "leaves the good example alone"}'.replace('#', '')
        try:
            wrong = complaint(check, files, expected)
        except CannotCheck as reason:
            print(f'ok {number} - {name} # SKIP {reason}')
            continue
        failed |= wrong is not None
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        if wrong:
            print(f'# {wrong}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
