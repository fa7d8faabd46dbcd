"""Checks of C sources: layers, SQL, sizes, formatting."""

import re
import shutil
import subprocess

from tree import (CannotCheck, Finding, code_only, enclosing_call, functions, line_at, literals,
                  without_comments)

# Each folder may include itself and the folders before it.
CORE = ['base', 'crypto', 'contract', 'domain', 'reader', 'store', 'service', 'workspace',
        'replica', 'bus', 'daemon']
MAY_INCLUDE = {folder: set(CORE[:i + 1]) for i, folder in enumerate(CORE)}
MAY_INCLUDE['client'] = {'base', 'crypto', 'contract', 'client'}
MAY_INCLUDE['cli'] = {*CORE, 'client', 'cli'}
for outside in ('relay', 'gateway', 'applet'):
    MAY_INCLUDE[outside] = {'base', 'client', outside}

# Headers that only some folders may include.
RESERVED = [
    (r'sqlite3(ext)?\.h', {'store'}),
    (r'systemd/sd-bus.*\.h', {'bus', 'daemon', 'client', 'cli'}),
]

# What domain/ must not know: files, clocks, randomness, logging.
DOMAIN_HEADERS = (r'gio/.*|glib/gstdio\.h|stdio\.h|time\.h|sys/.*|fcntl\.h|unistd\.h|systemd/.*'
                  r'|sqlite3\.h|base/sources\.h|base/log\.h')
DOMAIN_CALLS = (r'g_(get_(real|monotonic)_time|date_time_new_now\w*|random_\w+|uuid_string_random'
                r'|file_(get|set)_contents\w*|print(err)?|message|warning|critical|debug|info|log'
                r'|getenv|get_host_name)|time|clock_gettime|gettimeofday|getrandom|rand(om)?'
                r'|(f|v|vf|d)?printf|f?open(at)?|getenv')


def includes(tree):
    for path in tree.select(r'src/[^/]+/.*\.[ch](\.in)?'):
        folder = path.split('/')[1]
        if folder not in MAY_INCLUDE:
            yield Finding(path, 1, f'src/{folder}/ is in no layer: add it to design and lint, or '
                                   'move the file')
            continue
        text = without_comments(tree.text(path))
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M):
            for complaint in _include_complaints(folder, match[1] == '"', match[2]):
                yield Finding(path, line_at(text, match.start()), complaint)


def _include_complaints(folder, quoted, header):
    top, slash, _ = header.partition('/')
    allowed = MAY_INCLUDE[folder]
    if quoted and not slash and header != 'config.h':
        yield f'includes "{header}": write it as "folder/{header}"'
    elif quoted and slash and top not in allowed:
        yield (f'{folder}/ includes {header}, but may use only {", ".join(sorted(allowed))}: move '
               'the code, or pass what it needs in')
    for pattern, folders in RESERVED:
        if re.fullmatch(pattern, header) and folder not in folders:
            yield f'only {", ".join(sorted(folders))} may include {header}: use what they offer'
    if folder == 'domain' and re.fullmatch(DOMAIN_HEADERS, header):
        yield f'domain/ includes {header}: it knows no bus, files, clocks, randomness or log'


def domain_calls(tree):
    for path in tree.select(r'src/domain/.*\.[ch]'):
        code = code_only(tree.text(path))
        for match in re.finditer(rf'(?<![\w>.])({DOMAIN_CALLS})\s*\(', code):
            yield Finding(path, line_at(code, match.start()),
                          f'domain/ calls {match[1]}: take the value as an argument, or return what '
                          'is to be said')


# Case counts only where a word of prose could be meant.
SQL = re.compile(r'\s*(SELECT\s|INSERT\s|UPDATE\s|DELETE\s|REPLACE\s|CREATE\s|DROP\s|ALTER\s|PRAGMA\s'
                 r'|ATTACH\s|DETACH\s|VACUUM\b|REINDEX\b|WITH\s+\w+\s+AS\b|BEGIN( IMMEDIATE| EXCLUSIVE)?;?$'
                 r'|COMMIT;?$|ROLLBACK;?$|SAVEPOINT\s'
                 r'|(?i:select\s.*\sfrom\s+\w+(\s+(where|order|limit|join)\b|;|$)'
                 r'|insert\s+(or\s+\w+\s+)?into\s+\w+|update\s+\w+\s+set\s+\w+\s*='
                 r'|delete\s+from\s+\w+\s+where|create\s+(unique\s+|temp\s+|virtual\s+)*'
                 r'(table|index|trigger|view)\s|drop\s+(table|index|trigger|view)\s'
                 r'|pragma\s+\w+(\s*=|\(|;|$)))', re.S)
SQL_PART = re.compile(r'\s+(WHERE|ORDER BY|GROUP BY|LIMIT|AND|OR|VALUES|SET|FROM|JOIN|RETURNING)\b')
# A pragma takes no parameters; a number cannot carry SQL.
NUMERIC_PRAGMA = re.compile(r'PRAGMA \w+ ?[=(] ?(%[diu]|%\?)\)?;?')
BUILDERS = re.compile(r'(g_)?(str(n?cat|cpy|joinv?|concat|dup_v?printf)|(v|sn|vsn|as|vas)?s?printf'
                      r'|snprintf|string_(new|append|prepend|insert|v?printf|append_v?printf)\w*)'
                      r'|stpn?cpy|str[nl]?(cat|cpy)|strlcat|sqlite3_(v?m|v?sn)printf'
                      r'|sqlite3_str_\w*append\w*|memcpy|memmove')


def sql_only_in_store(tree):
    for path in tree.select(r'src/(?!store/).*\.[ch](\.in)?'):
        text = tree.text(path)
        for literal in literals(text):
            if SQL.match(_unescaped(literal.value)):
                yield Finding(path, line_at(text, literal.offset),
                              f'looks like SQL ("{literal.value[:30]}"): only store/ speaks SQL')
    for path in tree.select(r'(?!src/store/|tests/).*\.sql'):
        yield Finding(path, 1, 'SQL outside store/: move it to src/store/')


def sql_never_built(tree):
    for path in tree.select(r'src/store/.*\.[ch](\.in)?'):
        text = tree.text(path)
        code = code_only(text)
        for literal in literals(text):
            value = _unescaped(literal.value)
            call = enclosing_call(code, literal.offset)
            if not call or not BUILDERS.fullmatch(call) or NUMERIC_PRAGMA.fullmatch(value):
                continue
            if SQL.match(value) or SQL_PART.match(value):
                yield Finding(path, line_at(text, literal.offset),
                              f'{call} builds SQL ("{value.strip()[:30]}"): write the statement as '
                              'one constant and bind its values')


def _unescaped(literal):
    return literal.replace('\\n', '\n').replace('\\t', '\t').replace('\\"', '"')


MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80


def sizes(tree):
    for path in tree.select(r'(src|tests)/.*\.([ch]|py|sh)'):
        text = tree.text(path)
        lines = text.count('\n')
        if lines > MAX_FILE_LINES:
            yield Finding(path, 1, f'{lines} lines: look for the second idea in it', warning=True)
        for function in functions(text) if path.endswith('.c') else ():
            if function.lines > MAX_FUNCTION_LINES:
                yield Finding(path, function.line, f'{function.name} has {function.lines} lines: '
                                                   'look for the functions in it', warning=True)


CLANG_FORMAT = 'clang-format-14'


def formatting(tree):
    if not shutil.which(CLANG_FORMAT):
        raise CannotCheck(f'{CLANG_FORMAT} is not installed')
    paths = tree.select(r'(src|tests)/.*\.[ch]')
    if not paths:
        return
    done = subprocess.run([CLANG_FORMAT, '--style=file', '--dry-run', *paths], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    seen = set()
    for path, line in re.findall(r'^(.+?):(\d+):\d+: (?:warning|error): code should be clang-formatted',
                                 done.stderr, re.M):
        if path not in seen:
            seen.add(path)
            yield Finding(path, int(line), f'run {CLANG_FORMAT} -i on it')
    if done.returncode != 0 and not seen:
        yield Finding('.clang-format', 1, f'{CLANG_FORMAT} failed: {done.stderr.strip()[:200]}')
