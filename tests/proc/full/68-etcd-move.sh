#!/usr/bin/env bash
# A fleet is moved from register files to etcd and back, between two changes under load, each by one
# command with the candidates stopped; refused where somebody leads, or where what is to be replaced is
# newer; killed half way there is no coordinator, and the same command ends it.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=4000

etcd_able

# move_by N WHERE: the command; the last that it says (before: what it waits for).
move_by() {
	local code
	"$BUILD/mcrosterd" -c "$LAB/$1/agent.conf" --move-register "$2" 2>"$LAB/move.err"
	code=$?
	tail -n 1 "$LAB/move.err" >&2
	return $code
}
# move_cut N WHERE FILE: it is killed as soon as the file is there.
move_cut() {
	local pid
	"$BUILD/mcrosterd" -c "$LAB/$1/agent.conf" --move-register "$2" >"$LAB/move.log" 2>&1 &
	pid=$!
	lab_until "$LAB_WAIT_S" [ -e "$LAB/$1/state/$3" ] || fail "no $3: $(cat "$LAB/move.log")"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}
moved() { # N WHERE
	local term=$3 serial=$4
	move_by "$1" "$2" >"$LAB/move.log" 2>&1 || fail "--move-register $2: $(cat "$LAB/move.log")"
	sed 's/^/  /' "$LAB/move.log"
	check "the register is the same" grep -q "^register $term\.$serial " "$LAB/move.log"
}
says_moved() { [[ $(lab_status -1 trouble) = *movedaway* ]]; }
candidates_stop() {
	local n
	for n in 1 2 3; do check "a$n stops" lab_agent_term $n; done
}
candidates_start() { # CONF: etcd_conf or lab_agent_conf
	local n
	for n in 1 2 3; do
		"$1" "$n"
		lab_agent_start "$n"
	done
}
register_of() { printf '%s %s\n' "$(lab_status term)" "$(lab_status serial)"; }
settles() { # EPOCH
	lab_until 30 lab_settled "$1" || fail "the cluster does not settle under epoch $1"
	say "  ok: settled under epoch $1"
}

lab_new
etcd_start
relay_start 1 2 3
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
LAB_CANDIDATES="1 2 3"
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
check "a change with the register in a file" lab_change 5 60

say "to etcd"
read -r term serial < <(register_of)
refused "where agent.conf names no etcd" 1 'does not say where etcd is, expected register = "etcd"' move_by 1 etcd
for n in 1 2 3; do etcd_conf $n; done
refused "while the agent runs" 1 'state|lock|runs|use' move_by 1 etcd
candidates_stop
refused "by an agent that holds none" 1 'no register in the state directory' move_by 2 etcd
move_cut 1 etcd register.moved
lab_agent_conf 1
lab_agent_start 1
lab_until 20 says_moved || fail "a1 says: $(lab_status -1 trouble)"
check "cut short, nobody coordinates: $(lab_status -1 trouble)" equal "$(lab_status -1 view)" local
check "a1 stops" lab_agent_term 1
etcd_conf 1
moved 1 etcd "$term" "$serial"
moved 1 etcd "$term" "$serial" # given again it says the same
first_move=$term.$serial
candidates_start etcd_conf
etcd_led
settles 2
lab_conf 1 2 3 a4 a5
check "a change with the register in etcd" lab_change 5 60
# The one who is to have the file again leads no more.
if [ "$LAB_COORDINATOR" = 1 ]; then
	lab_agent_kill 1
	etcd_led 2 3
	lab_agent_start 1
fi
lab_until 30 lab_leased 1 || fail "a1 gets no lease"

say "back to a file"
settles 3
read -r term serial < <(register_of)
leader=$LAB_COORDINATOR mover=1
check "a$mover stops" lab_agent_term "$mover"
refused "while another candidate leads" 1 "agent a$leader leads" move_by "$mover" file
for n in $(others "$mover"); do check "a$n stops" lab_agent_term "$n"; done
refused "to etcd a second time" 1 "moved from the state directory at $first_move and has gone on in etcd" move_by "$mover" etcd
refused "by the second candidate" 1 'first who may coordinate' move_by "$leader" file
moved "$mover" file "$term" "$serial"
refused "by another agent too" 1 "was moved to agent a$mover's state directory" move_by "$leader" file
moved "$mover" file "$term" "$serial" # given again it says the same
candidates_start lab_agent_conf
lab_until 30 etcd_leader || fail "nobody coordinates: $(lab_status_json 1 | cut -c1-300)"
say "  a$LAB_COORDINATOR coordinates"
settles 3
lab_conf 1 2 3 4 a5
check "a change with the register in a file again" lab_change 5 60
check "agent a$mover stops" lab_agent_term "$mover"
etcd_conf "$mover"
refused "an older register for a newer one" 1 'has gone on in the state directory' move_by "$mover" file
lab_agent_conf "$mover"
lab_agent_start "$mover"
settles 4
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
etcd_history_checked
