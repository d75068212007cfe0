#!/bin/bash
# The example of a Samba share: Samba knows every word of it, and it keeps the owners of files apart.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
example=config/samba-share.conf.example
testparm=$(command -v testparm || echo /usr/bin/testparm)
printf '[global]\nworkgroup = OFFICE\ninclude = %s\n' "$PWD/$example" >"$dir/smb.conf"
"$testparm" -s --suppress-prompt "$dir/smb.conf" >"$dir/read" 2>"$dir/said" || fail "testparm: $(cat "$dir/said")"
lacks "$(cat "$dir/said")" 'nknown parameter' "what testparm says"
lacks "$(cat "$dir/said")" ERROR "what testparm says"
lacks "$(cat "$dir/said")" WARNING "what testparm says"
contains "$(cat "$dir/read")" '[sengen]' "the shares"

# value NAME: of the share, as Samba has it.
value() { "$testparm" -s --suppress-prompt --section-name=sengen --parameter-name="$1" "$dir/smb.conf" 2>/dev/null; }
while IFS='|' read -r name wanted; do
	equal "$(value "$name")" "$wanted" "$name"
done <<'LIST'
path|/var/spool/sengen
force user|
guest ok|No
inherit owner|no
create mask|0640
force create mode|0640
read only|No
oplocks|No
level2 oplocks|No
strict allocate|No
follow symlinks|No
valid users|@sengen-staff
LIST
# Nobody but its owner may write to a file that comes through the share.
[ $((8#$(value 'create mask') & 8#022)) = 0 ] || fail "create mask lets others write"
[ $((8#$(value 'force create mode') & 8#022)) = 0 ] || fail "force create mode lets others write"

# The directories are as the comments say.
for line in 'incoming 3770' 'accepted 2750' 'rejected 2750' 'templates 2750' 'report 2750' 'work 0700'; do
	set -- $line
	grep -Eq "^[dC] /var/spool/sengen/$1 +$2 sengen sengen-staff " systemd/tmpfiles.d/sengen.conf || fail "$1 is not $2 in tmpfiles.d"
	grep -q "$1.*" "$example" || fail "$1 is not explained"
done
grep -q 'incoming  *3770 ' "$example" || fail "the mode of incoming is not explained"
