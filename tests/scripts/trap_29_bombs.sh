#!/bin/bash
# Resource bombs: mails of 20 MiB in every bad shape, archives and documents that swell, form files without end. Each is read by its child under the very limits of the
# product's (256 MiB and 2 s for a mail), and ends in an answer. What it took is printed; the bounds are held by the child's own limits, not by a clock of this test.
# SENGEN_BOMBS=all: all 120 of tests/peers/bombs.py; else one of each kind.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
some='large_text nested_multiparts same_boundary nested_messages parts_100000 headers_100000 header_line subject_words addresses base64_line soft_breaks uuencode_begins
	escapes html html_quotes regex_dashes parameters_same docx_zeros docx_entries docx_overlapping docx_wrong_sizes docx_laughs docx_external docx_cells docx_deep docx_attribute
	docx_many zip_nested zip_quine zip_zeros_small csv_line csv_columns csv_rows json_objects json_lines_open'
[ "${SENGEN_BOMBS:-}" != all ] || some=$(/usr/bin/python3 tests/peers/bombs.py list)
[ -x "$build/tests/peers/bomb_reader" ] || make -s BUILD="${SENGEN_BUILD:-build}" "${SENGEN_BUILD:-build}/tests/peers/bomb_reader"
# One at a time on the disk.
for name in $some; do
	/usr/bin/python3 tests/peers/bombs.py write "$dir" "$name" | "$build/tests/peers/bomb_reader" 2>/dev/null >>"$dir/answers" || fail "$name ended its reader's parent"
	rm -f "$dir/$name".*
done
/usr/bin/python3 - "$dir/answers" <<'END'
import sys
worst = [0.0, 0]
for line in open(sys.argv[1]):
    name, seconds, mib, signal, answer = line.rstrip("\n").split(" ", 4)
    print(f"figure: bomb {name}: {seconds} s, {mib} MiB: {answer}" + (f" (ended by signal {signal})" if signal != "0" else ""))
    mail = name.endswith(".eml")
    words = answer.split(":")[0].split(" ")[0]
    # A mail that its reader could not finish goes to staff as one whose reader failed; anything else must say so itself. None is carried out.
    if words not in (("review", "refused", "none") if mail else ("read", "refused")):
        sys.exit(f"{name}: {answer}")
    if mail and words == "none" and signal == "0":
        sys.exit(f"{name}: its reader ended without an answer")
    if words == "refused" and not mail and len(answer.split(" ", 1)) < 2:
        sys.exit(f"{name}: refused without a word for staff")
END
