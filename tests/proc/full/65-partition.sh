#!/usr/bin/env bash
# Five hosts in network namespaces, under `isolation bypass`: in the middle of a change the
# coordinator is lost, the network parts two hosts from three, and one host's agent and clients are
# stopped for ten leases.  The change goes on by itself as soon as it can; no read is ever stale.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../../lab/netns.sh"

KEYS=12000
LAB_RATE=60 # COPY takes longer than what happens in it
LAB_ISOLATION=bypass
LAB_COORDINATOR=3
LEASE_MS=1000
lab_netns_able

isolated() { # N...
	local n
	for n in "$@"; do [ "$(lab_status -"$n" isolated) $(lab_status -"$n" view)" = "true local" ] || return 1; done
}
leased() {
	local n
	for n in "$@"; do lab_leased "$n" || return 1; done
}
all_in() { # PHASE HOST...: what the hosts' clients are shown
	local phase=$1 n shown
	shift
	for n in "$@"; do
		read -r shown _ < <(lab_shown "$n")
		equal "$shown" "$phase" || return 1
	done
}
refused_plans() {
	lab_load report
	printf '%s\n' $(($(lab_load_number reads_refused) + $(lab_load_number writes_refused)))
}

lab_new
lab_netns_start 1 2 3 4 5
for n in 1 2 3 4 5; do
	[ "$n" -gt 3 ] || lab_server_start "$n"
	lab_agent_start "$n"
done
lab_first_list 1 2 3 a4 a5
arguments=(--apart)
for n in 1 2 3 4 5; do arguments+=(--segment "$(lab_segment "$n")" --netns "$(lab_netns_name "$n")"); done
lab_load_start $KEYS "" --readers 2 --writers 2 --rate 600 "${arguments[@]}"
lab_load fill
lab_load run
lab_server_start 4
lab_conf 1 2 3 4 a5
lab_push_start 3 85
lab_wait_progress 1 COPY

say "the coordinator is lost"
lab_agent_kill 3
lab_until 20 isolated 1 2 4 5 || fail "hosts still hold leases"
check "nothing passes without it" all_in COPY 1 2 4 5
before=$(refused_plans)
check "clients of hosts without lease get no plans" between 1 "$before" 100000000
lab_agent_start 3
lab_until 20 leased 1 2 3 4 5 || fail "hosts get no leases"
say "  ok: it is back, and the change goes on"
lab_wait_for ,servers

say "the network parts: hosts 1 and 2 here, 3, 4 and 5 there"
check "the change is in COPY" all_in COPY 1 2 3 4 5
lab_part
lab_until 20 isolated 1 2 || fail "hosts 1 and 2 still hold leases"
check "the three keep their leases" leased 3 4 5
check "no phase passes the two: their work is missing" all_in COPY 1 2 3 4 5
say "      waits for $(lab_status waits_for)"
lab_join
lab_until 20 leased 1 2 3 4 5 || fail "hosts get no leases again"
say "  ok: it is whole again, and the change goes on"

say "host 5 stands still, its clients in what they do"
check "the change is in COPY" all_in COPY 5
lab_load "stop 4"
kill -STOP "${LAB_AGENT_PID[5]}"
stopped_ms=$(lab_now_ms)
check "the change goes through without it" lab_push_wait
read -r phase _ epoch _ < <(lab_shown 5)
check "host 5 still shows COPY" equal "$phase $epoch" "COPY 1"
lab_load_not_stale
ten_leases() { [ "$(lab_now_ms)" -ge $((stopped_ms + 10 * LEASE_MS)) ]; }
lab_until 60 ten_leases
kill -CONT "${LAB_AGENT_PID[5]}"
lab_load "continue 4"
lab_wait_segment 5 steady 2
lab_until 20 leased 1 2 3 4 5 || fail "host 5 gets no lease"

lab_load pause
lab_load verify
lab_load_not_stale
say "plans refused: $(refused_plans), writes not completed: $(lab_load_number writes_incomplete), reads missed: $(lab_load_number missed), failed: $(lab_load_number reads_failed)"
check "reads ran while keys moved" between 1000 "$(lab_load_number reads_moving)" 100000000
lab_inspect_zeros
