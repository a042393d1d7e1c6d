#!/usr/bin/env bash
# mcadmin doctor in a cluster where much is wrong: each fault is provoked, and it must name the thing,
# say what was found, what it means and what to do; of a cluster that is well it says nothing of the kind.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

# doctor CODE WHAT [ARGUMENT...]: by the agent.conf of host 1, or $LAB/its.conf where there is one.
doctor() {
	local code=$1 what=$2 conf=$LAB/its.conf status
	shift 2
	[ -f "$conf" ] || conf=$LAB/1/agent.conf
	"$BUILD/mcadmin" doctor --conf "$conf" "$@" >"$LAB/doctor" 2>"$LAB/doctor.err" </dev/null
	status=$?
	if [ "$status" != "$code" ] || [ -s "$LAB/doctor.err" ]; then
		grep -Ev '^ok ' "$LAB/doctor" "$LAB/doctor.err" >&2
		fail "$what: exit code $status, expected $code and nothing on standard error"
	fi
	say "$what"
}
# finds LEVEL CHECK FOUND MEANS ADVICE: patterns of the line, and of the two that stand below those of
# its check.
finds() {
	if ! awk -v line="^$1 +$2 +$3\$" -v check="$2" -v means="$4" -v advice="$5" '
		$0 ~ line { found = 1 }
		/^(WARN|FAULT) / { own = $2 == check; below = 0; next }
		/^ok / { own = 0; next }
		own && ++below == 1 && $0 ~ "^ +.*" means { meant = 1 }
		own && below == 2 && $0 ~ "^ +.*" advice { advised = 1 }
		END { exit !(found && meant && advised) }' "$LAB/doctor"; then
		grep -Ev '^ok ' "$LAB/doctor" >&2
		fail "$1 $2 $3: not found, or without '$4' and '$5'"
	fi
	say "  ok: $(grep -E "^$1 +$2 +$3\$" "$LAB/doctor" | head -n 1)"
}
finds_no() { # CHECK...: nothing is wrong there
	local name
	for name in "$@"; do
		if grep -Eq "^(WARN|FAULT) +$name " "$LAB/doctor"; then
			grep -Ev '^ok ' "$LAB/doctor" >&2
			fail "$name: there is a finding"
		fi
	done
	say "  ok: nothing of $*"
}
# its_conf OPTION VALUE...: the agent.conf of host 1 with other values, in $LAB/its.conf.
its_conf() {
	cp "$LAB/1/agent.conf" "$LAB/its.conf"
	while [ $# -gt 0 ]; do
		sed -i "/^$1 = /d" "$LAB/its.conf"
		printf '%s = "%s"\n' "$1" "$2" >>"$LAB/its.conf"
		shift 2
	done
}
# A memcached seen through a host whose clock is 100 s ahead, and that says another version.
strange_host() { # N VERSION: in front of server 1
	/usr/bin/python3 - "$(lab_ip "$1")" "$(lab_ip 1)" "$(lab_server_port 1)" "$2" <<-'END' &
		import re, socket, sys, threading
		own, other, port, version = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].encode()
		def serve(client):
		    server = socket.create_connection((other, port))
		    def forth():
		        try:
		            while data := client.recv(65536):
		                server.sendall(data)
		        except OSError:
		            server.close()
		    threading.Thread(target=forth, daemon=True).start()
		    for line in server.makefile("rb"):
		        line = re.sub(rb"^STAT time (\d+)", lambda m: b"STAT time %d" % (int(m[1]) + 100), line)
		        client.sendall(re.sub(rb"^(STAT version|VERSION) \S+", rb"\1 " + version, line))
		    client.close()
		listener = socket.create_server((own, port))
		while True:
		    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
	END
	LAB_BESIDE+=($!)
	lab_until "$LAB_WAIT_S" lab_server_answers "$1" || fail "the strange host $1 does not answer"
}

again() { # N ARGUMENT...: its server with other options
	lab_server_kill "$1"
	lab_server_start "$@"
}

fill() { # N COUNT: items of which a page of its memory takes no more than 885
	exec {lab_fd}<>"/dev/tcp/$(lab_ip "$1")/$(lab_server_port "$1")" || fail "no connection to server $1"
	awk -v count="$2" 'BEGIN {
		value = sprintf("%1100s", "")
		for (i = 0; i < count; i++) printf "set item%04d 0 0 1100 noreply\r\n%s\r\n", i, value
		printf "version\r\n"
	}' >&"$lab_fd"
	IFS= read -r -t 10 -u "$lab_fd" _ || fail "server $1 does not take its items"
	exec {lab_fd}>&-
}
held=()
hold() { # N COUNT: so many connections to its server, until let_go
	local i fd to
	to=/dev/tcp/$(lab_ip "$1")/$(lab_server_port "$1")
	for ((i = 0; i < $2; i++)); do
		exec {fd}<>"$to" || fail "no connection $i to server $1"
		held+=("$fd")
	done
}
let_go() { # processes that are started would have them too
	local fd
	for fd in "${held[@]}"; do exec {fd}>&-; done
	held=()
}

say "a cluster that is well"
LAB_STEADY_LEASE_MS=4000
LAB_AGENT_OF=([3]=2 [4]=2 [5]=2 [6]=2 [7]=2 [8]=2 [9]=2 [10]=2 [11]=2)
lab_new
for n in {1..11}; do lab_server_start "$n"; done
for n in 1 2; do lab_agent_start "$n"; done
lab_first_list {1..11}
well() { "$BUILD/mcadmin" doctor --conf "$LAB/1/agent.conf" >/dev/null; }
lab_until "$LAB_WAIT_S" well # the coordinator learns of each lease a moment later
doctor 0 "is said to be" --all
finds_no '[a-z-]+'
doctor 0 "in short"
check "one line a check" equal "$(sed -E 's/^ok +([a-z-]+) .*/\1/' "$LAB/doctor" | sort | uniq -d)" ""
check "each server, agent and file counts" grep -Eq '^ok +servers +s1, and 10 more$' "$LAB/doctor"

say "servers"
again 3 -C
again 4 -X
again 5 -o no_lru_crawler
again 6 -I 512k
again 7 -m 2 -M
again 8 -c 200
lab_server_kill 9
strange_host 9 1.6.10
lab_server_kill 10
strange_host 10 1.5.22
lab_server_kill 11
fill 7 500
hold 8 165
doctor 1 "are looked at"
finds FAULT cas 's3: CAS is off \(-C\)' 'could overwrite a newer value' 'Start it without -C'
finds FAULT dump 's4: dumps are off \(-X\)' 'lru_crawler metadump' 'without -X'
finds FAULT dump 's5: there is no LRU crawler \(no_lru_crawler\)' 'cannot move any' 'without no_lru_crawler'
finds WARN item-size 's6: items up to 524[.]3 kB, others up to 1[.]0 MB' 'becomes a miss' 'the same -I'
finds WARN memory 's7: .* used \(.*%\); it evicts nothing \(-M\).*' 'only by evicting' 'more memory \(-m\)'
finds WARN connections 's8: 16[5-9] of 200' 'accepts nobody' 'Raise -c'
finds WARN memcached 's9: version 1[.]6[.]10' 'since 1[.]6' 'Upgrade that memcached'
finds FAULT memcached 's10: version 1[.]5[.]22' 'tested with 1[.]6[.]18' 'before the next change'
finds WARN clock "s9: (9[5-9]|10[0-5]) s ahead of this host's" 'expires moved items early' 'time service'
finds FAULT servers "s11: $(lab_server_address 11): .*" "the list's addresses" 'Does it run .*, and listen'
finds_no agent segment heartbeat keys identity peers versions
check "servers that are well are not among them" equal "$(grep -Ec '^(WARN|FAULT).* s[12]: ' "$LAB/doctor")" 0
let_go
again 7 -m 6
fill 7 7000
again 8 -c 40
hold 8 40
doctor 1 "one that is nearly full, and one that takes no more connections"
finds WARN memory 's7: .* used \(9[0-9].*%\)' 'only by evicting' 'smaller weight'
finds FAULT servers "s8: $(lab_server_address 8): it answers 'ERROR Too many open connections'" "the list's addresses" 'Does it run'
says_the_same() { # --json has all that the text has, with its meaning and advice
	"$BUILD/mcadmin" doctor --conf "$LAB/1/agent.conf" --json >"$LAB/doctor.json"
	/usr/bin/python3 - "$LAB/doctor" "$LAB/doctor.json" <<-'END'
		import json, sys
		text, said = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
		bad = [c for c in said["checks"] if c["result"] != "ok"]
		lines = [l for l in text.splitlines() if l.startswith(("WARN", "FAULT"))]
		if said["result"] != "fault" or len(bad) != len(lines):
		    sys.exit(f"{len(lines)} findings, and in JSON {len(bad)}: {said['result']}")
		for c in bad:
		    start = f"{c['result'].upper():6} {c['check']:12} {c['subject'] or ''}"
		    if not any(l.startswith(start) for l in lines) or c["means"] not in text or c["advice"] not in text:
		        sys.exit(f"not so in the text: {c}")
	END
}
check "--json says the same of each, with what it means and what to do" says_the_same

let_go

say "this host's files"
cp "$LAB/psk" "$LAB/open.psk"
chmod 0644 "$LAB/open.psk"
elsewhere=$(lab_address 1 1)
its_conf psk "$LAB/open.psk" host-key "$LAB/2/host.key" listen "$elsewhere" state-directory /proc \
	segment "/mcroster.$LAB_ID.none"
doctor 1 "are not those of the cluster"
finds FAULT keys "psk: $LAB/open.psk: found mode 0644, expected 0600.*" 'that others can read is none' 'chmod 600.*mcadmin hostkey'
finds FAULT identity "a1: $LAB/2/host.key is not the key that the list has of it" 'do not recognise' 'correct agent.conf'
finds WARN identity "a1: listens on $elsewhere, and the list says $(lab_address 1 "$LAB_AGENT_PORT")" \
	'do not recognise' 'correct agent.conf'
finds FAULT space '/proc: 0 B free' 'stops taking part in changes' 'Make room'
finds FAULT segment "/mcroster.$LAB_ID.none: .*no segment.*" 'from this shared memory' 'systemctl restart mcrosterd'
finds_no agent conf
"$BUILD/mcadmin" keygen --psk -o "$LAB/other.psk" >/dev/null
its_conf psk "$LAB/other.psk" host-key "$LAB/none.key" previous-psk "$LAB/none.psk" state-directory "$LAB/none"
doctor 1 "are missing, or another cluster's"
finds FAULT keys "host-key: $LAB/none.key: No such file or directory" 'keeps it from starting' 'chown mcroster'
finds FAULT keys "previous-psk: $LAB/none.psk: No such file or directory" 'keeps it from starting' 'chown mcroster'
finds FAULT space "$LAB/none: No such file or directory" 'before it tells anybody' 'state-directory'
finds FAULT peers 'a2: .*' 'holds a change up' 'the same pre-shared key'
finds_no segment heartbeat identity
rm "$LAB/its.conf"

say "this host's segment"
chmod 0666 "/dev/shm$(lab_segment 1)"
doctor 1 "can be written by others"
finds FAULT segment "$(lab_segment 1): .*" 'that others can write' 'makes the segment anew'
chmod 0644 "/dev/shm$(lab_segment 1)"

say "agents"
version=$("$BUILD/mcadmin" --version)
version=${version#* }
other=${version%?}$(((${version: -1} + 1) % 10))
sed "s/${version//./\\.}/$other/g" "$BUILD/mcrosterd" >"$LAB/mcrosterd.other"
chmod 0755 "$LAB/mcrosterd.other"
lab_agent_term 2 || fail "a2 does not stop"
LAB_DAEMON[2]=$LAB/mcrosterd.other
lab_agent_start 2
doctor 1 "of different versions"
finds WARN versions "a2: $other, and this mcadmin is $version" 'two neighbouring versions' 'Upgrade the hosts that are behind'
finds_no segment peers
lab_agent_kill 2
lease_is_over() { "$BUILD/mcadmin" doctor --conf "$LAB/1/agent.conf" | grep -q '^FAULT *lease *a2'; }
lab_until "$LAB_WAIT_S" lease_is_over || fail "a2 keeps its lease"
doctor 1 "one that is gone"
finds FAULT lease 'a2: it has no lease' 'a change waits for it' 'mcadmin failover --help'
finds FAULT peers "a2: .*" 'one that cannot be reached' 'Does mcrosterd run there'
finds_no agent segment heartbeat
lab_agent_kill 1
doctor 1 "this host's own is gone"
finds FAULT agent 'no agent answers.*' 'serves the last list only' 'systemctl status mcrosterd'
finds FAULT heartbeat 'still for 2000 ms' 'take it for dead' 'starved of processor time'
finds_no segment
lab_agent_start 2
cp "$LAB/2/agent.conf" "$LAB/its.conf"
doctor 1 "without its coordinator"
finds FAULT lease 'a2: isolated: what it serves may be old' 'does not know whether its list' 'mcadmin failover --help'
finds WARN lease "a2: the coordinator a1 was not reached, so this is the agent's own view" \
	'does not know whether its list' 'mcadmin status'
