# Sourced by the scripts that set the project up: packages, the user who builds, the build.
# Expects $root, the top of the source tree. Only apt ever runs as root on its own account.
# shellcheck shell=sh disable=SC2154

say() {
    printf '%s\n' "$@"
}

die() {
    say "$*" >&2
    exit 1
}

# The packages of the given sections of packages.txt that are not installed.
missing_packages() {
    for section; do
        sed -n "/^\[$section\]\$/,/^\[/p" "$root/tests/packages.txt"
    done | grep -v -e '^\[' -e '^#' -e '^$' | sort -u | while read -r package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s ' "$package"
    done
}

apt_get() {
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null
}

install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "Missing, and there is no apt-get to install it: $missing"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "Missing: $missing
Install as root: apt-get install --no-install-recommends $missing"

    say "Installing: $missing"
    # shellcheck disable=SC2086 # one word a package
    set -- install --no-install-recommends $missing
    # Package lists may be absent or old: only then are they fetched.
    apt_get "$@" || { apt_get update && apt_get "$@"; } ||
        die "apt-get could not install: $missing"
}

# Under sudo nothing but apt needs root: the script starts again as the user who called sudo.
become_invoking_user() {
    [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ] || return 0
    uid=$(id -u "$SUDO_USER")
    runtime=/run/user/$uid
    [ -d "$runtime" ] || runtime=
    exec setpriv --reuid="$uid" --regid="$(id -g "$SUDO_USER")" --init-groups --reset-env \
        env ${runtime:+"XDG_RUNTIME_DIR=$runtime"} ${CI:+"CI=$CI"} sh "$@"
}

# Configures the build directory if need be. The other arguments are options of meson.
# The prefix is where bus and polkit look for what is installed; they know no other.
configure() {
    build=$1
    shift
    if [ -e "$build/build.ninja" ]; then
        [ -w "$build" ] || die "$build belongs to somebody else: remove it, or build as its owner"
        [ $# -eq 0 ] || meson configure "$build" "$@"
    else
        meson setup "$build" "$root" --prefix=/usr "$@"
    fi
}

# More than there are processors: many tests wait for a disk or for each other's processes.
tests_at_once() {
    echo $(($(nproc) * 2))
}
