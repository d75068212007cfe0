#!/bin/bash
# Every sentence that sengenctl can print is there in Japanese, and the language follows the locale.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

xgettext --from-code=UTF-8 --no-wrap --no-location -k_ -kN_ -o "$work/all.pot" ctl/*.c lib/base/*.h lib/office/*.c lib/desk/*.c
msgmerge --quiet --no-fuzzy-matching --no-wrap -o "$work/ja.po" po/ja.po "$work/all.pot"
left=$(msgattrib --untranslated --no-wrap "$work/ja.po" | grep '^msgid "..*"' || true)
[ -z "$left" ] || { echo "not translated: $left"; exit 1; }
old=$(msgattrib --only-obsolete --no-wrap "$work/ja.po" | grep '^#~ msgid' || true)
[ -z "$old" ] || { echo "no longer used: $old"; exit 1; }

# What the system says of an error stands in English sentences: errno_text() (lib/base/err.h), which no LANGUAGE changes.
half=$(grep -rnE '[^_a-z](strerror|strerrordesc_np|strerror_r)\(' lib daemon ctl pdf --include='*.c' | grep -v '^lib/base/err.c:' || true)
[ -z "$half" ] || { echo "not through errno_text(): $half"; exit 1; }

ctl=${SENGEN_BUILD:-build}/sengenctl
# A machine without a Japanese locale still answers in Japanese where it is asked to.
LC_ALL=ja_JP.UTF-8 "$ctl" --help | grep -q '^使い方' || { echo "no Japanese help"; exit 1; }
LC_ALL=C "$ctl" --help | grep -q '^usage:' || { echo "no English help"; exit 1; }
