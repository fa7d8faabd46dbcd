"""Checks of what belongs together: verbs and their documents, translations, interfaces, text files."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

from tree import CannotCheck, Finding, line_at, without_comments

# --- text files --------------------------------------------------------------------------------

UNTRACKED_WORK = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X)\b(?![ :(]*#[0-9]+)')


def text_files(tree):
    rules = _editorconfig(tree)
    for path in tree.paths:
        raw = tree.bytes(path)
        if b'\0' in raw or not raw:
            continue
        wanted = {key: value for pattern, settings in rules if pattern.fullmatch(path)
                  for key, value in settings.items()}
        try:
            raw.decode('utf-8')
        except UnicodeDecodeError as error:
            if wanted.get('charset') == 'utf-8':
                yield Finding(path, raw.count(b'\n', 0, error.start) + 1, 'not UTF-8: convert it')
        yield from _line_findings(path, tree.text(path), wanted)


def _line_findings(path, text, wanted):
    lines = text.split('\n')
    for number, line in enumerate(lines, 1):
        if line.endswith('\r') and wanted.get('end_of_line') == 'lf':
            yield Finding(path, number, 'ends in CR LF: write LF alone')
        elif line != line.rstrip(' \t') and wanted.get('trim_trailing_whitespace') == 'true':
            yield Finding(path, number, 'space at the end of the line: remove it')
        if line.startswith('\t') and wanted.get('indent_style') == 'space':
            yield Finding(path, number, 'indented by a tab: use spaces')
        if UNTRACKED_WORK.search(line):
            yield Finding(path, number, 'unfinished work without the number of an issue: do it, or '
                                        'open one and write its #number')
    if lines[-1] and wanted.get('insert_final_newline') == 'true':
        yield Finding(path, len(lines), 'no newline at the end of the file: add it')


def _editorconfig(tree):
    rules = []
    for line in tree.text('.editorconfig').splitlines() if tree.exists('.editorconfig') else ():
        line = line.strip()
        if line.startswith('['):
            rules.append((_glob(line[1:-1]), {}))
        elif '=' in line and rules and line[0] not in '#;':
            key, _, value = line.partition('=')
            rules[-1][1][key.strip().lower()] = value.strip().lower()
    return rules


def _glob(glob):
    tokens = {'**': '.*', '*': '[^/]*', '?': '[^/]', '{': '(?:', '}': ')', ',': '|'}
    pattern = ''.join(tokens.get(token, re.escape(token)) for token in re.split(r'(\*\*|[*?{},])', glob))
    return re.compile(pattern if '/' in glob else '(?:.*/)?' + pattern)


# --- the command line --------------------------------------------------------------------------

VERB_TABLE = 'src/cli/verbs.c'
MAN_PAGE = 'docs/man/sourceos-syncd.1.scd'
SHELLS = ('bash', 'zsh', 'fish')


def verbs(tree):
    if not (tree.program and tree.program.exists()):
        if tree.exists(VERB_TABLE):
            yield Finding(VERB_TABLE, 1, 'the program is not built: build it, then give --program')
            return
        raise CannotCheck('there is no program yet')

    known = _run(tree, 'help', '--verbs').split('\n')
    known = [verb.strip() for verb in known if verb.strip()]
    if not known:
        yield Finding(VERB_TABLE, 1, '`help --verbs` prints nothing: print one verb a line')
    # scdoc's marks are not part of the words.
    manual = re.sub(r'[*\\_]', '', tree.text(MAN_PAGE)) if tree.exists(MAN_PAGE) else ''
    places = [(MAN_PAGE, manual), ('--help', _run(tree, '--help'))]
    for verb in known:
        for place, text in places:
            if not _mentions(text, verb):
                yield Finding(VERB_TABLE, 1, f'`{verb}` is not in {place}: describe it there')
    for shell in SHELLS:
        completion = _run(tree, 'completion', shell)
        for verb in known:
            if not all(_mentions(completion, word) for word in verb.split()):
                yield Finding(VERB_TABLE, 1, f'`{verb}` is not in the completion for {shell}: make '
                                             'it from the verb table')


def _run(tree, *arguments):
    done = subprocess.run([tree.program, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, env={**os.environ, 'LC_ALL': 'C'})
    return done.stdout


def _mentions(text, words):
    spaced = r'\s+'.join(re.escape(word) for word in words.split())
    return re.search(rf'(?<![\w-]){spaced}(?![\w-])', text) is not None


# --- translations ------------------------------------------------------------------------------

MARKED = re.compile(r'(?<!\w)((N|C|NC|Q)?_|n?gettext|g_d[cnp]\w*gettext2?)\s*\(\s*"')
POTFILES = 'po/POTFILES'
DOMAIN = 'sourceos-syncd'
XGETTEXT = ['xgettext', '--from-code=UTF-8', '--keyword=_', '--keyword=N_', '--keyword=C_:1c,2',
            '--keyword=NC_:1c,2', '--keyword=g_dngettext:2,3', '--force-po']


def potfiles(tree):
    listed = _potfiles(tree)
    wanted = tree.select(r'(src|data)/.*\.(policy|desktop|metainfo\.xml)\.in')
    for path in tree.select(r'src/.*\.[ch]'):
        if MARKED.search(without_comments(tree.text(path))):
            wanted.append(path)
    for path in sorted(set(wanted) - set(listed)):
        yield Finding(path, 1, f'has text to translate: add it to {POTFILES}')
    for path in sorted(set(listed) - set(wanted)):
        yield Finding(POTFILES, 1, f'{path} has nothing to translate: remove it')
    if listed != sorted(set(listed)):
        yield Finding(POTFILES, 1, 'sort it, each file once')


def _potfiles(tree):
    lines = tree.text(POTFILES).splitlines() if tree.exists(POTFILES) else []
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def translations(tree):
    """Each language is complete, and the committed template holds what the sources say."""
    missing = [tool for tool in ('xgettext', 'msgfmt', 'msgcmp') if not shutil.which(tool)]
    if missing:
        raise CannotCheck(f'{", ".join(missing)} not installed (package gettext)')
    with tempfile.TemporaryDirectory() as scratch:
        template = pathlib.Path(scratch) / 'fresh.pot'
        sources = [path for path in _potfiles(tree) if tree.exists(path)]
        if sources:
            _gettext(tree, [*XGETTEXT, f'--output={template}', *sources])
        committed = f'po/{DOMAIN}.pot'
        if sources:
            yield from _compare_templates(tree, committed, template)
        linguas = tree.text('po/LINGUAS').split('\n') if tree.exists('po/LINGUAS') else []
        for language in (line for line in linguas if line and line[0] != '#'):
            path = f'po/{language}.po'
            complaints = _gettext(tree, ['msgfmt', '--check', '--output-file=/dev/null', path])
            if sources:
                complaints += _gettext(tree, ['msgcmp', path, template])
            yield from _gettext_findings(path, complaints, f'complete it (ninja {DOMAIN}-update-po, '
                                                           'then translate)')


def _compare_templates(tree, committed, fresh):
    remedy = f'run ninja {DOMAIN}-pot'
    if not tree.exists(committed):
        yield Finding(committed, 1, f'missing: {remedy}')
        return
    compare = ['msgcmp', '--use-untranslated', '--use-fuzzy']
    stale = (_gettext(tree, [*compare, committed, fresh])
             or _gettext(tree, [*compare, fresh, committed]))
    if stale:
        yield Finding(committed, 1, f'older than the sources: {remedy}')


def _gettext(tree, command):
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    return done.stderr if done.returncode != 0 else ''


def _gettext_findings(path, complaints, remedy):
    found = False
    for line, what in re.findall(rf'^{re.escape(path)}:(\d+):(?:\d+:)? *(.*)', complaints, re.M):
        found = True
        yield Finding(path, int(line), f'{what}: {remedy}')
    if complaints and not found:
        first = next((line for line in complaints.splitlines() if 'error' in line), complaints)
        yield Finding(path, 1, f'{first.strip()[:160]}: {remedy}')


# --- interfaces --------------------------------------------------------------------------------

DESCRIBED = ('method', 'signal', 'property')


def introspection(tree):
    listed = tree.text('introspection/meson.build') if tree.exists('introspection/meson.build') else ''
    for path in tree.select(r'introspection/.*\.xml'):
        name = pathlib.PurePath(path).name
        if f"'{name}'" not in listed:
            yield Finding(path, 1, 'not installed: add it to introspection/meson.build')
        parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        try:
            root = ElementTree.fromstring(tree.text(path), parser)
        except ElementTree.ParseError as error:
            yield Finding(path, error.position[0], f'not XML ({error}): correct it')
            continue
        yield from _interface_findings(path, tree.text(path), root)


def _interface_findings(path, text, root):
    for parent in root.iter():
        comment = ''
        for element in parent:
            if element.tag is ElementTree.Comment:
                comment = element.text
                continue
            name = element.get('name', '')
            for complaint in _undocumented(element, name, comment):
                yield Finding(path, line_at(text, max(0, text.find(f'name="{name}"'))), complaint)
            if element.tag == 'interface' and pathlib.PurePath(path).name != name + '.xml':
                yield Finding(path, 1, f'describes {name}: name the file {name}.xml')
            comment = ''


def _undocumented(element, name, comment):
    if element.tag == 'interface' or element.tag in DESCRIBED:
        after = re.match(rf'\s*{re.escape(name)}:(.*)', comment, re.S)
        prose = re.sub(r'@\w+:[^\n]*', '', after[1]) if after else ''
        if not prose.strip():
            yield f'{element.tag} {name} is not described: put a comment "{name}: ..." before it'
            return
    if element.tag in ('method', 'signal'):
        for argument in element.findall('arg'):
            if not re.search(rf'@{argument.get("name")}:\s*\S', comment):
                yield (f'argument {argument.get("name")} of {name} is not described: add '
                       f'"@{argument.get("name")}: ..." to the comment')
