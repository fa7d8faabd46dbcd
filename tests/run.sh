#!/bin/sh
# Installs what the tests need, builds, runs every test, and ends with the line
#   N passed, N failed[, N skipped]
# A test that cannot run here is named with the reason; with CI=true it counts as failed. Arguments
# are options of meson, for example -Dwerror=true.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/prepare.sh"
export LC_ALL=C.UTF-8

no_tests() {
    status=$?
    [ "$status" -eq 0 ] && return
    say 'No test was run: what is above failed.'
    say '0 passed, 1 failed'
    exit 1
}
trap no_tests EXIT

install_packages build run test
become_invoking_user "$root/tests/run.sh" "$@"
configure "$root/build" "$@"
ninja -C "$root/build"

log=$root/build/meson-logs/testlog.json
rm -f "$log"
status=0
# A limit is there for what hangs: it must not judge how fast the machine is.
meson test -C "$root/build" --no-rebuild --timeout-multiplier 4 --num-processes "$(tests_at_once)" \
    </dev/null || status=$?
trap - EXIT
exec python3 "$root/tests/count.py" "$log" "$status"
