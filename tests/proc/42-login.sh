#!/usr/bin/env bash
# Servers that want a login (memcached -Y) between one that wants none.  Who has the wrong password for
# one, or none, says so and holds the change up; nothing is lost, and with the right one it goes on.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/access.sh
. "$(dirname "$0")/../lab/access.sh"

KEYS=6000
LAB_RATE=3000

secret() { # NAME PASSWORD
	(umask 077 && printf '%s\n' "$2" >"$LAB/$1")
}

lab_new
secret right horse
secret wrong horst
right=(s2 'user = mcroster' "password-file = \"$LAB/right\"" s3 'user = mcroster' "password-file = \"$LAB/right\"")
wrong=("${right[@]:0:5}" "password-file = \"$LAB/wrong\"")

lab_server_start 1
access_login 2 mcroster horse
for n in 1 2; do
	access_conf $n "${right[@]}"
	lab_agent_start $n
done
lab_first_list 1 2
LAB_LOGIN[3]="mcroster horse" # the clients know it from the start
lab_load_start $KEYS "1 2" --readers 2 --writers 2 --rate 2000 --plain-keys
lab_load fill
lab_load run

say "s3 joins, and a1 has the wrong password for it, a2 none"
access_login 3 mcroster horse
access_conf 3 "${right[@]}"
lab_agent_start 3
access_restart 1 "${wrong[@]}"
access_restart 2 s2 'user = mcroster' "password-file = \"$LAB/right\""
lab_conf 1 2 3
lab_push_start "" 120
access_says 1 s3 'refusestheuserandthepassword'
access_says 2 s3 'wantsauserandapassword'
for log in "$LAB"/[123]/agent.log; do
	check "no password in $(basename "$(dirname "$log")")/agent.log" sh -c '! grep -q "hors[et]" "$1"' - "$log"
done
check "nothing is settled meanwhile" equal "$(lab_status settled)" false
access_restart 2 "${right[@]}"
access_restart 1 "${right[@]}"
check "with the right ones the change goes through" lab_push_wait
lab_load pause
lab_inspect_zeros
check "s3 holds its share" between $((KEYS / 5)) "$(lab_inspected keys 'server s3 ')" $((KEYS * 2 / 5))

say "s2 leaves"
lab_load run
lab_conf 1 3
check "the change goes through" lab_change
lab_load pause
lab_inspect_zeros "$(lab_server_address 2)"
check "nothing is left on s2" equal "$(lab_inspected keys 'server (left)')" 0
lab_load verify
lab_load_zeros

say "a password that is no secret, and one that memcached cannot take"
chmod 644 "$LAB/right"
refused "a password file of mode 0644" - 'password-file: .*found mode 0644' \
	"$BUILD/mcrosterd" -c "$LAB/1/agent.conf" --check
rm "$LAB/right"
secret right 'correct horse'
refused "a password with a space" - 'password-file: found something else' \
	"$BUILD/mcrosterd" -c "$LAB/1/agent.conf" --check
