#!/bin/sh
# Makes .venv, with exactly the locked dependencies, from Python 3.11 or newer alone.
#
# * Progress and errors go to standard error; standard output stays empty, for `make token`.
# * An interrupted run is repaired by the next one: a broken tool, half an environment and a second
#   run at the same time are all expected.
# * The Makefile runs it when pyproject.toml, uv.lock or this script changed since $stamp.
set -eu
exec >&2
cd "$(dirname "$0")/.."

uv_version=0.13.9
tool=.satchel/uv
unfinished=.satchel/environment-unfinished
stamp=.venv/.complete

say() { printf 'satchel: %s\n' "$*"; }
give_up() { say "$*"; exit 1; }

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null && is_new_enough "$name"; then
            # The program itself: a name on PATH may be a shim, or the .venv about to be made anew.
            "$name" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
}

install_venv_module() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say 'installing python3-venv with apt-get'
        export DEBIAN_FRONTEND=noninteractive
        apt=$(apt-get -qq update 2>&1 &&
            apt-get -qq install -y --no-install-recommends python3-venv 2>&1 </dev/null) || say "$apt"
    fi
}

is_complete() {
    for source in pyproject.toml uv.lock dev/bootstrap.sh; do
        [ -e "$stamp" ] && [ ! "$source" -nt "$stamp" ] || return 1
    done
}

mkdir -p .satchel
if command -v flock >/dev/null; then
    exec 9>.satchel/bootstrap.lock
    flock 9
    if is_complete; then exit 0; fi # another run did it while this one waited
fi

python=$(find_python)
[ -n "$python" ] || give_up 'Python is missing: install Python 3.11 or newer (python3)'

if [ "$("$tool/bin/uv" --version 2>/dev/null | cut -d ' ' -f 2)" != "$uv_version" ]; then
    can_make_environments "$python" || install_venv_module
    can_make_environments "$python" ||
        give_up "$python cannot make environments: install its venv module (python3-venv)"
    say "installing uv $uv_version into $tool"
    rm -rf "$tool"
    "$python" -m venv "$tool"
    "$tool/bin/python" -m pip --quiet --disable-pip-version-check install "uv==$uv_version"
fi

say 'installing the locked dependencies into .venv'
if [ -e "$unfinished" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
fi
touch "$unfinished"
[ -t 2 ] && quiet= || quiet=--quiet
UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv \
    "$tool/bin/uv" sync --frozen $quiet --python "$python" 9>&-
rm "$unfinished"
touch "$stamp"
