#!/usr/bin/python3
"""Runs the fuzz targets, each beginning with what is kept in corpus/, and the controls, in which
something must be found. An input that breaks a target stays in the directory of the logs, and the
command that repeats it is printed.

    CC=clang-14 meson setup build-fuzz -Dfuzz=true && ninja -C build-fuzz fuzz
    tests/fuzz/run.py --build build-fuzz                        # as CI does
    tests/fuzz/run.py --build build-fuzz --seconds 3600 note    # one target, for an hour
    tests/fuzz/run.py --build build-fuzz --keep                 # and keep what reached new code"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
FAST_DISK = '/dev/shm'
CONTROL_SECONDS = 120  # a few are enough; the rest is for busy machines
KEEP_SIZE = 2048       # larger inputs are not kept
TAIL_LINES = 40


class Target(NamedTuple):
    seconds: int
    dictionary: str = ''


# The longest first, so that none is left alone at the end.
TARGETS = {
    'scanner': Target(30, 'json'),
    'canonical': Target(30, 'json'),
    'entry': Target(30, 'header'),
    'note': Target(30, 'note'),
    'proof': Target(30, 'proof'),
    'configuration': Target(30, 'configuration'),
    'body': Target(10, 'json'),
    'many': Target(10, 'many'),
    'reconcile': Target(10, 'reconcile'),
    'schema': Target(10, 'schema'),
    'contract': Target(10, 'json'),
    'policy-rules': Target(10, 'policy-rules'),
    'migration': Target(10, 'migration'),
    'report': Target(10, 'report'),
    'operation': Target(10, 'operation'),
    'tree': Target(10),
    'cursor': Target(10),
    'evidence': Target(10),
    'text': Target(10, 'text'),
    'reply': Target(10, 'reply'),
    'wire': Target(10),
    'ignore': Target(10),
    'announce': Target(10),
}
CONTROLS = {
    'control-law': Target(CONTROL_SECONDS, 'json'),
    'control-bounds': Target(CONTROL_SECONDS, 'json'),
}


class Run:
    """One run of one target."""

    def __init__(self, options, name, target, seed):
        self.name, self.seed = name, seed
        self.program = options.build / 'tests' / 'fuzz' / f'fuzz-{name}'
        self.log = options.logs / f'{name}.log'
        self.artifacts = f'{options.logs}/{name}-'
        self.found_inputs = options.logs / f'{name}.inputs'
        if name in CONTROLS:
            # It begins with nothing: what was found before is found again.
            shutil.rmtree(self.found_inputs, ignore_errors=True)
        self.found_inputs.mkdir(exist_ok=True)
        for old in self.inputs():
            old.unlink()
        self.corpora = [self.found_inputs]
        if name in TARGETS:
            self.corpora.append(HERE / 'corpus' / name)
        seconds = target.seconds if name in CONTROLS else options.seconds or target.seconds
        self.arguments = [f'-max_total_time={seconds}', f'-seed={seed}', f'-artifact_prefix={self.artifacts}', '-timeout=10',
                          '-print_final_stats=1']
        if target.dictionary:
            self.arguments.append(f'-dict={HERE}/dict/{target.dictionary}.dict')

    def start(self):
        with tempfile.TemporaryDirectory(dir=FAST_DISK if os.path.isdir(FAST_DISK) else None) as tmp, \
                self.log.open('wb') as log:
            done = subprocess.run([self.program, *self.arguments, *self.corpora], stdout=log,
                                  stderr=log, stdin=subprocess.DEVNULL, check=False,
                                  env={**os.environ, 'TMPDIR': tmp})
        self.status = done.returncode
        self.text = self.log.read_text(errors='replace')
        return self

    def inputs(self):
        return [path for path in pathlib.Path(self.artifacts).parent.glob(f'{self.name}-*')
                if re.fullmatch(rf'{self.name}-(crash|leak|oom|timeout)-\w+', path.name)]

    def describe(self):
        tried = re.search(r'stat::number_of_executed_units: (\d+)', self.text)
        return (f'{tried[1] if tried else "?"} inputs tried, seed {self.seed}, '
                f'log {self.log}')

    def complain(self):
        print(f'{self.name}: FAILED with status {self.status}; {self.describe()}')
        for line in self.text.splitlines()[-TAIL_LINES:]:
            print(f'    {line}')
        for path in self.inputs():
            print(f'  repeat it with: {self.program} {path}')

    def keep(self):
        """Adds to the corpus what reaches code that nothing there reaches."""
        subprocess.run([self.program, '-merge=1', '-use_counters=0', f'-max_len={KEEP_SIZE}',
                        HERE / 'corpus' / self.name, self.found_inputs], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def judge_target(run, keep):
    if run.status != 0:
        run.complain()
        return False
    print(f'{run.name}: nothing found; {run.describe()}', flush=True)
    if keep:
        run.keep()
    return True


def judge_control(run):
    if run.status != 0 and run.inputs():
        print(f'{run.name}: found, as it must be; {run.describe()}', flush=True)
        return True
    print(f'{run.name}: the planted defect was NOT FOUND: the other targets cannot be believed; '
          f'{run.describe()}')
    return False


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', required=True, type=pathlib.Path)
    parser.add_argument('--logs', type=pathlib.Path, help='default: fuzz-logs/ in the build directory')
    parser.add_argument('--seconds', type=int, help='for each target, in place of its own')
    parser.add_argument('--seed', type=int, help='default: by chance; it is printed')
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('targets', nargs='*', metavar='target')
    options = parser.parse_args()
    for name in set(options.targets) - set(TARGETS):
        parser.error(f'there is no target {name}; there are {", ".join(TARGETS)}')
    options.build = options.build.resolve()
    options.logs = (options.logs or options.build / 'fuzz-logs').resolve()
    options.logs.mkdir(parents=True, exist_ok=True)
    return options


def main():
    options = parse_arguments()
    seed = options.seed or random.randrange(1, 1 << 31)
    chosen = {name: target for name, target in TARGETS.items()
              if not options.targets or name in options.targets}
    good = True
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [pool.submit(Run(options, name, target, seed).start)
                for name, target in {**chosen, **CONTROLS}.items()]
        for done in concurrent.futures.as_completed(runs):
            run = done.result()
            good &= judge_control(run) if run.name in CONTROLS else judge_target(run, options.keep)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
