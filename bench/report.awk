# report.awk: reads results.tsv (lines of bench/measure) and prints RESULTS.md (page=1), or what a terminal shows of one row (page=0).
# order: the rows to print.
BEGIN { FS = "\t" }
$2 == "row" { known[$1] = 1; day[$1] = $3; rounds[$1] = $4; scale[$1] = $5; title[$1] = $6 }
$2 == "target" { target[$1, ++targets[$1]] = $3 }
$2 == "machine" { machine[$1] = $3; if (day[$1] >= last_day) { last_day = day[$1]; last_machine = $3 } }
$2 == "value" {
	key = $1 SUBSEP $3 SUBSEP $4
	if (!(($1, $3) in contender_at)) {
		contender_at[$1, $3] = ++contenders[$1]
		contender[$1, contenders[$1]] = $3
	}
	if (!(key in unit)) {
		figure[$1, $3, ++figures[$1, $3]] = $4
		unit[key] = $5
	}
	value[key, $6] = $7
	if ($6 > turns[key])
		turns[key] = $6
}

# spread(LIST, N): low, middle and high of the numbers list[1..n].
function spread(list, n,   i, j, t) {
	for (i = 2; i <= n; i++) {
		t = list[i]
		for (j = i - 1; j >= 1 && list[j] > t; j--)
			list[j + 1] = list[j]
		list[j + 1] = t
	}
	low = list[1]
	high = list[n]
	middle = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function spread_of(key,   i, n, list) {
	for (i = 1; i <= turns[key]; i++)
		if ((key, i) in value)
			list[++n] = value[key, i] + 0
	spread(list, n)
}
function spread_of_ratio(over, under,   i, n, list) {
	for (i = 1; i <= turns[over]; i++)
		if ((over, i) in value && (under, i) in value && value[under, i] + 0 != 0)
			list[++n] = value[over, i] / value[under, i]
	spread(list, n)
	return n
}
# number(X): three digits that count, thousands set apart.
function number(x,   text, head) {
	if (x < 0)
		return "-" number(-x)
	if (x >= 99.95) {
		text = sprintf("%.0f", x)
		for (head = ""; length(text) > 3; text = substr(text, 1, length(text) - 3))
			head = "," substr(text, length(text) - 2) head
		return text head
	}
	if (x >= 9.995)
		return sprintf("%.1f", x)
	return x == int(x) ? sprintf("%d", x) : sprintf(x >= 0.0995 ? "%.2f" : "%.2g", x)
}
function range() { return low == high ? "" : " (" number(low) "–" number(high) ")" }
function shown(text) { gsub(/_/, " ", text); return text }

# operand(ROW, TEXT, CONTENDER, FIGURE): the key that [CONTENDER:]FIGURE names, with these where it says nothing.
function operand(row, text, who, what,   colon) {
	colon = index(text, ":")
	if (colon) {
		who = substr(text, 1, colon - 1)
		what = substr(text, colon + 1)
	} else if (what == "")
		what = text
	else
		who = text
	if (!((row, who, what) in unit))
		broken = "no figure " who ":" what
	return row SUBSEP who SUBSEP what
}
# judge(ROW, TEXT): sets ours, theirs, ratio, wanted, verdict.
function judge(row, text,   word, n, left, right, at, bound, part) {
	broken = name = ours = theirs = ratio = ""
	n = split(text, word, / +/)
	left = operand(row, word[1], contender[row, 1], "")
	at = word[2] == "/" ? 4 : 2
	if (word[at] != ">=" && word[at] != "<=" || n < at + 1)
		broken = "not a target: " text
	if (!broken && at == 4) {
		split(left, part, SUBSEP)
		right = operand(row, word[3], contender[row, 1], part[3])
	}
	bound = word[at + 1]
	wanted = (word[at] == ">=" ? "≥ " : "≤ ") bound (at == 4 ? " ×" : "") (n > at + 1 ? " " word[at + 2] : "")
	if (!broken && n > at + 1 && (at == 4 || word[at + 2] != unit[left]))
		broken = "the unit is another: " text
	if (broken) {
		faulty = 1
		verdict = "**" broken "**"
		return
	}
	split(left, part, SUBSEP)
	name = shown(part[3])
	spread_of(left)
	ours = (part[2] == contender[row, 1] ? "" : shown(part[2]) ": ") number(middle) " " unit[left] range()
	if (at == 4) {
		split(right, part, SUBSEP)
		spread_of(right)
		theirs = (part[2] == contender[row, 1] ? "" : shown(part[2]) ": ") (shown(part[3]) == name ? "" : shown(part[3]) " ") number(middle) " " unit[right] range()
		spread_of_ratio(left, right)
		ratio = number(middle) " ×" range()
	}
	verdict = (word[at] == ">=" ? middle >= bound : middle <= bound) ? "met" : "**missed**"
}

function table_row(row,   i) {
	for (i = 1; i <= targets[row]; i++) {
		judge(row, target[row, i])
		printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", i == 1 ? "[" row "](#" row ")" : "", i == 1 ? opened(title[row]) : "", name, ours, theirs, ratio, wanted, verdict
	}
}
function opened(text) { return toupper(substr(text, 1, 1)) substr(text, 2) }
# A row without targets tells of the machine: a sentence above the table.
function sentence(row,   who, j, key) {
	who = contender[row, 1]
	printf "%s (`%s`): ", opened(title[row]), row
	for (j = 1; j <= figures[row, who]; j++) {
		key = row SUBSEP who SUBSEP figure[row, who, j]
		spread_of(key)
		printf "%s%s %s %s", j != 1 ? ", " : "", shown(figure[row, who, j]), number(middle), unit[key]
	}
	print ".\n"
}
function details(row,   i, j, key, who, line, file) {
	printf "\n### %s\n\n%s. `bench/run %s`, %s, %d round%s%s.\n", row, opened(title[row]), row, day[row], rounds[row], rounds[row] == 1 ? "" : "s", \
		machine[row] == last_machine ? "" : ", on " machine[row]
	print "\n| | figure | median | lowest | highest |\n|---|---|---|---|---|"
	for (i = 1; i <= contenders[row]; i++) {
		who = contender[row, i]
		for (j = 1; j <= figures[row, who]; j++) {
			key = row SUBSEP who SUBSEP figure[row, who, j]
			spread_of(key)
			printf "| %s | %s | %s %s | %s | %s |\n", j == 1 ? shown(who) : "", shown(figure[row, who, j]), number(middle), unit[key], number(low), number(high)
		}
	}
	file = "bench/rows/" row ".md"
	for (i = 0; (getline line < file) > 0; i++)
		print i ? line : "\n" line
	close(file)
}

END {
	n = split(order, row, " ")
	if (!page) {
		for (i = 1; i <= n; i++)
			for (j = 1; j <= targets[row[i]]; j++) {
				judge(row[i], target[row[i], j])
				if (broken) {
					print "   " broken
					continue
				}
				printf "   %s: %s%s%s, to reach %s: %s\n", name, ours, theirs ? " to " theirs : "", ratio ? ": " ratio : "", wanted, verdict
			}
		exit faulty # the row's own fault: it says what can't be judged
	}
	print "# How fast, how much memory\n"
	print "Made by `make bench` (`bench/run`, see [README.md](README.md)). Each row measures the program and its peers in turn, on the same disk and against the same"
	print "servers; figures are medians of the rounds, in brackets the lowest and the highest. A ratio is taken within each round. Absolute figures belong to"
	print "the machine; ratios hold better.\n"
	print "Machine: " last_machine ". " last_day ".\n"
	for (i = 1; i <= n; i++)
		if (known[row[i]] && !targets[row[i]])
			sentence(row[i])
	for (i = 1; i <= n; i++)
		if (known[row[i]] && scale[row[i]] != 1) {
			print "**A trial: amounts divided by " scale[row[i]] ". Its verdicts mean little.**\n"
			break
		}
	for (i = 1; i <= n; i++)
		for (j = 1; j <= targets[row[i]]; j++) {
			judge(row[i], target[row[i], j])
			all++
			met += verdict == "met"
		}
	print met + 0 " of " all + 0 " targets are met. What holds those that are not, and what was tried, stands below, row by row.\n"
	print "| row | work | figure | ours | beside it | ratio | to reach | |\n|---|---|---|---|---|---|---|---|"
	for (i = 1; i <= n; i++)
		if (known[row[i]])
			table_row(row[i])
	print "\n## Row by row"
	for (i = 1; i <= n; i++)
		if (known[row[i]])
			details(row[i])
}
