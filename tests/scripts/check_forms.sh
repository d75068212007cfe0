#!/bin/sh
# Sample forms against their truth.
set -eu
exec /usr/bin/python3 "$(dirname "$0")/check_forms.py"
