#!/bin/sh
# From a fresh checkout to a running daemon and a first operation in its log.
#
#   sh examples/quickstart.sh          leaves the daemon running
#   sh examples/quickstart.sh --once   stops it at the end
#
# Installs what is missing (only apt runs as root), builds into build/, and starts the user instance
# on the session bus. Where there is no session bus it starts a private one; its address is kept in
# a file that the CLI reads, so a second run, and every later command, finds it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/prepare.sh"
export LC_ALL=C.UTF-8

NAME=org.sourceos.Sync
ROOT_OBJECT=/org/sourceos/Sync
PATIENCE_SECONDS=30

once=false
case $#:${1:-} in
0:) ;;
1:--once) once=true ;;
*) die 'usage: sh examples/quickstart.sh [--once]' ;;
esac

# --- the bus -----------------------------------------------------------------------------------

# What this run has started; empty when it was there before.
our_bus_pid=
our_daemon_pid=

runtime_directory() {
    if [ -n "${XDG_RUNTIME_DIR:-}" ]; then
        say "$XDG_RUNTIME_DIR/sourceos-syncd"
    else
        say "/tmp/sourceos-syncd-$(id -u)"
    fi
}

# The directory decides which bus we trust: in /tmp anybody could have made it before us.
make_runtime_directory() {
    mkdir -p "$runtime"
    [ -n "$(find "$runtime" -prune -type d -user "$(id -u)")" ] ||
        die "$runtime is not a directory of yours: remove it, or set XDG_RUNTIME_DIR"
    chmod 0700 "$runtime"
}

bus_call() {
    busctl --address="$1" --timeout=10 call org.freedesktop.DBus /org/freedesktop/DBus \
        org.freedesktop.DBus "$2" ${3:+s "$3"} 2>/dev/null
}

# As the D-Bus specification lets any byte of an address be written.
escape_address() {
    case $1 in
    *[!A-Za-z0-9_/.-]*) printf '%s' "$1" | od -An -v -t x1 | tr -d '\n' | sed 's/ /%/g' ;;
    *) printf '%s' "$1" ;;
    esac
}

bus_answers() {
    [ -n "$1" ] && bus_call "$1" GetId >/dev/null
}

# The process that owns a name on the bus; nothing when nobody does.
owner_pid() {
    bus_call "$bus" GetConnectionUnixProcessID "$1" | cut -d ' ' -f 2
}

find_bus() {
    bus_is_private=false
    runtime_bus=${XDG_RUNTIME_DIR:+unix:path=$(escape_address "$XDG_RUNTIME_DIR/bus")}
    # What busctl takes in the shell that this was called from.
    callers_bus=${DBUS_SESSION_BUS_ADDRESS:-$runtime_bus}
    bus=$callers_bus
    ! bus_answers "$bus" || return 0
    bus=$runtime_bus
    ! bus_answers "$bus" || return 0

    bus_is_private=true
    bus=$(cat "$runtime/bus-address" 2>/dev/null) || bus=
    ! bus_answers "$bus" || return 0
    start_private_bus
}

start_private_bus() {
    say 'There is no session bus: starting a private one.'
    # A socket of an abstract name has no permissions; a path in our directory has.
    rm -f "$runtime/bus"
    setsid dbus-daemon --session --fork --nopidfile --print-address=3 --print-pid=4 \
        --address="unix:path=$(escape_address "$runtime/bus")" \
        3>"$runtime/bus-address.new" 4>"$runtime/bus-pid" </dev/null >/dev/null
    our_bus_pid=$(cat "$runtime/bus-pid")
    rm -f "$runtime/bus-pid"
    mv "$runtime/bus-address.new" "$runtime/bus-address"
    bus=$(cat "$runtime/bus-address")
}

# --- the daemon --------------------------------------------------------------------------------

start_daemon() {
    if [ -n "$(owner_pid "$NAME")" ]; then
        say "The daemon runs already (process $(owner_pid "$NAME"))."
        return
    fi
    DBUS_SESSION_BUS_ADDRESS=$bus setsid "$program" daemon --user </dev/null >"$runtime/daemon.log" 2>&1 &
    our_daemon_pid=$!
    await_daemon
    say "The daemon runs (process $our_daemon_pid); what it says goes to" \
        "$runtime/daemon.log."
}

await_daemon() {
    tries=$((PATIENCE_SECONDS * 10))
    until [ -n "$(owner_pid "$NAME")" ]; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! kill -0 "$our_daemon_pid" 2>/dev/null; then
            cat "$runtime/daemon.log" >&2
            die 'The daemon did not start; above is what it said.'
        fi
        sleep 0.1
    done
}

# Waits until a condition fails; a process that never ends must not keep the terminal.
await_end_of() {
    tries=$((PATIENCE_SECONDS * 10))
    while "$@" 2>/dev/null && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
}

stop_what_we_started() {
    if [ -n "$our_daemon_pid" ] && kill "$our_daemon_pid" 2>/dev/null; then
        await_end_of kill -0 "$our_daemon_pid"
        say 'Stopped the daemon.'
    fi
    if [ -n "$our_bus_pid" ] && kill "$our_bus_pid" 2>/dev/null; then
        rm -f "$runtime/bus-address"
        await_end_of bus_answers "$bus"
        say 'Stopped the private bus.'
    fi
}

# What a tour that fails says to do next wants a daemon, which goes on running for it.
at_end() {
    status=$?
    trap - EXIT
    if ! $once && $touring && [ "$status" -lt 128 ] && [ -n "$(owner_pid "$NAME")" ]; then
        if [ "$status" -eq 0 ]; then
            say '' 'The tour ends here; build/src/sourceos-syncd help shows what else there is.'
        else
            say '' 'The tour ends here; the last Next: says what leads on.'
        fi
        what_next
    elif [ "$status" -ne 0 ] || $once; then
        say ''
        stop_what_we_started
    fi
    exit "$status"
}

# --- the tour ----------------------------------------------------------------------------------

# An argument as one would type it.
quoted() {
    case $1 in
    *[!A-Za-z0-9_./:=,%+-]* | '') printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
    esac
}

# A command as one would type it, in lines that fit a terminal.
show() {
    printf '\n$'
    column=1
    for word; do
        word=$(quoted "$word")
        if [ $((column + 1 + ${#word})) -gt 78 ] && [ "$column" -gt 4 ]; then
            printf ' \\\n   '
            column=3
        fi
        printf ' %s' "$word"
        column=$((column + 1 + ${#word}))
    done
    printf '\n'
}

try() {
    show "$@"
    "$@"
}

tour() {
    syncd=build/src/sourceos-syncd
    say '' "A first operation, from $root:"
    try $syncd status --user
    try $syncd ops enqueue --object note-1 --body-json '{"title":"Remember the milk"}'
    try $syncd ops list --no-pager
    operation=$($syncd ops list --limit 1 --json | operation_id)
    try $syncd ops show "$operation"
    try $syncd log note-1
    try $syncd verify log
    try $syncd verify proof --operation "$operation"

    say '' 'The same over D-Bus, with nothing of ours between:'
    [ "$bus" = "$callers_bus" ] || try export DBUS_SESSION_BUS_ADDRESS="$bus"
    try busctl --user call $NAME $ROOT_OBJECT $NAME.Operations Enqueue 'ssssa{sv}' \
        sync.operation.enqueue device note-2 '{"title":"Water the plants"}' 0
    try busctl --user get-property $NAME $ROOT_OBJECT $NAME.Manager State Sequence
    tour_of_a_workspace
}

# What is recorded of it stays in the log; the directory goes again.
tour_of_a_workspace() {
    writing=$(mktemp -d "${TMPDIR:-/tmp}/tour-XXXXXX")
    say '' 'A directory whose files are recorded, now and whenever something changes in it:'
    printf 'Once upon a time\n' >"$writing/story"
    try $syncd workspace add "$writing"
    try $syncd workspace scan "$writing"
    try $syncd workspace files "$writing" --no-pager
    printf '\n$ echo The end >> %s\n' "$(quoted "$writing/story")"
    printf 'The end\n' >>"$writing/story"
    say '' 'It is recorded as it happens. A scan finds what that has missed, and waits:'
    try $syncd workspace scan "$writing"
    try $syncd log "$writing/story" --no-pager
    try $syncd explain "$writing/story" --no-pager
    try $syncd workspace restore "$writing/story" --yes
    try $syncd find story --limit 5 --no-pager
    try $syncd prove "$writing/story" --output "$writing.proof"
    try $syncd verify proof "$writing.proof"
    try $syncd workspace remove "$writing"
    rm -r "$writing" "$writing.proof"
}

operation_id() {
    sed -n 's/.*"operation_id" *: *"\([^"]*\)".*/\1/p' | head -n 1
}

# The bus stays, so that whatever starts the daemon again finds it.
what_next() {
    say '' 'The daemon goes on running. Try next:'
    [ "$bus" = "$callers_bus" ] || say "  export DBUS_SESSION_BUS_ADDRESS=$(quoted "$bus")"
    say "  export PATH=$(quoted "$root/build/src"):\$PATH" \
        "  busctl --user introspect $NAME $ROOT_OBJECT" \
        "  busctl --user monitor $NAME" \
        '  sourceos-syncd status --watch' \
        '  sourceos-syncd events list --follow' \
        '  sourceos-syncd --help' \
        'To stop it, and to start it again in the foreground:' \
        "  kill $(owner_pid "$NAME")" \
        '  sourceos-syncd daemon --user'
    [ "$bus_is_private" = false ] ||
        say 'To end the private bus as well, which sh examples/quickstart.sh starts anew:' \
            "  kill $(owner_pid org.freedesktop.DBus)"
}

# --- all of it ---------------------------------------------------------------------------------

install_packages build run
if [ "$once" = true ]; then
    become_invoking_user "$root/examples/quickstart.sh" --once
else
    become_invoking_user "$root/examples/quickstart.sh"
fi
configure "$root/build"
ninja -C "$root/build" src/sourceos-syncd
program=$root/build/src/sourceos-syncd

umask 077
runtime=$(runtime_directory)
make_runtime_directory
touring=false
trap at_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
find_bus
start_daemon
cd "$root"
touring=true
tour
