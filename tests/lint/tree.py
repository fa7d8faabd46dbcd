"""What the checks look at: the files of a source tree, and C text taken apart as far as they need."""

import functools
import pathlib
import re
from typing import NamedTuple, Optional

LEFT_OUT = re.compile(r'(\.git|\.cache|build[^/]*)(/|$)|(.*/)?__pycache__(/|$)')


class Finding(NamedTuple):
    path: str
    line: int
    text: str
    warning: bool = False

    def __str__(self):
        kind = 'warning: ' if self.warning else ''
        return f'{self.path}:{self.line}: {kind}{self.text}'


class CannotCheck(Exception):
    """The check cannot be made here; the message says what is missing."""


class Tree:
    def __init__(self, root, program=None):
        self.root = pathlib.Path(root)
        self.program = program and pathlib.Path(program)

    @functools.cached_property
    def paths(self):
        found, folders = [], [self.root]
        while folders:
            for entry in folders.pop().iterdir():
                path = entry.relative_to(self.root).as_posix()
                if LEFT_OUT.match(path) or entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append(entry)
                else:
                    found.append(path)
        return sorted(found)

    def select(self, pattern):
        """The paths that a regular expression matches whole."""
        return [path for path in self.paths if re.fullmatch(pattern, path)]

    def exists(self, path):
        return (self.root / path).exists()

    @functools.lru_cache(maxsize=None)
    def bytes(self, path):
        return (self.root / path).read_bytes()

    def text(self, path):
        return self.bytes(path).decode('utf-8', errors='replace')


C_TOKEN = re.compile(r'(?P<comment>//[^\n]*|/\*.*?\*/)'
                     r'|(?P<string>"(?:\\.|[^"\\\n])*")'
                     r"|(?P<char>'(?:\\.|[^'\\\n])*')", re.S)


class Literal(NamedTuple):
    offset: int
    value: str


def line_at(text, offset):
    return text.count('\n', 0, offset) + 1


def _blank(text):
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    return C_TOKEN.sub(lambda m: _blank(m[0]) if m['comment'] else m[0], text)


def code_only(text):
    """The text with comments, strings and characters blanked; every offset stays what it was."""
    return C_TOKEN.sub(lambda m: '"' + _blank(m[0][1:-1]) + '"' if m['string'] else _blank(m[0]),
                       text)


def literals(text):
    """String literals; adjacent ones, also around the name of a constant, are one."""
    text = without_comments(text)
    joined, end = [], 0
    for match in C_TOKEN.finditer(text):
        if not match['string']:
            continue
        between = text[end:match.start()]
        if joined and re.fullmatch(r'\s*([A-Z][A-Z0-9_]*\s*)?', between):
            value = joined[-1].value + ('?' if between.strip() else '') + match[0][1:-1]
            joined[-1] = Literal(joined[-1].offset, value)
        else:
            joined.append(Literal(match.start(), match[0][1:-1]))
        end = match.end()
    return joined


def enclosing_call(code, offset) -> Optional[str]:
    """The name of the function (or macro) whose argument the given place is."""
    depth = 0
    for i in range(offset - 1, -1, -1):
        if code[i] == ')':
            depth += 1
        elif code[i] == '(':
            if depth == 0:
                name = re.search(r'([A-Za-z_]\w*)\s*$', code[:i])
                return name and name[1]
            depth -= 1
        elif code[i] in ';{}':
            return None
    return None


class Function(NamedTuple):
    name: str
    line: int
    lines: int


def functions(text):
    """Function definitions, as the house style lays them out: braces in the first column."""
    lines = code_only(text).split('\n')
    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == '{':
            start = number
        elif line.startswith('}') and start is not None:
            head = ' '.join(lines[max(0, start - 8):start - 1])
            names = re.findall(r'([A-Za-z_]\w*)\s*\([^;{}]*$', re.split(r'[;}]', head)[-1])
            yield Function(names[0] if names else '?', start, number - start + 1)
            start = None
