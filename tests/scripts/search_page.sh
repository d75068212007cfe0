#!/bin/bash
# The public lists of a few thousand declarations: the search page in a browser, the PDF read back.
set -eu
cd "$(dirname "$0")/../.."
build=${SENGEN_BUILD:-build}
work=$(mktemp -d /tmp/sengen-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/state" "$work/spool" "$work/run"
openssl rand -hex 32 > "$work/key"
echo Sample-Zip-77 > "$work/logo"
chmod 600 "$work/key" "$work/logo"
cat > "$work/sengend.conf" <<CONF
state_directory = "state"; spool_directory = "spool"; runtime_directory = "run";
contact_mail = "office@example.jp"; bounce_mail = "bounce@example.jp"; credential_key_from = "key";
logo = ( { star = 1; url = "https://www.ipa.go.jp/files/star1.zip"; password_from = "logo"; },
         { star = 2; url = "https://www.ipa.go.jp/files/star2.zip"; password_from = "logo"; } );
template_directory = "$PWD/templates/mail";
profile_files = ( "$PWD/config/profiles/form.conf", "$PWD/config/profiles/site.conf", "$PWD/config/profiles/instant.conf" );
CONF
"$build/tests/peers/fill" "$work/sengend.conf" 6000 > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
lists=$work/public
"$build/sengenctl" -c "$work/sengend.conf" publish "$lists" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
grep -q 'in the history' "$work/log" || { echo "without a daemon it must say that nothing was recorded"; exit 1; }
python3 tests/scripts/search_page.py "$lists" "$work" "$build/tests/peers/keys"

# The PDF says what the CSV says: pages, heads, bookmarks, a name of each prefecture.
pdftotext -layout "$lists/declarations.pdf" "$work/pdf.txt"
pages=$(pdfinfo "$lists/declarations.pdf" | sed -n 's/^Pages: *//p')
grep -q "1 / ${pages}ページ" "$work/pdf.txt" || { echo "no page says 1 / $pages"; exit 1; }
[ "$(grep -c '宣言の内容' "$work/pdf.txt")" = "$pages" ] || { echo "not every page has its heads"; exit 1; }
rows=$(($(wc -l < "$lists/declarations.csv") - 1))
[ "$(grep -c '★[★一].*[0-9]$' "$work/pdf.txt")" = "$rows" ] || { echo "the PDF has not the $rows rows of the CSV"; exit 1; }
while IFS=, read -r name prefecture _; do
	grep -qF "$name" "$work/pdf.txt" || { echo "$name ($prefecture) is not in the PDF"; exit 1; }
done < <(sed -n '2~97p' "$lists/declarations.csv")
echo "figure: $rows declarations, $pages pages; page $(du -sh "$lists"/data-* | cut -f1)"
