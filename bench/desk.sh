#!/bin/bash
# desk.sh [DECLARATIONS]: what staff wait for on a register of so many (default 100,000): medians of search, why and status, start included; beside them SQLite's own FTS5 over
# the names alone, cut into pairs of characters (detail=none) as our index is. SENGEN_BIG=CONFIG measures a register that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
build=$(cd "${SENGEN_BUILD:-build}" && pwd)
top=$PWD
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/sengen-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
conf=${SENGEN_BIG:-$dir/sengend.conf}
if [ -z "${SENGEN_BIG:-}" ]; then
	mkdir "$dir/state" "$dir/spool" "$dir/run"
	echo 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f >"$dir/key"
	echo Sample-Zip-77 >"$dir/logo"
	chmod 600 "$dir/key" "$dir/logo"
	cat >"$conf" <<CONF
state_directory = "state"; spool_directory = "spool"; runtime_directory = "run"; template_directory = "$top/templates/mail";
profile_files = ( "$top/config/profiles/form.conf" ); credential_key_from = "key";
logo = ( { star = 1; url = "https://www.ipa.go.jp/files/star1.zip"; password_from = "logo"; },
         { star = 2; url = "https://www.ipa.go.jp/files/star2.zip"; password_from = "logo"; } );
CONF
	"$build/tests/peers/fill" "$conf" "$count" 2>/dev/null
fi
"$build/sengenctl" -c "$conf" list --json >"$dir/list.json"
/usr/bin/python3 - "$build/sengenctl" "$conf" "$dir" <<'PY'
import json, os, resource, sqlite3, statistics, subprocess, sys, time
ctl, conf, work = sys.argv[1:]

def measure(name, command):
    wall, cpu = [], []
    for _ in range(21):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - begun)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print("figure: %-44s %6.1f ms, of which processor %6.1f ms" % (name, statistics.median(wall) * 1e3, statistics.median(cpu) * 1e3))

fts = os.path.join(work, "fts.db")
db = sqlite3.connect(fts)
db.execute("CREATE VIRTUAL TABLE name USING fts5 (grams, content = '', detail = none, tokenize = \"unicode61 remove_diacritics 0\")")
begun, rows = time.perf_counter(), 0
for line in open(os.path.join(work, "list.json"), encoding="utf-8"):
    row = json.loads(line)
    name = row["business_name"] or ""
    db.execute("INSERT INTO name (rowid, grams) VALUES (?, ?)", (row["application"], " ".join(name[i:i + 2] for i in range(len(name) - 1))))
    rows += 1
db.commit()
print("figure: FTS5 over %d names: %.1f us and %.0f bytes a name" % (rows, (time.perf_counter() - begun) / rows * 1e6, os.path.getsize(fts) / rows))
db.close()

def pairs(text):
    return " AND ".join('"%s"' % word[i:i + 2] for word in text.split() for i in range(len(word) - 1))

for text in ("山田", "東京", "株式会社", "髙橋 建設", "株式会社 有限会社", "サンライズ第一システムズ"):
    measure("search " + text, [ctl, "-c", conf, "search", text])
    measure("  sqlite3, FTS5: " + text, ["sqlite3", fts, "SELECT rowid FROM name WHERE name MATCH '%s' ORDER BY rowid DESC LIMIT 21" % pairs(text)])
for words in (["search", "03-1234-5678"], ["search", "info@s123.example.co.jp"], ["why", "500"], ["status"], ["--version"]):
    measure(" ".join(words), [ctl, "-c", conf] + words)
PY
