#!/usr/bin/env bash
# docs/runbook.md: its commands are run, one after the other, in one lab; what they print is what stands
# there.
# limit: 1800
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/runbook.sh
. "$(dirname "$0")/../../lab/runbook.sh"
cd "$(dirname "$0")/../../.." || exit 1

KEYS=3000

lab_new
hosts=()
for n in 1 2 3; do hosts+=(--host "web0$n=$LAB_NET.$n"); done
"$BUILD/mcadmin" init --no-passphrase --cluster web "${hosts[@]}" -o "$LAB/web" >"$LAB/init.log" 2>&1 ||
	fail "mcadmin init: $(cat "$LAB/init.log")"
# Shorter times than the defaults, so that what waits for a lease does not take minutes.
sed -i -E 's/^#(lease) = .*/\1 = 3000/; s/^#(steady-lease) = .*/\1 = 6000/; s/^#(op-timeout) = .*/\1 = 800/' "$LAB/web/cluster.conf"
for n in 1 2 3; do
	mkdir -p "$LAB/$n"
	cp -r "$LAB/web/web0$n" "$LAB/$n/etc"
	lab_server_start "$n"
	runbook_adapt "$n"
	lab_agent_start "$n"
done
"$BUILD/mcadmin" apply "$LAB/web/cluster.conf" -k "$LAB/web/operator.key" --yes \
	--agent "$(lab_agent_socket 1)" >"$LAB/first.log" 2>&1 || fail "the first list: $(tail -n 3 "$LAB/first.log")"
for n in 4 5 6; do lab_server_start "$n"; done
lab_load_start $KEYS "1 2 3" --readers 1 --writers 1 --rate 50
lab_load fill

runbook_run "${1:-docs/runbook.md}"
