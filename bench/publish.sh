#!/bin/bash
# bench/publish.sh CONFIG DIRECTORY: the public lists of a large register (tests/peers/fill), each form by itself: time, memory, size.
set -eu
build=${SENGEN_BUILD:-build}
for form in csv html pdf; do
	/usr/bin/time -f "$form: %e s, %U s of it in the program, %M KiB" "$build/sengenctl" -c "$1" publish "$2" --$form 2>&1 | grep -v 'in the history'
done
ls -l "$2"/declarations.*
du -sh "$2"/data-* | tail -1
