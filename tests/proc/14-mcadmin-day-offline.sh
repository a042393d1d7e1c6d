#!/usr/bin/env bash
# The operator's commands without any agent: a cluster begun by init, its cluster.conf changed by
# commands that keep comments, completion in both shells, and what each of them refuses.
# parallel
# shellcheck source=tests/lab/offline.sh
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"

mode() { stat -c %a "$1"; }
unchanged() { same "$1: cluster.conf stays" cluster.conf kept; }

# ---- init ----

done_ "init" init --no-passphrase --host web01=10.0.0.1 --host web02=fd00::2 -o new
says "init" '^  operator.key +signs lists'
says "init" '^  mcadmin apply new/cluster.conf -k new/operator.key$'
narrow "init"
for file in operator.key psk web01/psk web01/host.key web02/host.key; do
	is "init: mode of $file" "$(mode new/$file)" 600
done
is "init: its files" "$(cd new && find . -type f | sort | tr '\n' ' ')" \
	"./cluster.conf ./operator.key ./operator.key.pub ./psk ./web01/agent.conf ./web01/host.key ./web01/psk ./web02/agent.conf ./web02/host.key ./web02/psk "
same "init: one pre-shared key" new/psk new/web02/psk
is "init: the agent trusts the operator" "$(grep -cF "$(cat new/operator.key.pub)" new/web01/agent.conf)" 1
is "init: comments" "$(($(grep -c '^#' new/cluster.conf) > 40))" 1
done_ "the new cluster's first list" plan new/cluster.conf --parent none -o first
says "the new cluster's first list" '^  web02 +\[fd00::2\]:11211 +web02'
done_ "it can be signed" sign -k new/operator.key first
sed -e "s|/etc/mcroster/|$PWD/new/web01/|" new/web01/agent.conf >agent.conf
printf 'state-directory = "%s"\ncontrol-socket = "%s"\nclients-socket = "%s"\n' "$PWD" "$PWD/c" "$PWD/k" >>agent.conf
is "the agent takes its agent.conf" "$("$MCROSTERD" -c agent.conf --check 2>&1; echo $?)" 0
refused 3 'new: File exists; what is there is left' "init over it" init --host a=10.0.0.1 -o new
done_ "init --json" init --host a=10.0.0.1 --cluster api --operator new/operator.key.pub --json
says "init --json" '^\{"cluster":"api","directory":"api","files":\["api","api/psk",'
is "init --operator: no secret is made" "$(ls api/operator.key 2>/dev/null)" ""
done_ "hostkey" hostkey -o own
done_ "init --host-key" init --no-passphrase --host a=10.0.0.1 --host-key a=own.pub -o keyed --agent-port 1 --server-port 2
is "init --host-key: the key is the host's" "$(grep -cF "$(cat own.pub)" keyed/cluster.conf)" 1
is "init --host-key: none is made" "$(ls keyed/a/host.key 2>/dev/null)" ""
is "init: ports" "$(grep -c '10.0.0.1:[12]"' keyed/cluster.conf)" 2
refused 2 'nobody can be asked' "init without a terminal" init
refused 2 'no address' "init of a name for an address" init --host a=localhost
refused 2 'no address' "init with a port" init --host a=10.0.0.1:5
refused 2 'NAME=' "init of no address" init --host a
refused 2 'there is a host a already' "init of a host twice" init --host a=10.0.0.1 --host a=10.0.0.2
refused 2 'there is no --host b' "init with nobody's key" init --host a=10.0.0.1 --host-key b=own.pub
refused 2 'neither a file nor' "init with no key" init --host a=10.0.0.1 --host-key a=none
refused 2 'no port' "init of port 0" init --host a=10.0.0.1 --agent-port 0
refused 2 'one argument too many' "init with an argument" init web
refused 3 'found the address 10.0.0.1:11280 of' "init of an address twice" \
	init --no-passphrase --host a=10.0.0.1 --host b=10.0.0.1 -o twice
is "init that fails leaves nothing" "$(ls -d twice 2>/dev/null)" ""
refused 1 'nowhere/x: No such file' "init into no directory" init --host a=10.0.0.1 -o nowhere/x

# ---- add, remove, weight, replace ----

cp "$top/etc/cluster.conf" cluster.conf
cp cluster.conf kept
done_ "list" plan cluster.conf --parent none -o list
done_ "add" add cluster.conf cache04 10.0.0.3:11212 --parent list
says "add" '^  cache04 +10.0.0.3:11212 +100 +0 +4096 +25.0 % +new$'
says "add" '^cluster.conf is changed.  Next:$'
says "add" '^  mcadmin apply cluster.conf -k KEY$'
narrow "add"
is "add: what is new in the file" "$(diff kept cluster.conf | sed -n 's/^> //p' | tr '\n' ';')" \
	'server "cache04" {;	address = "10.0.0.3:11212";	agent = "web03";};'
is "add: nothing is gone" "$(diff kept cluster.conf | grep -c '^<')" 0
cp cluster.conf kept
done_ "add with a new host" add cluster.conf cache05 10.0.0.5:11211 --parent list --weight 50 \
	--host web05 --host-address 10.0.0.5:11280 --host-key own.pub --wipe 10
says "add with a new host" '^agent +web05 is new$'
is "add with a new host: weight" "$(grep -c 'weight = 50$' cluster.conf)" 1
cp cluster.conf kept
refused 3 'there is a server "cache04" already' "add twice" add cluster.conf cache04 10.0.0.3:1 --no-plan
refused 3 'found the address 10.0.0.1:11211 of "cache01"' "add at another's address" \
	add cluster.conf cache09 10.0.0.1:11211 --no-plan
refused 3 "has not one agent at the address" "add at nobody's address" add cluster.conf x 10.0.0.77:1 --no-plan
refused 3 "has no agent 'web77'" "add for no agent" add cluster.conf x 10.0.0.77:1 --host web77 --no-plan
refused 3 "address: found '10.0.0.7', expected" "add without a port" add cluster.conf x 10.0.0.7 --no-plan
refused 3 "SERVER: found the name '-x y'" "add of a bad name" add --no-plan -- cluster.conf '-x y' 10.0.0.3:1
refused 3 "weight: found '0', expected a whole number from 1" "add --weight 0" \
	add cluster.conf x 10.0.0.3:1 --weight 0 --no-plan
refused 2 'a new host has all three' "add of half a host" \
	add cluster.conf x 10.0.0.7:1 --host y --host-address 10.0.0.7:2 --no-plan
refused 2 'CLUSTER.CONF SERVER ADDRESS:PORT is wanted, 2 arguments given' "add of nothing" add cluster.conf x
refused 2 '4 arguments given' "add of too much" add cluster.conf x 10.0.0.3:1 y
refused 1 'no agent answers: .*; cluster.conf is as it was \(--no-plan' "add without an agent" \
	add cluster.conf x 10.0.0.3:1 --agent ./none
refused 1 'none.conf: No such file' "add to no file" add none.conf x 10.0.0.3:1 --no-plan
unchanged "what was refused"

done_ "weight" weight cluster.conf cache01 200 --no-plan
is "weight: a line more" "$(diff kept cluster.conf | grep -c '^[<>]')" 1
done_ "weight again" weight cluster.conf cache01 300 --no-plan
is "weight again: it is replaced" "$(diff kept cluster.conf | sed -n 's/^> //p')" "	weight = 300"
cp cluster.conf kept
for weight in 0 -1 1.5 1000001 x ''; do
	refused 3 "weight: found '$weight', expected a whole number from 1 to 1000000" "weight '$weight'" \
		weight --no-plan -- cluster.conf cache01 "$weight"
done
refused 3 'there is no server "cache77"' "weight of nobody" weight cluster.conf cache77 5 --no-plan
refused 2 '2 arguments given' "weight of none" weight cluster.conf cache01
unchanged "a weight that is refused"

done_ "remove" remove cluster.conf cache02 --giveup --with-host --parent list
says "remove" '^giveup +cache02: the keys of its 5461 slots \(33.3 %\) become misses$'
says "remove" '^agent +web02 leaves$'
says "remove" '^  mcadmin apply cluster.conf -k KEY --giveup cache02$'
is "remove: comments are kept" "$(grep -c '^#' cluster.conf)" "$(grep -c '^#' kept)"
is "remove: its agent has gone too" "$(grep -c '"web02"' cluster.conf)" 0
cp cluster.conf kept
refused 3 'agent web03 works for cache03 as well' "remove --with-host of a shared one" \
	remove cluster.conf cache04 --with-host --no-plan
refused 3 'is the coordinator' "remove --with-host of the coordinator" \
	remove cluster.conf cache01 --with-host --no-plan
refused 3 'there is no server "cache02"' "remove twice" remove cluster.conf cache02 --no-plan
refused 3 'epoch 1 has no such server' "remove --giveup of a new one" \
	remove cluster.conf cache05 --giveup --parent list
unchanged "a removal that is refused"
printf 'cluster = "x"\ncoordinator = "a"\nagent "a" { address = "10.0.0.1:1" key = "%s" }\n' "$(cat own.pub)" >one.conf
echo 'server "s" { address = "10.0.0.1:2" agent = "a" }' >>one.conf
refused 3 'found 0 servers' "removal of the last one" remove one.conf s --no-plan

done_ "replace" replace cluster.conf cache03 10.0.0.3:11299 --name cache33 --parent list --json
says "replace --json" '"from":"cache03","from_address":"10.0.0.3:11211","to":"cache33","to_address":"10.0.0.3:11299"'
is "replace: two lines are others" "$(diff kept cluster.conf | grep -c '^>')" 2
cp cluster.conf kept
done_ "replace under the same name" replace cluster.conf cache33 10.0.0.3:11211 --no-plan
is "replace under the same name: one line" "$(diff kept cluster.conf | sed -n 's/^> //p')" '	address = "10.0.0.3:11211"'
cp cluster.conf kept
refused 3 'is at 10.0.0.3:11211 already' "replace by itself" replace cluster.conf cache33 10.0.0.3:11211 --no-plan
refused 3 'there is a server "cache01" already' "replace by another" \
	replace cluster.conf cache33 10.0.0.3:5 --name cache01 --no-plan
unchanged "a replacement that is refused"
refused 3 'agent web03 works for the new one as well' "replace --with-host of the agent that stays" \
	replace cluster.conf cache33 10.0.0.3:5 --with-host --no-plan
refused 3 'agent web03 works for cache04 as well' "replace --with-host of a shared one" \
	replace cluster.conf cache33 10.0.0.6:1 --host web05 --with-host --no-plan
refused 3 'is the coordinator' "replace --with-host of the coordinator" \
	replace cluster.conf cache01 10.0.0.6:1 --host web05 --with-host --no-plan
unchanged "a replacement that would take an agent with it"
done_ "replace --with-host" replace cluster.conf cache05 10.0.0.6:11211 --giveup --with-host --no-plan \
	--name cache06 --host web06 --host-address 10.0.0.6:11280 --host-key own.pub
says "replace --with-host" '^  mcadmin apply cluster.conf -k KEY --giveup cache05$'
is "replace --with-host: the old agent has gone, the new one is there" \
	"$(grep -o '^agent "web0[56]"' cluster.conf)" 'agent "web06"'
is "replace --with-host: and works for it" \
	"$(sed -n '/^server "cache06"/,/^}/s/^\tagent = //p' cluster.conf)" '"web06"'
done_ "what replace --with-host leaves is a cluster" plan cluster.conf --parent none
ln -s cluster.conf link.conf
done_ "weight through a link" weight link.conf cache01 5 --no-plan
is "the link stays" "$(readlink link.conf)" cluster.conf
echo 'colour = "blue"' >>cluster.conf
refused 3 "unknown option 'colour'" "weight in a wrong file" weight cluster.conf cache01 6 --no-plan

# ---- apply, where nobody is there ----

refused 2 '-k KEYFILE is missing' "apply without a key" apply new/cluster.conf
refused 2 'one CLUSTER.CONF is wanted' "apply of nothing" apply -k new/operator.key
refused 2 'goes with --yes' "apply --json without --yes" apply new/cluster.conf -k new/operator.key --json
refused 2 "--timeout '0'" "apply --timeout 0" apply new/cluster.conf -k new/operator.key --timeout 0
refused 1 'no agent answers' "apply without an agent" apply new/cluster.conf -k new/operator.key --agent ./none
refused 1 'none.key: No such file' "apply with no key" apply new/cluster.conf -k none.key --agent ./none
refused 3 "unknown option 'colour'" "apply of a wrong file" apply cluster.conf -k new/operator.key --agent ./none

# ---- JSON: each is one object that a parser takes, with the names of docs/json.md ----

object() { # WHAT MEMBER... -- ARGUMENT...: all of the members are there, and documented
	local what=$1 members=()
	shift
	while [ "$1" != -- ]; do members+=("$1") && shift; done
	shift
	run 0 "$what" "$@"
	is "$what: one object with its members" \
		"$("$top/tests/lab/json_names.py" "$top/docs/json.md" "${what% --json*}" out "${members[@]}" 2>&1)" ""
}
object "keygen --json" key_id public_key secret_file -- keygen --no-passphrase -o js.key --json
printf 'a passphrase of tests\n' >words && chmod 600 words
object "passphrase --json" file encrypted -- passphrase js.key --passphrase-file words --json
says "passphrase --json" '"encrypted":true'
object "hostkey --json" public_key -- hostkey -o js.host --json
object "init --json" cluster directory files -- init --host a=10.0.0.1 --no-passphrase -o js --json
object "plan --json of a first list" epoch changes -- plan js/cluster.conf --parent none --json -o js.list
object "sign --json" document file signatures more_wanted -- sign -k js/operator.key -t 2 js.list --json
object "verify --json" good hash signatures -- verify -p js/operator.key.pub js.list --json
object "show --json" cluster epoch servers -- show js.list --json
object "keys new --json" file previous_version signers_wanted version threshold keys signatures -- \
	keys new --first web -p js/operator.key.pub -t 1 -o js.keys --json
says "keys new --json" '^\{"file":"js.keys","previous_version":0,"signers_wanted":1,"cluster":"web","version":1,.*"signatures":\[\]'
done_ "its keys document" sign -k js/operator.key js.keys
object "keys verify --json" good documents -- keys verify -p js/operator.key.pub js.keys --json
says "keys verify --json" '^\{"good":true,"documents":\[\{"file":"js.keys","cluster":"web","version":1,.*"signatures":\["[0-9a-f]+"\]\}\]\}$'
refused 3 'is here already' "keys verify --json of one twice" keys verify -p js/operator.key.pub js.keys js.keys --json
object "add --json" moves percent_moved balance_before -- add js/cluster.conf b 10.0.0.1:11212 --parent js.list --json
done_ "another list" plan js/cluster.conf --parent js.list -o list.other
object "diff --json" same from to moves -- diff js.list list.other --json
object "remove --json" moves percent_moved slots_moved -- remove js/cluster.conf b --parent list.other --json
object "add --json with the servers asked" keys bytes ms minutes servers not_asked -- \
	add js/cluster.conf b 10.0.0.1:11212 --parent js.list --json --ask yes
object "plan --json of a first list with the servers asked" keys_held not_asked -- \
	plan js/cluster.conf --parent none --ask yes --json
object "route --json" key covered slot server address next_server next_address -- route key --list js.list --json

# ---- diff ----

done_ "diff of one list" diff js.list js.list
says "diff of one list" '^The two are one list: cluster web, epoch 1\.$'
done_ "diff" diff js.list list.other
says "diff" '^moves +50.0 % of the keys$'
says "diff" '^  b +10.0.0.1:11212 +100 +0 +8192 +50.0 % +new$'
refused 2 'two lists are wanted, 1 given' "diff of one" diff js.list
refused 2 'two lists are wanted, 3 given' "diff of three" diff js.list js.list js.list
refused 1 'none: No such file' "diff of nothing" diff js.list none
refused 3 'cluster.conf: ' "diff of a cluster.conf" diff js.list js/cluster.conf
refused 1 'no agent answers' "diff without an agent" diff active js.list --agent ./none
refused 2 "alone" "diff of files, at an agent" diff js.list js.list --agent ./none

# ---- what watches, where nobody is there ----

for command in status top clients; do
	refused 1 'no agent answers: .*none' "$command without an agent" $command --agent ./none
	refused 2 "'more' is one argument too many" "$command with an argument" $command more
	refused 1 'no agent runs on this host' "$command of nobody" $command
done
refused 2 "--every '0'" "status --every 0" status --every 0 --agent ./none
refused 2 'only one of them' "status --json --raw" status --json --raw --agent ./none
run 1 "doctor without an agent" doctor --agent ./none --conf ./none.conf
says "doctor without an agent" '^FAULT  agent +no agent answers'
run 1 "doctor of nobody" doctor --conf ./none.conf
says "doctor of nobody" '^FAULT  agent +none runs on this host: /run/mcroster has no control socket$'
run 1 "doctor without an agent" doctor --agent ./none --conf ./none.conf
says "doctor says what it means" '^ +The agent of this host answers on its control socket'
says "doctor says what to do" "^ +'systemctl status mcrosterd'"
says "doctor without agent.conf" '^WARN   conf +./none.conf: No such file'
is "no colours where there is no terminal" "$(grep -c "$(printf '\033')" out)" 0
run 1 "doctor --json" doctor --agent ./none --conf ./none.conf --json
says "doctor --json" '^\{"result":"fault","checks":\[\{"check":"agent","result":"fault",'
is "doctor --json: its names" "$("$top/tests/lab/json_names.py" "$top/docs/json.md" doctor out result checks 2>&1)" ""
refused 2 "'more' is one argument too many" "doctor with an argument" doctor more

# ---- completion ----

refused 2 'bash or zsh is wanted' "completion for no shell" completion
refused 2 'bash or zsh is wanted' "completion for another shell" completion fish
done_ "completion bash" completion bash
cp out mcadmin.bash
completes() { # WHAT EXPECTED WORD...: what bash offers for the last word
	local what=$1 expected=$2
	shift 2
	is "$what" "$(bash -c '. ./mcadmin.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mcadmin; printf "%s " "${COMPREPLY[@]}"' \
		bash "$@" 2>/dev/null)" "$expected "
}
completes "bash: a command" "plan" mcadmin pl
completes "bash: a subcommand" "new" mcadmin keys n
completes "bash: an option" "--rate-keys --rate-bytes" mcadmin plan --ra
completes "bash: an option of a subcommand" "--threshold" mcadmin keys new --th
completes "bash: words of an option" "yes" mcadmin plan --ask y
completes "bash: words of an argument" "zsh" mcadmin completion z
completes "bash: a file" "cluster.conf" mcadmin apply clu
completes "bash: the file of an option" "own own.pub" mcadmin init --operator ow
is "bash: every command" "$(bash -c '. ./mcadmin.bash; COMP_WORDS=(mcadmin ""); COMP_CWORD=1; _mcadmin; printf "%s\n" "${COMPREPLY[@]}"' |
	grep -v '^--' | sort)" "$("$MCADMIN" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | sort)"
done_ "completion zsh" completion zsh
cp out _mcadmin
is "zsh: it is its language" "$(zsh -n _mcadmin 2>&1; echo $?)" 0

end
