#!/usr/bin/python3
"""Counts what meson's test log says, each case of a TAP test for itself, and names what failed or
could not run. The last line is `N passed, N failed`, and `, N skipped` when some were."""

import collections
import json
import os
import re
import sys
from typing import NamedTuple

TAP_LINE = re.compile(r'(?P<failed>not )?ok\b\s*\d*\s*(- )?(?P<name>[^#]*)'
                      r'(?P<skipped>#\s*SKIP\S*\s*(?P<reason>.*))?', re.I)
TAP_SKIPPED = re.compile(r'1\.\.0\s*#\s*SKIP\S*\s*(?P<reason>.*)', re.I)
TAIL_LINES = 30


class Case(NamedTuple):
    outcome: str  # passed, failed or skipped
    name: str
    reason: str = ''


def tap_cases(name, output):
    for line in output.splitlines():
        match = TAP_LINE.match(line)
        if not match:
            continue
        case = f'{name}: {match["name"].strip()}'
        if match['skipped'] and not match['failed']:
            yield Case('skipped', case, match['reason'].strip())
        else:
            yield Case('failed' if match['failed'] else 'passed', case)


def cases_of(test):
    name, output, result = test['name'], test.get('stdout') or '', test['result']
    if result == 'EXPECTEDFAIL':  # a control: its failures are what it is for
        return [Case('passed', name)]
    cases = list(tap_cases(name, output))
    outcomes = {case.outcome for case in cases}
    if result == 'SKIP' and not cases:
        whole = next(filter(None, map(TAP_SKIPPED.match, output.splitlines())), None)
        said = output.strip().splitlines() or ['no reason given']
        return [Case('skipped', name, whole['reason'] if whole else said[-1])]
    if result not in ('OK', 'SKIP') and 'failed' not in outcomes:
        return cases + [Case('failed', name, f'{result.lower()}, exit status {test["returncode"]}')]
    return cases or [Case('passed', name)]


def show_failed(test):
    print(f'\n--- {test["name"]}: {test["result"]}')
    for stream in ('stdout', 'stderr'):
        for line in (test.get(stream) or '').splitlines()[-TAIL_LINES:]:
            print(f'    {line}')


def main():
    log, meson_status = sys.argv[1], int(sys.argv[2])
    tests = []
    if os.path.exists(log):
        with open(log, encoding='utf-8') as lines:
            tests = [json.loads(line) for line in lines]

    cases = []
    for test in tests:
        found = cases_of(test)
        cases += found
        if any(case.outcome == 'failed' for case in found):
            show_failed(test)
    if not any(case.outcome == 'failed' for case in cases) and (meson_status != 0 or not cases):
        cases.append(Case('failed', 'meson test', f'exit status {meson_status}'))

    print()
    for case in cases:
        if case.outcome != 'passed':
            print(f'{case.outcome}: {case.name}{": " + case.reason if case.reason else ""}')
    count = collections.Counter(case.outcome for case in cases)
    if os.environ.get('CI') == 'true' and count['skipped']:
        print('What could not run counts as failed, because CI=true.')
        count['failed'] += count.pop('skipped')
    skipped = f', {count["skipped"]} skipped' if count['skipped'] else ''
    print(f'{count["passed"]} passed, {count["failed"]} failed{skipped}')
    return 1 if count['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
