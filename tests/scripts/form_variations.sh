#!/bin/sh
# Form files in thousands of variations against what must come of each; and how check-form answers its callers.
set -eu
exec /usr/bin/python3 "$(dirname "$0")/check_variations.py"
