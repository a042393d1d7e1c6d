#!/usr/bin/env bash
# A 32-bit client reads the segment of a 64-bit agent, settled and while keys move, and says the same
# of it as a 64-bit one, for whatever width its C library gives time and files.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

build() { # NAME FLAG...: the library and the program in one, as strictly as the tree itself
	local name=$1
	shift
	gcc -std=c17 -O2 -Wall -Wextra -Wshadow -Wconversion -Wvla -Werror -D_GNU_SOURCE \
		-I"$top/include" -I"$top/shmlib" "$@" -o "$LAB/$name" "$top"/tests/abi/dump.c \
		"$top"/shmlib/*.c || fail "$name does not compile"
}

dump() { "$LAB/$1" "$(lab_segment 1)" 10000 >"$LAB/$1.out" 2>"$LAB/$1.err"; }

same() { # WHAT: all builds say the same of host 1's segment
	local name
	for name in dump64 dump32 dump32-wide; do
		# An agent that was killed has to be seen to be dead before there are plans without it.
		lab_until "$LAB_WAIT_S" dump "$name" || fail "$1: $name: $(cat "$LAB/$name.err")"
	done
	check "$1: 32 bits as 64" cmp "$LAB/dump64.out" "$LAB/dump32.out"
	check "$1: 32 bits with 64-bit time as 64" cmp "$LAB/dump64.out" "$LAB/dump32-wide.out"
	say "  $(head -n 1 "$LAB/dump64.out")"
}

lab_new
build dump64
build dump32 -m32
build dump32-wide -m32 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
check "the program is a 32-bit one" grep -q 'ELF32' <(readelf -h "$LAB/dump32")
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_first_list 1 2 3
same settled

# Without its agent host 1's phase stands.
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
lab_push_start
lab_kill_in 1 copy
same "while keys are copied"
check "plans have more than one step there" grep -Eq '^key:[0-9]+ [0-9]s[0-9] [0-9]s4 ' "$LAB/dump32.out"
lab_agent_start 1
check "the change goes through" lab_push_wait
same "after it"
