#!/usr/bin/python3
"""Which unit tests valgrind can do without: those that take longest for each line of src/ that no
other test executes. Prints them in the order in which they can go, with what that costs:

    meson setup build-cov -Db_coverage=true && ninja -C build-cov
    python3 tests/memcheck/own-lines.py --build build-cov

The list `covered_tests` of tests/unit/meson.build is the head of it. The seconds are an estimate:
what the test takes natively, as many times as valgrind is slower, and the start of its process."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import resource
import subprocess
import tempfile

SLOWER = 40
START_SECONDS = {True: 4, False: 1}  # with the store, which brings SQLite, and without


def unit_tests(build):
    listed = subprocess.run(['meson', 'introspect', '--tests', build], check=True,
                            capture_output=True, text=True).stdout
    for test in json.loads(listed):
        suites = {suite.rsplit(':', 1)[-1] for suite in test['suite']}
        if 'unit' in suites and 'openat2' not in suites:
            yield test['name'], test['cmd'], test['env']


def seconds_of(command, env):
    """As under valgrind, where there are fewer cases; the time is that of the processor."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return used() - before


def executed(build, counters):
    """The lines of src/ that the counters say were executed, as (file, line)."""
    found = set()
    for data in counters.rglob('*.gcda'):
        notes = build / data.relative_to(counters).with_suffix('.gcno')
        if 'src' not in data.relative_to(counters).parts or not notes.exists():
            continue
        data.with_suffix('.gcno').symlink_to(notes)
        told = subprocess.run(['gcov', '--json-format', '--stdout', data], cwd=build, check=True,
                              capture_output=True, text=True).stdout
        for file in (file for text in told.splitlines() for file in json.loads(text)['files']):
            name = os.path.normpath(os.path.join(build, file['file']))
            found.update((name, line['line_number']) for line in file['lines'] if line['count'])
    return {(name, line) for name, line in found if '/src/' in name}


def measure(build, test):
    name, command, env = test
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **env, 'SYNCD_TEST_HURRIED': 'valgrind', 'GCOV_PREFIX': folder,
               'GCOV_PREFIX_STRIP': str(len(build.parts) - 1)}
        native = seconds_of(command, env)
        lines = executed(build, pathlib.Path(folder))
    needs_store = any('/src/store/' in file for file, _ in lines)
    return name, START_SECONDS[needs_store] + SLOWER * native, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True, type=pathlib.Path)
    build = parser.parse_args().build.resolve()
    with concurrent.futures.ProcessPoolExecutor() as pool:
        tests = {name: (seconds, lines) for name, seconds, lines in
                 pool.map(measure, *zip(*((build, test) for test in unit_tests(build))))}
    holders = collections.Counter(line for _, lines in tests.values() for line in lines)
    total, left, lost = len(holders), sum(seconds for seconds, _ in tests.values()), 0
    while tests:
        own = {name: sum(holders[line] == 1 for line in lines)
               for name, (_, lines) in tests.items()}
        name = max(tests, key=lambda name: tests[name][0] / (own[name] + 3))
        seconds, lines = tests.pop(name)
        holders.subtract(lines)
        left, lost = left - seconds, lost + own[name]
        files = len({file for (file, _), count in holders.items() if count})
        print(f'{name:28} {seconds:5.0f} s, {own[name]:5} lines of its own; without it {left:5.0f} s,'
              f' {100 * lost / total:6.2f} % of the lines lost, {files} files')


if __name__ == '__main__':
    main()
