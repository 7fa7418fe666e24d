#!/bin/sh
# Licences, bans and sources of everything that is linked, and known advisories: scripts/deny.sh TARGET_FOLDER
#
# The advisories need a database from the network. Where it cannot be fetched, that is said and the rest still counts.
set -eu
target=$1
if command -v cargo-deny >/dev/null 2>&1; then
  deny=cargo-deny
else
  deny="$target/tools/bin/cargo-deny"
  if [ ! -x "$deny" ]; then
    echo "cargo-deny is missing; building it once into $target/tools"
    # It runs for seconds: building it quickly matters more than its speed.
    CARGO_TARGET_DIR="$target/tools/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      cargo install --quiet --locked --root "$target/tools" cargo-deny@0.20.2
    rm -rf "$target/tools/build"
  fi
fi
"$deny" check licenses bans sources
if timeout 120 "$deny" fetch db >/dev/null 2>&1; then
  "$deny" check --disable-fetch advisories
  echo "advisories: checked against the database of today"
else
  echo "advisories: NOT CHECKED, their database could not be fetched"
fi
