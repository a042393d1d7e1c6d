# offline.sh - for the scenarios of mcadmin without any agent: sourced, they find themselves in an empty
# directory of their own, which is removed at the end.  MCADMIN names the program.
set -u
MCADMIN=$(realpath "${MCADMIN:?MCADMIN must name the program}") || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1
umask 022
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() {
	failed=$((failed + 1))
	printf 'FAILED: %s\n' "$*"
	sed 's/^/    /' out err 2>/dev/null
}

# is WHAT FOUND EXPECTED
is() { if [ "$2" = "$3" ]; then ok; else bad "$1: found '$2', expected '$3'"; fi; }

# run CODE WHAT ARGUMENT...: mcadmin's exit code; its output is in out and err.
run() {
	local code=$1 what=$2
	shift 2
	"$MCADMIN" "$@" >out 2>err </dev/null
	is "$what: exit code" $? "$code"
}

# done_ WHAT ARGUMENT...: exit code 0, and nothing on stderr.
done_() {
	run 0 "$@"
	is "$1: nothing on standard error" "$(wc -c <err)" 0
}

# refused CODE PATTERN WHAT ARGUMENT...: nothing on stdout, one sentence on stderr (two lines where
# the usage is wrong: the second says where help is).
refused() {
	local code=$1 pattern=$2 lines=1
	shift 2
	run "$code" "$@"
	[ "$code" != 2 ] || lines=2
	is "$1: nothing on standard output" "$(wc -c <out)" 0
	is "$1: lines on standard error" "$(wc -l <err)" "$lines"
	if grep -Eq -- "$pattern" err; then ok; else bad "$1: no '$pattern' in what it says"; fi
}

says() { # WHAT PATTERN
	if grep -Eq -- "$2" out; then ok; else bad "$1: no '$2' in what it says"; fi
}

narrow() { # WHAT: fits a terminal
	is "$1: lines over 80 columns" "$(awk 'length > 80' out | wc -l)" 0
}

same() { # WHAT FILE FILE
	if cmp -s "$2" "$3"; then ok; else bad "$1: $2 and $3 differ"; fi
}
lines() { wc -l <"$1"; }

# The last line of such a scenario: how it went.
end() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}
