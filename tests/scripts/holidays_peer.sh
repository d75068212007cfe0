#!/bin/bash
# The computed holidays against Debian's python3-holidays (the distribution's own python has it).
set -eu
cd "$(dirname "$0")/../.."
[ -x "$SENGEN_BUILD/tests/unit/test_calendar" ] || make -s BUILD="$SENGEN_BUILD" "$SENGEN_BUILD/tests/unit/test_calendar"
exec /usr/bin/python3 tests/scripts/holidays_peer.py
