#!/usr/bin/env bash
# The metrics of a small cluster: what promtool and Prometheus' conventions say of them, that they say
# what mcadmin status says, that alerts and dashboard know only metrics that there are, and that
# hostile requests do the agent no harm.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
METRICS_PORT=21290
LAB_RATE=100

page() { # N: its metrics, in $LAB/page; all its counters so far in $LAB/counters.N
	/usr/bin/python3 - "http://$LAB_NET.$1:$METRICS_PORT/metrics" >"$LAB/page" 2>"$LAB/page.err" <<-'END' || return
		import sys, urllib.request
		opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		sys.stdout.write(opener.open(sys.argv[1], timeout=20).read().decode())
	END
	grep -E '^mcroster_[a-z_]+_total[{ ]' "$LAB/page" >>"$LAB/counters.$1"
}
value() { sed -n "s/^mcroster_$1 //p" "$LAB/page"; } # METRIC{LABELS}, as it is written on the page
shows() { # N METRIC PATTERN
	page "$1" && [[ $(value "$2") =~ ^($3)$ ]]
}
exported() { # NAME TYPE HELP, a line each
	awk '$2 == "HELP" { name = $3; sub(/^# HELP [^ ]* /, ""); help = $0 } $2 == "TYPE" { print name, $4, help }' \
		"$LAB/page" | sort
}
documented() { sed -n 's/^| `\([a-z_]*\)` | \([a-z]*\) | [^|]* | \(.*\) |$/\1 \2 \3/p' "$top/docs/metrics.md" | sort; }

say "the files beside"
check "promtool takes the alerts" promtool check rules "$top/etc/mcroster.rules.yml"
check "each of them fires when it should" promtool test rules "$top/tests/metrics/rules_test.yml"
untested() {
	local name
	for name in $(sed -n 's/.*alert: //p' "$top/etc/mcroster.rules.yml"); do
		grep -q "{alertname: $name, " "$top/tests/metrics/rules_test.yml" &&
			grep -q "alertname: $name\$" "$top/tests/metrics/rules_test.yml" || echo "$name"
	done
}
check "each of them is tested, firing and not" equal "$(untested)" ""
check "promtool takes the dashboard's queries" promtool check rules \
	<("$top/tests/metrics/queries.py" --rules "$top/etc/mcroster-dashboard.json")

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_conf "$n"
	printf 'metrics = "%s.%s:%s"\n' "$LAB_NET" "$n" "$METRICS_PORT" >>"$LAB/$n/agent.conf"
	lab_agent_start "$n"
done
check "before any list there is a page" shows 3 'phase{phase="NONE"}' 1
lab_first_list 1 2

say "a settled cluster"
check "its epoch" lab_until "$LAB_WAIT_S" shows 1 epoch 1
check "promtool has nothing to say" equal "$(promtool check metrics <"$LAB/page" 2>&1)" ""
check "docs/metrics.md has them all, with their types and meanings" equal \
	"$(diff <(documented) <(exported))" ""
check "alerts and dashboard know no others, nor other labels and values" equal "$("$top/tests/metrics/queries.py" \
	"$LAB/page" "$top/etc/mcroster.rules.yml" "$top/etc/mcroster-dashboard.json" 2>&1)" ""
"$BUILD/mcadmin" status --agent "$(lab_agent_socket 1)" --raw >"$LAB/raw"
unknown() { # words of the page that the status does not have
	local name
	for name in epoch next_epoch phase settled aborting term serial generation keys_version \
		equivocation_documents trouble isolated owed_keys owed_bytes owed_trouble clients_unregistered; do
		name=${name%_documents}
		name=${name%_keys}
		grep -q "^${name//_/-} " "$LAB/raw" || echo "$name"
	done
}
check "the words are those of the status" equal "$(unknown)" ""
check "a1 coordinates" equal "$(value coordinates)" 1
check "a1's servers answer" lab_until "$LAB_WAIT_S" shows 1 'server_reachable{server="s1"}' 1
check "it holds its lease" shows 1 lease_left_seconds '[01]\.[0-9]{3}'
check "whose age is less than a lease" shows 1 lease_age_seconds '[01]\.[0-9]{3}'

say "a change with clients"
lab_load_start 3000 "1 2" --readers 1 --writers 1 --rate 200
lab_load fill
check "clients are counted" lab_until "$LAB_WAIT_S" shows 1 'clients{state="adopted"}' '[1-9]'
lab_conf 1 2 3
lab_push_start
check "COPY shows" lab_until "$LAB_WAIT_S" shows 1 'phase{phase="COPY"}' 1
check "the change goes through" lab_push_wait
check "epoch 2 shows" lab_until "$LAB_WAIT_S" shows 1 epoch 2
found=$(value 'mover_found_keys_total{phase="COPY"}')
check "keys that were found are counted: ${found:-none}" [ "${found:-0}" -gt 0 ]
check "so are those that were moved" [ "$(value 'mover_moved_keys_total{phase="COPY"}')" -gt 0 ]
check "the whole change is what the status says" equal "$(value 'change_keys{outcome="moved"}')" \
	"$(lab_status change_keys_moved)"
check "promtool has still nothing to say" equal "$(promtool check metrics <"$LAB/page" 2>&1)" ""
say "and back, as fast as it goes"
LAB_RATE=0
for n in 1 2 3; do "$BUILD/mcadmin" pace --agent "$(lab_agent_socket "$n")" --keys 0 >/dev/null || fail "mcadmin pace"; done
lab_conf 1 2 a3
lab_push_start
check "epoch 3 shows" lab_until "$LAB_WAIT_S" shows 3 epoch 3
check "the change goes through" lab_push_wait
check "epoch 3 shows" lab_until "$LAB_WAIT_S" shows 1 epoch 3
lab_load verify
lab_load_zeros

say "what goes wrong shows"
lab_server_stop 2
check "s2 does not answer" lab_until "$LAB_WAIT_S" shows 2 'server_reachable{server="s2"}' 0
lab_server_cont 2
check "s2 answers again" lab_until "$LAB_WAIT_S" shows 2 'server_reachable{server="s2"}' 1
"$BUILD/mcadmin" keygen --psk -o "$LAB/psk.other" >/dev/null
"$BUILD/mcadmin" status --agent "$LAB_NET.2:$LAB_AGENT_PORT" --agent-key "$LAB/2/host.key.pub" \
	--psk "$LAB/psk.other" --cluster "$LAB_CLUSTER" >/dev/null 2>&1
check "a stranger's handshake is counted" lab_until "$LAB_WAIT_S" \
	shows 2 'handshakes_refused_total{socket="peers",reason="mac"}' '[1-9][0-9]*'

say "hostile requests"
files() { find "/proc/${LAB_AGENT_PID[3]}/fd" -mindepth 1 | wc -l; }
memory_kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${LAB_AGENT_PID[3]}/status"; }
files_before=$(files) memory_before=$(memory_kib)
/usr/bin/python3 - "$LAB_NET.3" "$METRICS_PORT" >"$LAB/hostile.out" <<-'END' &
	# Two hundred that say nothing or dribble, and beside them all that is too large or no HTTP.
	import select, socket, sys, time
	at = (sys.argv[1], int(sys.argv[2]))
	def dial():
	    s = socket.socket()
	    s.settimeout(20)
	    s.connect(at)
	    return s
	many = []
	for i in range(200):
	    s = socket.socket()
	    s.setblocking(False)
	    s.connect_ex(at)
	    many.append(s)
	print("crowd", flush=True)
	bad = [b"\0" * 3000000, b"GET /" + b"a" * 3000000, b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 500000,
	       b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n" + b"x" * 3000000,
	       b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"GET " * 100000, b"\r\n" * 100000,
	       b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20000]
	for request in bad:
	    s = dial()
	    many.append(s)
	    try:
	        s.sendall(request)
	    except OSError:
	        pass
	for round in range(30):
	    _, open_now, _ = select.select([], many, [], 0)
	    for s in open_now:
	        try:
	            s.send(b"G")
	        except OSError:
	            many.remove(s)
	            s.close()
	    time.sleep(0.05)
	print("done", flush=True)
END
LAB_BESIDE+=("$!")
hostile=$!
lab_until "$LAB_WAIT_S" grep -q crowd "$LAB/hostile.out" || fail "the crowd does not come up"
check "no more than its places are taken" [ "$(files)" -le $((files_before + 12)) ]
check "meanwhile mcadmin is answered" lab_agent_answers 3
check "meanwhile it holds its lease" lab_leased 3
lab_until 60 lab_gone "$hostile" || fail "the hostile requests do not end"
case $BUILD in
*/plain) # sanitizers keep what was freed
	check "it has hardly grown: $memory_before KiB, now $(memory_kib)" \
		[ "$(memory_kib)" -le $((memory_before + 2048)) ]
	;;
esac
check "it still holds its lease" lab_leased 3
check "Prometheus gets its page" lab_until 60 shows 3 epoch 3

say "counters"
backwards() {
	awk -v host="$1" '$2 + 0 < last[$1] + 0 { print "a" host, $1, "from", last[$1], "to", $2 } { last[$1] = $2 }' \
		"$LAB/counters.$1"
}
for n in 1 2 3; do
	pages=$(grep -c '^mcroster_clients_misused_total ' "$LAB/counters.$n")
	check "a$n: none goes back in $pages pages" equal "$(backwards "$n")" ""
done
