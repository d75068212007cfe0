#!/bin/bash
# What `sengenctl completion bash` prints completes commands, second words, options, their values and files, in a bash that has nothing else.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

work=$dir
touch "$work/forms 1.csv" "$work/forms2.csv"
"$build/sengenctl" completion bash > "$work/completion"
bash -n "$work/completion"

cat > "$work/ask" <<'ASK'
# ask WORD... : what the last word is completed to; '=' parts words as readline does it
. "$1/completion"
shift
COMP_WORDS=(sengenctl)
for word in "$@"; do
	case $word in
	--*=*) COMP_WORDS+=("${word%%=*}" =); [ -z "${word#*=}" ] || COMP_WORDS+=("${word#*=}") ;;
	*) COMP_WORDS+=("$word") ;;
	esac
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
word=${COMP_WORDS[COMP_CWORD]}
[ "$word" != = ] || word=
_sengenctl sengenctl "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' '|'
ASK

expect() { # ANSWER WORD...
	local wanted=$1 said
	shift
	said=$(cd "$work" && bash --norc "$work/ask" "$work" "$@")
	[ "$said" = "$wanted" ] || fail "completion of '$*': '$said', expected '$wanted'"
}

expect 'status|' sta
expect 'hold|' -c x.conf ho
expect 'list|resolve|show|' review ''
expect 'resolve|' review r
expect '--overdue|' list --ov
expect 'received|rejected|' list --state re
expect 'received|rejected|' list --state=re
expect 'review|' requests --state rev
expect 'stop-request|' --json requests --kind st
expect 'logo|' resend 12 l
expect '' resend l
expect 'carry-out|close|' review resolve 3 c
expect 'forms2.csv|' import forms2
expect 'forms 1.csv|forms2.csv|' check-form fo
expect 'forms 1.csv|forms2.csv|' check-form --registry forms2.csv forms2.csv fo
expect '--version|' --v
expect 'bash|' completion ''
expect '--reason|--restored|' release --re

# Every command of the help is there, and so is every option of it.
LC_ALL=C.UTF-8 "$build/sengenctl" --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' > "$work/commands"
[ -s "$work/commands" ] || fail "no commands in the help"
while read -r first second; do
	said=$(bash --norc "$work/ask" "$work" ${second:+"$first"} "${second:-$first}")
	case "|$said" in *"|${second:-$first}|"*) ;; *) fail "$first $second is not completed: $said" ;; esac
	for option in $(LC_ALL=C.UTF-8 "$build/sengenctl" $first $second --help | grep -o '^  --[a-z-]*'); do
		said=$(bash --norc "$work/ask" "$work" "$first" ${second:+"$second"} "$option")
		case "|$said" in *"|$option|"*) ;; *) fail "$first $second $option is not completed: $said" ;; esac
	done
done < "$work/commands"
echo "figure: $(wc -l < "$work/commands") commands completed"
