# Shared by scripts/demo and scripts/test: find a Python, make a virtual environment, install dlcnb into it.
# Source it with $root set to the checkout.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# With -h or --help as the first argument: print what stands on top of the script, and end.
help_asked() {
    case ${1:-} in
    -h | --help)
        sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0"
        exit
        ;;
    esac
}

# Run as root: directly, with sudo if it asks no password, else not at all.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_updated=
apt_install() { # packages: install them where apt-get and root are at hand
    command -v apt-get >/dev/null || return 1
    if [ -z "$apt_updated" ]; then
        as_root apt-get update -qq >&2 || return 1
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Is this command a Python of that version (minor; "" = any that dlcnb runs on)?
is_python() {
    "$1" -c "import sys; sys.exit(not (sys.version_info[0] == 3 and \
        (str(sys.version_info[1]) == '$2' if '$2' else 10 <= sys.version_info[1] <= 13)))" 2>/dev/null
}

find_python() { # minors, preferred first: print the first Python there is
    local minor candidate
    if [ -n "${DLCNB_PYTHON:-}" ]; then
        is_python "$DLCNB_PYTHON" "" || fail "DLCNB_PYTHON=$DLCNB_PYTHON is not a Python 3.10 to 3.13."
        printf '%s\n' "$DLCNB_PYTHON"
        return
    fi
    for minor in "$@"; do
        for candidate in "python3.$minor" "/usr/bin/python3.$minor" "${HOME:-}/.pyenv/versions/3.$minor".*/bin/python python3 python; do
            if is_python "$candidate" "$minor"; then
                command -v "$candidate"
                return
            fi
        done
    done
    return 1
}

minor_of() { "$1" -c 'import sys; print(sys.version_info[1])'; }

make_venv() { # folder python: an environment with pip, by whatever this machine has for it
    local venv=$1 python=$2
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 \
        && [ "$(minor_of "$venv/bin/python")" = "$(minor_of "$python")" ]; then
        return # made before
    fi
    rm -rf "$venv"
    if [ -n "${uv:-}" ] && "$uv" venv --quiet --seed --python "$python" "$venv"; then return; fi
    rm -rf "$venv"
    if "$python" -m venv "$venv" >/dev/null 2>&1; then return; fi
    rm -rf "$venv"
    if command -v uv >/dev/null && uv venv --quiet --seed --python "$python" "$venv"; then return; fi
    if "$python" -m virtualenv --quiet "$venv" 2>/dev/null; then return; fi
    rm -rf "$venv"
    if apt_install "python3.$(minor_of "$python")-venv" && "$python" -m venv "$venv"; then return; fi
    fail "$python cannot make virtual environments. Install its venv module (Debian, Ubuntu: apt install python3-venv)."
}

# MXNet's wheel wants libgomp and libquadmath from the system. Where they are missing, the copies in other wheels serve.
complete_mxnet() { # venv
    "$1/bin/python" - <<'PYTHON'
import ctypes
import importlib.util
import platform
from pathlib import Path

spec = importlib.util.find_spec("mxnet")
if spec and platform.system() == "Linux":
    home = Path(spec.origin).parent
    wanted = {"libgomp.so.1": "libgomp*.so*", "libquadmath.so.0": "libquadmath*.so*"}
    if platform.machine() != "x86_64":
        del wanted["libquadmath.so.0"]
    for name, pattern in wanted.items():
        try:
            ctypes.CDLL(name)
        except OSError:
            for copy in sorted(home.parent.glob(f"*.libs/{pattern}")):
                (home / name).unlink(missing_ok=True)
                (home / name).symlink_to(copy)
                break
PYTHON
}

ticking() { # words, command with its arguments: run it, and tell every 10 s for how long it has run
    local words=$1 began=$SECONDS ticker status=0
    shift
    (while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do say "  $words: $((SECONDS - began)) s ..."; done) &
    ticker=$!
    "$@" || status=$?
    kill "$ticker" 2>/dev/null || true
    return "$status"
}

pip_into() { # venv, pip arguments: by uv if $uv names one, which takes a fifth of the time
    if [ -n "${uv:-}" ]; then
        if ticking "installing" "$uv" pip install --quiet --python "$1/bin/python" "${@:2}"; then return; fi
        say "uv could not install that; now pip tries."
    fi
    ticking "installing" "$1/bin/python" -m pip --disable-pip-version-check install -qq "${@:2}"
}

# Install this checkout with extras ("[lab]", "[test]"). Python 3.13 has no NumPy that MXNet's wheel accepts, so there
# MXNet goes in without its dependencies; dlcnb carries it through NumPy 2.
install_dlcnb() { # venv extra
    local venv=$1 extra=$2 minor constraints
    minor=$(minor_of "$venv/bin/python")
    constraints=()
    if [ -f "$root/scripts/constraints-3.$minor.txt" ]; then
        constraints=(--constraint "$root/scripts/constraints-3.$minor.txt")
    fi
    pip_into "$venv" ${constraints[@]+"${constraints[@]}"} "$root$extra"
    if [ "$minor" = 13 ]; then
        pip_into "$venv" --no-deps mxnet==1.9.1 graphviz==0.8.4
        pip_into "$venv" requests
    fi
    complete_mxnet "$venv"
}
