#!/bin/sh
# Brings the system packages that Sotto needs on Debian 12.
#
#   scripts/setup.sh build          what a build and a window need
#   scripts/setup.sh build test     and the servers and tools that the tests need
#
# Missing packages are installed as root or with sudo. Where neither is possible, the exact command is printed and
# nothing else happens. Services that a package brings are not started: the tests start their own.
set -eu

build_packages="build-essential pkg-config libssl-dev libfontconfig-dev
  libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libegl1 libgl1 fonts-dejavu-core"
test_packages="prosody prosody-modules lua-dbi-sqlite3 ejabberd erlang-base erlang-p1-sqlite3 python3 python3-venv openssl procps
  xvfb xdotool x11-utils imagemagick openbox dbus at-spi2-core gir1.2-atspi-2.0 python3-gi
  libotr5-dev libgcrypt20-dev python3-potr profanity tmux tcpdump"

wanted=""
for what in "$@"; do
  case "$what" in
    build) wanted="$wanted $build_packages" ;;
    test) wanted="$wanted $test_packages" ;;
    *) echo "usage: $0 build [test]" >&2; exit 2 ;;
  esac
done

if ! command -v cargo >/dev/null 2>&1; then
  echo "Rust is missing. Install it from https://rustup.rs and try again." >&2
  exit 1
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This is not a Debian system; make sure that it has what these packages bring:$wanted" >&2
  exit 0
fi

missing=""
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  as_root="sudo"
else
  echo "These system packages are missing. As root, run:" >&2
  echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
  exit 1
fi

echo "Installing:$missing"
# While this file stands, packages do not start their services (Debian policy 9.3.3.1).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
  trap '$as_root rm -f "$policy"' EXIT INT TERM
fi
before=" $(pgrep -x epmd 2>/dev/null | tr '\n' ' ' || true)"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086  # a list of words
$as_root apt-get install -q -y --no-install-recommends $missing
# ejabberd's installation leaves an Erlang port mapper behind, open to the network.
for pid in $(pgrep -x epmd 2>/dev/null || true); do
  case "$before" in
    *" $pid "*) ;;
    *) $as_root kill "$pid" 2>/dev/null || true ;;
  esac
done
