"""What the bus fuzzer's report, and the service after it, are judged by."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / 'integration'))

# The harness is where the line above says.
from harness import MANAGER, NAME, GLib, Refused, equal, eventually  # pylint: disable=wrong-import-position

DECODED_MIN = 0.30
DESCRIPTORS_MAX = 8  # more than before
MEMORY_MAX = 192 << 20  # more than before, with what the sanitizers keep
# Where nothing is wrong there is nothing to plan, and what is wrong comes by chance: test-fuzz-bus.py
# spoils something for it.
PLANS = ('org.sourceos.Sync.Repair.Plan', 'org.sourceos.Sync.RepairPlan.')
NOT_SAID = re.compile(r'ERROR: \w+Sanitizer|runtime error:|CRITICAL|assertion')
# Freed memory is kept for a while to find who uses it; not as much as to hide a leak.
SANITIZED = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=16'}


def add_options(parser):
    parser.add_argument('--fuzzer', required=True)
    parser.add_argument('--poor-service')
    parser.add_argument('--calls', type=int, default=3000)
    parser.add_argument('--seed', type=int, default=1)


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def memory(pid):
    line = next(line for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
                if line.startswith('VmRSS'))
    return int(line.split()[1]) << 10


def restoring(options):
    return options.replace('{', '{"version": <uint64 1>, "to": <"restored">, ').replace(', }', '}')


@contextlib.contextmanager
def recorded_file(caller):
    """A workspace with a file that is recorded: lines of the corpus that are about it."""
    def call(interface, method, signature, *values):
        return caller.call(f'{NAME}.{interface}', method, signature, *values)

    def recorded():
        with contextlib.suppress(Refused):
            found.update(json.loads(call('Workspaces', 'GetFile', '(saya{sv})', 'workspace:fuzz', b'file', {
                'all': GLib.Variant('b', True)})))
        return found

    found = {}
    with tempfile.TemporaryDirectory(prefix='syncd-fuzz-') as place:
        directory = pathlib.Path(place)
        directory.chmod(0o755)
        (directory / 'file').write_text('1')
        call('Registry', 'Register', '(ssa{sv})', 'workspace',
             json.dumps({'workspace_id': 'workspace:fuzz', 'profile_id': 'profile:default'}), {})
        call('Registry', 'Register', '(ssa{sv})', 'root',
             json.dumps({'workspace_id': 'workspace:fuzz', 'directory': place, 'root_state': 'active',
                         'keep': {'versions': 8, 'max_bytes': 4096}}), {})
        eventually(recorded, 'the file is recorded')
        # Its plan is another one as soon as it has succeeded once.
        restored = {'version': GLib.Variant('t', 1), 'to': GLib.Variant('s', 'restored'), 'all': GLib.Variant('b', True)}
        plan = json.loads(call('Workspaces', 'PlanRestore', '(saya{sv})', 'workspace:fuzz', b'file', restored))
        lines = ['List ({},)', 'Scan ("workspace:fuzz", {})', 'Scan ("workspace:fuzz", {"deep": <true>})',
                 'ListFiles ("workspace:fuzz", b"", {"mismatched": <true>})',
                 f'Announce ("workspace:fuzz", "[{{\\"path\\":\\"new\\",\\"sha256\\":\\"{"0" * 64}\\"}}]", {{}})']
        for everything in ('{}', '{"all": <true>}'):
            lines += [f'ListFiles ("workspace:fuzz", b"", {everything})',
                      f'GetFile ("workspace:fuzz", b"file", {everything})',
                      f'FileHistory ("{found["file_id"]}", {everything})',
                      f'CheckIgnored ("workspace:fuzz", b"file", {everything})',
                      f'AcceptFile ("workspace:fuzz", b"file", "{found["sha256"]}", {everything})',
                      f'PlanRestore ("workspace:fuzz", b"file", {restoring(everything)})',
                      f'Restore ("workspace:fuzz", b"file", "{plan["digest"]}", {restoring(everything)})']
        yield ([f'{NAME}.Workspaces.{line}' for line in lines] +
               [f'{NAME}.Manager.Explain ("{found["file_id"]}", {{}})'])


def fuzz(options, address, calls, corpus=True, preexec=None, patience=60, lines=()):
    """The report. `lines` are further ones of the corpus."""
    command = [options.fuzzer, address, NAME, f'--calls={calls}', f'--seed={options.seed}',
               f'--patience={patience}']
    with tempfile.NamedTemporaryFile('w', prefix='syncd-corpus-', encoding='utf-8') as good:
        good.write((HERE / 'bus-corpus.txt').read_text('utf-8') + ''.join(line + '\n' for line in lines))
        good.flush()
        os.fchmod(good.fileno(), 0o644)
        if corpus:
            command.append(f'--corpus={good.name}')
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=preexec)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    print(f'# seed {report["seed"]}: {report["sent"]} calls, {share(report):.0%} decoded, '
          f'{report["succeeded"]} succeeded')
    return report


def share(report):
    return report['decoded'] / report['sent']


def never(successes):
    return sorted(name for name, count in successes.items() if count == 0)


def complaints(report, process, before, said, everything=True):
    """What is wrong with a service that was fuzzed: `before` are its descriptors and its memory at
    the start, `said` is what it printed."""
    found = list(report['findings'])
    if process.poll() is not None:
        found.append(f'it ended with {process.returncode}')
    else:
        now = descriptors(process.pid), memory(process.pid)
        print(f'# descriptors {before[0]} to {now[0]}, memory {before[1] >> 20} to '
              f'{now[1] >> 20} MiB')
        if now[0] > before[0] + DESCRIPTORS_MAX:
            found.append(f'it has {now[0]} descriptors open, {before[0]} at the start')
        if now[1] > before[1] + MEMORY_MAX:
            found.append(f'it holds {now[1]} bytes, {before[1]} at the start')
    found += [f'it said: {line}' for line in said.splitlines() if NOT_SAID.search(line)]
    if report['answered'] + report['refused_here'] != report['sent']:
        found.append(f'{report["answered"]} of {report["sent"]} calls were answered')
    if share(report) < DECODED_MIN:
        found.append(f'only {share(report):.1%} of the calls were decoded')
    if everything:
        found += [f'never succeeded: {name}'
                  for name in never(report['methods']) + never(report['properties']) if not name.startswith(PLANS)]
    return found


def check_log(caller):
    """Whatever was called, the log is sound."""
    def jobs():
        return json.loads(caller.call(MANAGER, 'ListJobs', '(a{sv})', {}))

    def ended():
        return all(job['state'] != 'running' for job in jobs())

    eventually(ended, 'what was started ends')
    path = caller.call(MANAGER, 'Verify', '(a{sv})', {'mode': GLib.Variant('s', 'full')})
    eventually(ended, 'the verification ends')
    mine = next(job for job in jobs() if path.endswith(job['id'].replace('-', '_2d')))
    equal(mine['result']['verdict'], 'sound')
