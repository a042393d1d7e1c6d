# shellcheck shell=bash
# partition.sh - one change under `isolation bypass` and the checking load, on five hosts in network
# namespaces, and the troubles it is put to: the steps that the scenarios 65-* have in common.
#
# Sourced after lab.sh and netns.sh.  Hosts 1 to 4 have servers, s4 joins; the clients are on all five.

PARTITION_KEYS=12000
PARTITION_LEASE_MS=1000
LAB_RATE=60 # COPY takes longer than what happens in it
LAB_ISOLATION=bypass

isolated() { # N...: they say so, and that they know no coordinator
	local n
	for n in "$@"; do
		[ "$(lab_status -"$n" isolated) $(lab_status -"$n" view)" = "true local" ] || return 1
	done
}
leased() { # N...
	local n
	for n in "$@"; do lab_leased "$n" || return 1; done
}
all_leased() { # N...: nobody was restarted for it
	lab_until 30 leased "$@" || fail "not everybody of $* has a lease"
}
all_in() { # PHASE N...: what the hosts' clients are shown
	local phase=$1 n shown
	shift
	for n in "$@"; do
		read -r shown _ < <(lab_shown "$n")
		equal "$shown" "$phase" || return 1
	done
}
asleep() { grep -q '^State:[[:space:]]*T' "/proc/$1/status"; }
refused_plans() {
	lab_load report
	printf '%s\n' $(($(lab_load_number reads_refused) + $(lab_load_number writes_refused)))
}
more_refused() { [ "$(refused_plans)" -gt "$1" ]; }

# The load runs on all hosts, and s4 joins: COPY has begun when it returns.
partition_change_begins() {
	local n arguments=(--apart)
	for n in 1 2 3 4 5; do
		arguments+=(--segment "$(lab_segment "$n")" --netns "$(lab_netns_name "$n")")
	done
	lab_load_start $PARTITION_KEYS "" --readers 2 --writers 2 --rate 600 "${arguments[@]}"
	lab_load fill
	lab_load run
	lab_server_start 4
	lab_conf 1 2 3 4 a5
	lab_push_start 4 150
	lab_wait_progress 1 COPY
}

# partition_coordinator_killed HOST...: the coordinator dies, those who are left lose their leases.
partition_coordinator_killed() {
	local before
	before=$(refused_plans)
	lab_agent_kill "$LAB_COORDINATOR"
	check "the coordinator a$LAB_COORDINATOR is killed in COPY" all_in COPY 1 2 3 4 5
	lab_until 20 isolated "$@" || fail "hosts still hold leases"
	check "nothing passes without it" all_in COPY "$@"
	lab_until 20 more_refused "$before" || fail "clients without a lease get plans"
	say "  ok: clients of hosts without lease get no plans ($before refused before, $(refused_plans) now)"
}

# partition_parts HOST HOST: these two are cut off from the rest.
partition_parts() {
	check "the change is in COPY" all_in COPY 1 2 3 4 5
	lab_part "$@"
	lab_until 20 isolated "$@" || fail "hosts $* still hold leases"
	say "  ok: hosts $* show that they are isolated"
}

# partition_is_whole HOST HOST: the two were cut off until now.
partition_is_whole() {
	check "no phase passed hosts $*: their work is missing" all_in COPY 1 2 3 4 5
	say "      waits for $(lab_status waits_for)"
	lab_join
	all_leased 1 2 3 4 5
	say "  ok: it is whole again, and all have leases, nobody restarted"
}

# Host 5, agent and clients, sleeps for ten leases; the change goes through meanwhile.
partition_host_sleeps() {
	local slept_ms=$((10 * PARTITION_LEASE_MS)) stopped_ms phase epoch
	ten_leases() { [ $(($(lab_now_ms) - stopped_ms)) -ge "$slept_ms" ]; }
	check "the change is in COPY" all_in COPY 5
	lab_load "stop 4"
	kill -STOP "${LAB_AGENT_PID[5]}"
	lab_until 5 asleep "${LAB_AGENT_PID[5]}" || fail "agent a5 does not stop"
	stopped_ms=$(lab_now_ms)
	check "the change goes through without it" lab_push_wait
	read -r phase _ epoch _ < <(lab_shown 5)
	check "host 5 still shows COPY" equal "$phase $epoch" "COPY 1"
	lab_until 60 ten_leases
	check "it is asleep still" asleep "${LAB_AGENT_PID[5]}"
	slept_ms=$(($(lab_now_ms) - stopped_ms))
	kill -CONT "${LAB_AGENT_PID[5]}"
	lab_load "continue 4"
	say "  ok: it wakes up after $slept_ms ms, $((slept_ms / PARTITION_LEASE_MS)) leases"
	lab_wait_segment 5 steady 2
	all_leased 1 2 3 4 5
}

# Nothing was stale, nothing is misplaced; the counts.
partition_ends() {
	lab_load pause
	lab_load verify
	lab_load_not_stale
	check "reads ran while keys moved" between 1000 "$(lab_load_number reads_moving)" 100000000
	check "writes ran too" between 1000 "$(lab_load_number writes)" 100000000
	lab_inspect_zeros
	say "plans refused: $(refused_plans), writes not completed: $(lab_load_number writes_incomplete)," \
		"reads missed: $(lab_load_number missed), failed: $(lab_load_number reads_failed)"
	say "reads checked: $(lab_load_number reads), while keys moved: $(lab_load_number reads_moving)," \
		"stale: $(lab_load_number stale), misplaced keys: $(lab_inspected misplaced)"
}
