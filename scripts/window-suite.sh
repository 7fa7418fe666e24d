#!/bin/bash
# The window suite: the real `sotto` under Xvfb, driven by its accessibility tree and the keyboard.
# What it saw is kept as pictures in TARGET/window-suite. Ends only what it started.
set -eu
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export SOTTO_PYTHON=${SOTTO_PYTHON:-$target/live-venv/bin/python}
pictures=$target/window-suite
mkdir -p "$pictures"
pids=""
lab=""
finish() {
  # The server ends by itself when it reads a line; killed, it would leave Prosody behind.
  if [ -n "$lab" ]; then printf '\n' >&9 || true; wait "$lab" || true; fi
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
work=$(mktemp -d)
trap finish EXIT

cargo build --locked -p sotto -p sotto-cli -p sotto-live

# A server with the accounts sara and leila; it ends when its input does.
mkfifo "$work/hold"
exec 9<>"$work/hold"
"$target/debug/sotto-live" lab <"$work/hold" >"$work/lab" 2>&1 &
lab=$!
for _ in $(seq 300); do
  grep -q 'SSL_CERT_FILE=' "$work/lab" && break
  read -r -t 0.1 <>"$work/hold" || true
done
port=$(sed -n 's/.*port \([0-9]*\)\..*/\1/p' "$work/lab")
domain=$(sed -n 's/^ *leila@//p' "$work/lab")
password=$(sed -n 's/.*(password: \(.*\)).*/\1/p' "$work/lab")
ca=$(sed -n 's/.*SSL_CERT_FILE=//p' "$work/lab")
[ -n "$port" ] && [ -n "$domain" ] && [ -n "$ca" ] || { echo "the server did not start:"; cat "$work/lab"; exit 1; }

# A screen of its own; Xvfb picks a free number, and does not begin anew when its last client goes.
mkfifo "$work/display"
exec 8<>"$work/display"
Xvfb -displayfd 8 -screen 0 1280x800x24 -nolisten tcp -noreset >/dev/null 2>&1 &
pids="$pids $!"
read -r -t 20 number <&8
export DISPLAY=:$number
for _ in $(seq 100); do
  xdotool getmouselocation >/dev/null 2>&1 && break
  read -r -t 0.1 <>"$work/hold" || true
done
export SSL_CERT_FILE=$ca SOTTO_KEYRING=off SOTTO_RENDERER=software LANG=C.UTF-8 NO_AT_BRIDGE=0
unset WAYLAND_DISPLAY

dbus-run-session -- sh -eu -c '
  dbus-send --session --print-reply --dest=org.a11y.Bus /org/a11y/bus org.freedesktop.DBus.Properties.Set \
    string:org.a11y.Status string:IsEnabled variant:boolean:true >/dev/null
  exec /usr/bin/python3 testing/window/suite.py "$@"
' suite --sotto "$target/debug/sotto" --cli "$target/debug/sotto-cli" --python "$SOTTO_PYTHON" --ca "$ca" --host 127.0.0.1 --port "$port" \
  --domain "$domain" --password "$password" --pictures "$pictures"
