# shellcheck shell=bash
# terminal.sh - a real terminal (tmux), typed into and looked at.  Sourced behind lab.sh.
#
# Each terminal has a tmux server of its own: one that was told to end is not gone at once.

TERMINALS=0

term() { tmux -S "$LAB/tmux.$TERMINALS" "$@"; }
# term_start COLUMNS ROWS COMMAND...: a terminal of that size with a shell, whose prompt is `$ `, in the
# lab's directory.
term_start() {
	local columns=$1 rows=$2
	shift 2
	TERMINALS=$((TERMINALS + 1))
	term -f /dev/null new-session -d -x "$columns" -y "$rows" -c "$LAB" \
		env PATH="$BUILD:$PATH" PS1='$ ' HOME="$LAB" "$@" || fail "tmux does not start"
	LAB_BESIDE+=("$(term display-message -p '#{pid}')")
	term set -g status off >/dev/null
	see "a shell" '^\$'
}
term_end() { term kill-server 2>/dev/null || true; }
screen() { term capture-pane -p "$@"; }
shows() { screen | grep -Eq -- "$1"; }
# see WHAT PATTERN: it comes to stand on the screen.
see() {
	lab_until "$LAB_WAIT_S" shows "$2" || {
		screen >&2
		term_end
		fail "$1: no '$2' on the screen"
	}
	say "  ok: $1"
}
cleared() { [ "$(screen | grep -c .)" -le 1 ]; }
type_() { # WORDS: a command, on a screen that has nothing else
	term send-keys C-l
	lab_until "$LAB_WAIT_S" cleared || fail "the screen is not cleared"
	term send-keys -l "$1"
	term send-keys Enter
}
answer() { term send-keys -l "$1" && term send-keys Enter; }
