title="sengenctl inspect over 10,000 mails, a tenth with a form B-3 as a Word file, each in a confined child of its own; libetpan's bare parse beside an empty confined child a mail; python-docx over the Word files, warm"
contenders="sengen etpan python_docx"
targets="rate / etpan >= 0.5
docx / python_docx >= 20
memory <= 64 MiB"

prepare() {
	/usr/bin/python3 -c 'import docx' 2>/dev/null || not_here "needs python3-docx (tools/install-deps bench)"
	mails=$(scaled 10000)
	corpus mails "$dir/mails" "$mails"
	mkdir "$dir/docx"
	/usr/bin/python3 bench/peers/word.py --from "$dir/mails" "$dir/docx"
}
# All of them to one process.
of_mails() { find "$dir/mails" -type f -print0 | sort -z | xargs -0 -x -s 2000000 "$@"; }
run_sengen() {
	family_watch $$
	begun=$(clock)
	of_mails "$build/sengenctl" inspect --json >"$round_dir/readings"
	figure rate "$(per_second "$mails" "$begun")" mails/s
	figure memory "$(family_peak)" MiB
	[ "$(wc -l <"$round_dir/readings")" = "$mails" ] || fail "not every mail was read"
	"$peers/docx" 20 "$dir"/docx/*.docx
}
run_etpan() { of_mails "$peers/parse" 0; }
run_python_docx() { /usr/bin/python3 bench/peers/word.py 2 "$dir"/docx/*.docx; }
