#!/usr/bin/python3
"""House rules as a program. Prints TAP: a check that finds nothing is ok; each finding says what is
wrong where, and what to do. Warnings are shown and never fail."""

import argparse
import pathlib
import sys

import code_checks
import project_checks
from tree import CannotCheck, Tree

CHECKS = {
    'includes keep to the layers': code_checks.includes,
    'the domain reads no clock and no file': code_checks.domain_calls,
    'SQL is only in store/': code_checks.sql_only_in_store,
    'SQL is never built from strings': code_checks.sql_never_built,
    'sizes': code_checks.sizes,
    'clang-format': code_checks.formatting,
    'text files keep to .editorconfig': project_checks.text_files,
    'every verb is in help, completions and man page': project_checks.verbs,
    'every translatable file is in POTFILES': project_checks.potfiles,
    'translations are complete': project_checks.translations,
    'interfaces are described': project_checks.introspection,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument('--program', help='the built sourceos-syncd')
    arguments = parser.parse_args()

    tree = Tree(arguments.root, arguments.program)
    failed = False
    print(f'1..{len(CHECKS)}')
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        try:
            findings = list(check(tree))
        except CannotCheck as reason:
            print(f'ok {number} - {name} # SKIP {reason}')
            continue
        wrong = any(not finding.warning for finding in findings)
        failed |= wrong
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        for finding in findings:
            print(f'# {finding}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
