#!/usr/bin/python3
"""The closing line of the test run says what happened: each log is counted as it must be."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

COUNT = pathlib.Path(__file__).resolve().parents[1] / 'count.py'

# log of (result, output) a test, exit status of meson, CI, last line, exit status
CASES = [
    ([('OK', '1..2\nok 1 a\nok 2 b\n')], 0, '', '2 passed, 0 failed', 0),
    ([('OK', 'no TAP here'), ('OK', '')], 0, '', '2 passed, 0 failed', 0),
    ([('FAIL', 'ok 1 a\nnot ok 2 b\n')], 1, '', '1 passed, 1 failed', 1),
    ([('ERROR', 'ok 1 a\nnot ok 2 b\nBail out!\n')], 1, '', '1 passed, 1 failed', 1),
    ([('ERROR', 'ok 1 a\nok 2 b\n')], 1, '', '2 passed, 1 failed', 1),
    ([('TIMEOUT', '')], 1, '', '0 passed, 1 failed', 1),
    ([('FAIL', 'not ok 1 a # SKIP as if\n')], 1, '', '0 passed, 1 failed', 1),
    ([('OK', 'ok 1 a\nok 2 b # SKIP no root\n')], 0, '', '1 passed, 0 failed, 1 skipped', 0),
    ([('SKIP', '1..0 # SKIP no root\n')], 0, '', '0 passed, 0 failed, 1 skipped', 0),
    ([('SKIP', 'no network namespace\n')], 0, '', '0 passed, 0 failed, 1 skipped', 0),
    ([('OK', 'ok 1 a\nok 2 b # SKIP no root\n')], 0, 'true', '1 passed, 1 failed', 1),
    ([('EXPECTEDFAIL', 'ok 1 a\nnot ok 2 b\n')], 0, '', '1 passed, 0 failed', 0),
    ([('UNEXPECTEDPASS', 'ok 1 a\n')], 1, '', '1 passed, 1 failed', 1),
    ([('OK', 'ok 1 a\n')], 2, '', '1 passed, 1 failed', 1),
    ([], 0, '', '0 passed, 1 failed', 1),
]


def run(log, meson_status, ci):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'testlog.json'
        path.write_text(''.join(json.dumps({'name': f't{i}', 'result': result, 'stdout': output,
                                            'returncode': 0}) + '\n'
                                for i, (result, output) in enumerate(log)), encoding='utf-8')
        return subprocess.run([sys.executable, COUNT, path, str(meson_status)], text=True, check=False,
                              stdout=subprocess.PIPE, env={**os.environ, 'CI': ci})


def main():
    failed = False
    print(f'1..{len(CASES)}')
    for number, (log, meson_status, ci, line, status) in enumerate(CASES, 1):
        done = run(log, meson_status, ci)
        last = done.stdout.splitlines()[-1]
        good = last == line and done.returncode == status
        failed |= not good
        print(f'{"ok" if good else "not ok"} {number} - {line}, case {number}')
        if not good:
            print(f'# said "{last}" and ended with {done.returncode}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
