#!/bin/sh
# Makes the Python environment of the scripted peer: scripts/live-venv.sh FOLDER
set -eu
folder=$1
here=$(cd "$(dirname "$0")/.." && pwd)
wanted="$here/testing/live/requirements.txt"
if [ -x "$folder/bin/python" ] && cmp -s "$wanted" "$folder/requirements.txt" &&
  "$folder/bin/python" -c 'import slixmpp, potr' 2>/dev/null; then
  exit 0
fi
rm -rf "$folder"
# potr comes with the system: the one in the registry does not build.
/usr/bin/python3 -m venv --system-site-packages "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
"$folder/bin/python" -c 'import slixmpp, potr'
cp "$wanted" "$folder/requirements.txt"
