#!/bin/sh
# Builds the libotr driver: testing/live/otr/build.sh PROGRAM
set -eu
program=$1
source=$(cd "$(dirname "$0")" && pwd)/libotr_driver.c
if [ -x "$program" ] && [ "$program" -nt "$source" ]; then
  exit 0
fi
mkdir -p "$(dirname "$program")"
# shellcheck disable=SC2046  # lists of words
cc -std=gnu11 -O2 -Wall -Wextra -Werror $(pkg-config --cflags libotr) -o "$program.new" "$source" \
  $(pkg-config --libs libotr) -lgcrypt
mv "$program.new" "$program"
