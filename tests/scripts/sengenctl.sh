#!/bin/bash
# Every command of sengenctl against a running daemon.
set -eu
exec /usr/bin/python3 "$(dirname "$0")/sengenctl.py"
