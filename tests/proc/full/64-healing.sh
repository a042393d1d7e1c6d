#!/usr/bin/env bash
# Hosts that come back with nothing, with what is old, damaged or not theirs; a coordinator whose disk
# came back from a backup; two lists of one epoch: each heals by itself, or is refused by the rule.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"

KEYS=4000

back_with_lease() { # N EPOCH
	lab_until 30 lab_leased "$1" || fail "a$1 gets no lease: $(tail -n 3 "$LAB/$1/agent.log")"
	lab_wait_segment "$1" steady "$2"
	say "  ok: a$1 is back under epoch $2"
}
refused_start() { # WHAT PATTERN
	refused "$1" - "$2" "$BUILD/mcrosterd" -c "$LAB/5/agent.conf"
	check "the segment is as it was" equal "$(lab_shown 5)" "$shown"
}
change_to() { # COORDINATOR HOST...: a change, led by the one there is, to a list that names another
	local next=$1 now=$LAB_COORDINATOR
	shift
	LAB_COORDINATOR=$next lab_conf "$@"
	lab_until 20 lab_change "$now" 30 || fail "the change does not go through: $(tail -n 2 "$LAB/push.log")"
	LAB_COORDINATOR=$next
	lab_until 20 leads "$next" || fail "a$next does not coordinate"
	say "  ok: a$next coordinates epoch $(lab_status epoch)"
}
leads() { [ "$(lab_status -"$1" coordinator) $(lab_status -"$1" view) $(lab_status -"$1" waits_for)" = "a$1 cluster " ]; }

changed() {
	lab_conf 1 2 3 a5 a6
	lab_change 3 60
}

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
lab_first_list 1 2 3 a5
cp "$LAB/list" "$LAB/first"
lab_load_start $KEYS "1 2 3" --readers 2 --writers 2 --rate 2000
lab_load fill
lab_load run

say "state that cannot be right"
check "a5 stops" lab_agent_term 5
shown=$(lab_shown 5)
cp -a "$LAB/5/state" "$LAB/month.5"
truncate -s 300 "$LAB/5/state/host"
refused_start "truncated state" "state/host: truncated"
cp "$LAB/month.5/host" "$LAB/5/state/host"
printf 'x' | dd of="$LAB/5/state/host" bs=1 seek=200 conv=notrunc 2>/dev/null
refused_start "damaged state" "state/host: damaged"
sed "s|^cluster = .*|cluster = \"other\"|; s|^segment = .*|segment = \"$(lab_segment 9)\"|" \
	"$LAB/5/agent.conf" >"$LAB/5/other.conf"
refused "the state of another cluster" - "belongs to cluster .lab., not .other." \
	"$BUILD/mcrosterd" -c "$LAB/5/other.conf"
rm -rf "$LAB/5/state"

say "a host that has lost its state"
lab_agent_start 5
back_with_lease 5 1

say "the coordinator is replaced twice; a5 comes back with the list of before, whose coordinator is gone"
cp -a "$LAB/1/state" "$LAB/backup.1"
lab_agent_conf 6
lab_agent_spawn 6
change_to 2 1 2 3 a5 a6
change_to 3 1 2 3 a5 a6
lab_agent_kill 1
check "a5 stops" lab_agent_term 5
rm -rf "$LAB/5/state"
cp -a "$LAB/month.5" "$LAB/5/state"
lab_agent_start 5
check "nothing old is published" [ "$(lab_shown 5 | cut -d' ' -f1-3)" = "STEADY epoch 3" ]
back_with_lease 5 3

say "the first coordinator comes back from a backup of its time"
rm -rf "$LAB/1/state"
cp -a "$LAB/backup.1" "$LAB/1/state"
lab_agent_start 1
lab_until 20 grep -q "coordinates no more" "$LAB/1/agent.log" || fail "a1 says: $(tail -n 3 "$LAB/1/agent.log")"
say "  ok: $(grep "coordinates no more" "$LAB/1/agent.log")"
back_with_lease 1 3

say "two lists of one epoch"
lab_conf 1 3 a2 a5 a6
lab_list_plan >/dev/null
cp "$LAB/list" "$LAB/one"
sed -i '/^signature /d; s/^created .*/created 2031-01-01T00:00:00Z/' "$LAB/list"
lab_sign "$LAB/list" >/dev/null
lab_push 3 60 "$LAB/one" >"$LAB/push.log" 2>&1
check "one of them goes through" equal $? 0
refused "the other" 3 "equivocation" "$BUILD/mcadmin" push "$LAB/list" --agent "$(lab_agent_socket 2)" --timeout 20
check "it is kept as evidence" equal "$(find "$LAB/3/state" -name 'evidence.list.4.*' | wc -l)" 1
check "status counts it" equal "$(lab_status equivocation)" 1
check "and shows it" grep -qi "equivocation" <("$BUILD/mcadmin" status --agent "$(lab_agent_socket 3)")

say "the coordinator's disk is new, and it is handed the first list again"
check "a3 stops" lab_agent_term 3
mv "$LAB/3/state" "$LAB/away.3"
lab_agent_start 3
lab_until 20 grep -q "asks this agent to coordinate by the register" "$LAB/3/agent.log" ||
	fail "a3 says: $(tail -n 3 "$LAB/3/agent.log")"
sed "s/^coordinator .*/coordinator a3/" "$LAB/first" >"$LAB/again"
sed -i '/^signature /d' "$LAB/again"
lab_sign "$LAB/again" >/dev/null
"$BUILD/mcadmin" push "$LAB/again" --agent "$(lab_agent_socket 3)" --timeout 5 >"$LAB/push.log" 2>&1
check "the push does not settle" [ $? != 0 ]
lab_until 20 grep -q "which is lost here" "$LAB/3/agent.log" || fail "a3 says: $(tail -n 3 "$LAB/3/agent.log")"
check "status names the way out" grep -q "order a failover" \
	<("$BUILD/mcadmin" status --agent "$(lab_agent_socket 3)")
for n in 1 2 3; do
	check "a$n shows no epoch of before" [ "$(lab_shown "$n" | cut -d' ' -f1-3)" = "STEADY epoch 4" ]
done
check "a3 stops" lab_agent_term 3
rm -rf "$LAB/3/state"
mv "$LAB/away.3" "$LAB/3/state"
lab_agent_start 3
lab_until 20 leads 3 || fail "a3 does not coordinate with its own register again"

say "the coordinator's disk comes back from a backup"
check "a3 stops" lab_agent_term 3
cp -a "$LAB/3/state" "$LAB/newest.3"
lab_agent_start 3
lab_until 20 leads 3 || fail "a3 does not coordinate"
check "a3 carries a change" lab_until 20 changed
lab_agent_kill 3
mv "$LAB/3/state" "$LAB/lost.3"
cp -a "$LAB/newest.3" "$LAB/3/state"
lab_agent_start 3
lab_until 20 grep -q "newer than ours .* coordinates no more" "$LAB/3/agent.log" ||
	fail "a3 says: $(tail -n 3 "$LAB/3/agent.log")"
say "  ok: $(grep "coordinates no more" "$LAB/3/agent.log")"
check "status says so" grep -q "coordinates no more" <("$BUILD/mcadmin" status --agent "$(lab_agent_socket 3)")
"$BUILD/mcadmin" push "$LAB/list" --agent "$(lab_agent_socket 3)" --timeout 3 >"$LAB/push.log" 2>&1
check "no list is taken" equal $? 4
check "and it is said why" grep -q "coordinates no more" "$LAB/push.log"
lab_load_zeros
check "a3 stops" lab_agent_term 3
rm -rf "$LAB/3/state"
mv "$LAB/lost.3" "$LAB/3/state"
lab_agent_start 3
lab_until 20 leads 3 || fail "a3 does not coordinate with its newest register"
for n in 1 2 3 5; do back_with_lease $n 5; done
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
