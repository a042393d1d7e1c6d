#!/usr/bin/env bash
# libmcroster(3) and libmcroster-memcached(3): well-formed, complete, and their examples compile and work,
# that of the first also while keys move and when a server does not answer.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

page_check() { # NAME MAP
	local page=$top/docs/man/$1.3 name
	mandoc -T lint -W warning "$page" >"$LAB/lint" || fail "mandoc: $(cat "$LAB/lint")"
	check "mandoc finds nothing wrong with $1(3)" [ ! -s "$LAB/lint" ]
	groff -ww -mdoc -T utf8 "$page" >/dev/null 2>"$LAB/groff"
	check "nor does groff" cmp -s /dev/null "$LAB/groff"
	while read -r name; do
		grep -Eq "^\.F[no] $name\b" "$page" || fail "$name is not in the page"
	done < <(sed -n 's/^\t\(mcr_[a-z_]*\);$/\1/p' "$2")
	say "  ok: it has every function of the library"
}

page_example() { # NAME: as it is printed
	sed -n '/example[.c]* begins/,/example[.c]* ends/p' "$top/docs/man/$1.3" | sed '1,2d' | head -n -2 |
		sed "s/\\\\-/-/g; s/\\\\(aq/'/g; s/\\\\e/\\\\/g"
}

lab_new
page_check libmcroster "$top/shmlib/libmcroster.map"
page_check libmcroster-memcached "$top/bindings/libmemcached/libmcroster-memcached.map"
page_example libmcroster >"$LAB/example.c"
greeting=$top/bindings/libmemcached/examples/greeting.c
check "the second one's example is that of the bindings" cmp <(page_example libmcroster-memcached) "$greeting"
sanitize=
case $BUILD in */plain) ;; *) sanitize=-fsanitize=address,undefined ;; esac
# shellcheck disable=SC2086  # empty or one word
gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror $sanitize \
	-I"$top/include" -o "$LAB/example" "$LAB/example.c" "$BUILD/libmcroster.a" ||
	fail "the example does not compile"
# shellcheck disable=SC2046,SC2086
gcc -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror $sanitize -I"$top/include" \
	-I"$top/bindings/libmemcached" -o "$LAB/greeting" "$greeting" "$BUILD/libmcroster-memcached.a" \
	"$BUILD/libmcroster.a" $(pkg-config --cflags --libs libmemcached) ||
	fail "the adapter's example does not compile"
say "  ok: the examples compile"

# example WHAT CODE PATTERN ARGUMENT...: what it prints, and its exit code.
example() {
	local what=$1 code=$2 pattern=$3 status
	shift 3
	"$LAB/example" "$(lab_segment 1)" "$@" >"$LAB/example.out" 2>&1
	status=$?
	if [ "$status" != "$code" ] || ! grep -Eqx -- "$pattern" "$LAB/example.out"; then
		fail "$what: exit code $status: $(cat "$LAB/example.out"); expected $code: $pattern"
	fi
	say "  ok: $what: $(tail -n 1 "$LAB/example.out")"
}

example "without a segment" 3 ".*: there is no segment of that name" get key
for n in 1 2; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_first_list 1 2
example "a key that nobody has stored" 1 "\(nothing\)" get greeting
example "it is stored" 0 stored set greeting "good morning"
example "and found" 0 "good morning" get greeting
example "deleted" 0 deleted delete greeting
example "and gone" 1 "\(nothing\)" get greeting
example "deleted again" 0 "not found" delete greeting
example "a key that is none" 3 "no plan: the key is empty or longer than 250 bytes" \
	get "$(printf 'x%.0s' {1..251})"

check "the adapter's example says what it read" equal "$("$LAB/greeting" "$(lab_segment 1)" 2>&1)" \
	"good morning"

say "while keys move"
for i in {1..40}; do
	"$LAB/example" "$(lab_segment 1)" set "key:$i" 0 >/dev/null || fail "key:$i is not stored"
done
lab_server_start 3
lab_agent_start 3
lab_conf 1 2 3
lab_push_start
rounds=0
while [ "$rounds" = 0 ] || ! lab_gone "$LAB_PUSH_PID"; do
	rounds=$((rounds + 1))
	for i in {1..40}; do
		"$LAB/example" "$(lab_segment 1)" set "key:$i" "$rounds" >"$LAB/set.out" 2>&1 ||
			fail "key:$i in round $rounds: $(cat "$LAB/set.out")"
		found=$("$LAB/example" "$(lab_segment 2)" get "key:$i" 2>&1)
		case $found in "$rounds" | "(nothing)") ;; *)
			fail "key:$i in round $rounds by host 2: $found" ;;
		esac
	done
done
check "the change goes through, $rounds rounds beside it" lab_push_wait

say "a server that does not answer"
# The server that key:1 goes to is found out by taking it away.
for n in 1 2 3; do
	lab_server_stop "$n"
	if ! "$LAB/example" "$(lab_segment 1)" get key:1 >/dev/null 2>&1; then stopped=$n; fi
	lab_server_cont "$n"
done
check "one of them has key:1" [ -n "${stopped:-}" ]
lab_server_stop "$stopped"
example "a read of it" 2 "a server failed" get key:1
example "a write to it" 2 "a server failed: whether it is stored is unknown" set key:1 "in time"
example "a delete there" 4 "not complete: the agent owes a delete" delete key:1
lab_owes() { equal "$(lab_status owed) $(lab_status owed_max)" "$1 65536"; }
check "which its agent shows" lab_owes 1
lab_server_cont "$stopped"
check "and carries out when it is back" lab_until 20 lab_owes 0
example "so the key is gone" 1 "\(nothing\)" get key:1
example "when it is back" 0 stored set key:1 "in time"
example "it answers" 0 "in time" get key:1
