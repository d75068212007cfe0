title="on 1,000,000 declarations, the median of 21 calls, start included: search by two characters, by a whole name, by mail address and by telephone, why, status; beside the sqlite3 shell with matching indices (FTS5 over pairs of characters; for why and status the register itself)"
contenders="sengen sqlite"
targets="search_two <= 20 ms
search_name <= 20 ms
search_mail <= 20 ms
search_telephone <= 20 ms
why <= 20 ms
status <= 20 ms
search_two / sqlite <= 4
search_name / sqlite <= 4
search_mail / sqlite <= 4
search_telephone / sqlite <= 4
why / sqlite <= 4
status / sqlite <= 4"

prepare() {
	need_program sqlite3 python3
	need_space 8000
	count=$(scaled 1000000)
	register=$(filled "$count")
	number=$((count / 2))
	"$build/sengenctl" -c "$register/sengend.conf" export --columns application,business_name,mail,telephone "$dir/all.csv"
	python3 bench/peers/desk.py base "$dir/all.csv" "$dir/peer.db"
	IFS='|' read -r name mail telephone < <(sqlite3 "$dir/peer.db" "SELECT name, mail, telephone FROM application WHERE id = $number")
	two=${name: -2}
}
ask() {
	local what=$1
	shift
	python3 bench/peers/desk.py measure "$what" "$@"
}
# pairs TEXT: as FTS5 is asked for all its pairs of characters.
pairs() {
	local i out=
	for ((i = 0; i < ${#1} - 1; i++)); do out="$out \"${1:i:2}\""; done
	echo "$out"
}

run_sengen() {
	local ctl=("$build/sengenctl" -c "$register/sengend.conf")
	ask search_two "${ctl[@]}" search "$two"
	ask search_name "${ctl[@]}" search "$name"
	ask search_mail "${ctl[@]}" search "$mail"
	ask search_telephone "${ctl[@]}" search "$telephone"
	ask why "${ctl[@]}" why "$number"
	ask status "${ctl[@]}" status
}
run_sqlite() {
	local peer=(sqlite3 -readonly "$dir/peer.db") own=(sqlite3 -readonly "$register/state/register.db")
	local found="SELECT * FROM application WHERE id IN (SELECT rowid FROM name WHERE name MATCH '%s' ORDER BY rowid DESC LIMIT 21) ORDER BY id DESC"
	# shellcheck disable=SC2059
	ask search_two "${peer[@]}" "$(printf "$found" "$(pairs "$two")")"
	# shellcheck disable=SC2059
	ask search_name "${peer[@]}" "$(printf "$found" "$(pairs "$name")")"
	ask search_mail "${peer[@]}" "SELECT * FROM application WHERE mail = '$mail' ORDER BY id DESC LIMIT 21"
	ask search_telephone "${peer[@]}" "SELECT * FROM application WHERE telephone = '$telephone' ORDER BY id DESC LIMIT 21"
	ask why "${own[@]}" "SELECT * FROM application WHERE id = $number; SELECT * FROM outbox WHERE application_id = $number; SELECT * FROM history WHERE application_id = $number"
	ask status "${own[@]}" "SELECT * FROM standing; SELECT min(due_at) FROM application WHERE due_at IS NOT NULL; SELECT max(seq) FROM history"
}
