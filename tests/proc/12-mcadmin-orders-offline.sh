#!/usr/bin/env bash
# mcadmin's orders and keys documents without any agent: signing by several, verifying, and the exit
# code and the one sentence of everything that must be refused.
# parallel
# shellcheck source=tests/lab/offline.sh
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"

# flip FILE AT OUT: the file with one bit of one byte changed.
flip() {
	local byte
	cp "$1" "$3"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059 # the escape is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$3" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# every_line WHAT FILE ARGUMENT...: with a byte of any line changed, its end, and a few of the rest,
# `changed` is refused by the command.
every_line() {
	local what=$1 file=$2 at size survived=
	shift 2
	size=$(stat -c %s "$file")
	for at in $(seq 0 23 $((size - 1))) $(grep -bo '^[a-z]' "$file" | cut -d: -f1) $((size - 2)) \
		$((size - 1)); do
		flip "$file" "$at" changed
		"$MCADMIN" "$@" >out 2>err </dev/null
		if [ $? != 3 ] || [ -s out ] || [ "$(wc -l <err)" != 1 ]; then survived="$survived $at"; fi
	done
	is "$what: bytes that may change" "$survived" ""
}

for n in 1 2 3; do
	done_ "keygen" keygen --no-passphrase -o "op$n"
	id[n]=$("$MCADMIN" keygen --no-passphrase -o "op$n" --force | sed -n 's/^key id *//p')
done
done_ "hostkey" hostkey -o host1
trust=(-p op1.pub -p op2.pub)
active=a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
pending=5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c

order() { # KIND TERM SERIAL PHASE [TARGET...]
	printf 'mcroster-order 1\ncluster web\norder %s\ncreated 2026-11-22T10:00:00Z\n' "$1"
	printf 'active %s\npending %s\nterm %s\nserial %s\nphase %s\n' "$active" "$pending" "$2" "$3" "$4"
	shift 4
	[ $# = 0 ] || printf 'target %s\n' "$@"
}
order abort 3 17 COPY >abort
order giveup 3 17 DRAIN "cache01 10.0.0.1:11211" "cache02 10.0.0.2:11211" >giveup
order excuse 3 17 PREPARE "web02 10.0.0.2:11280" >excuse
order failover 4 0 none "web02 10.0.0.2:11280" >failover

# ---- help and usage ----

for command in new show verify; do
	done_ "keys $command --help" keys $command --help
	says "keys $command --help" "^Usage: mcadmin keys $command "
	narrow "keys $command --help"
	refused 2 "mcadmin keys $command: unrecognized option '--colour'" "keys $command --colour" \
		keys $command --colour
done
refused 2 'new, show or verify is wanted' "keys of nothing" keys
refused 2 "there is no 'paint'" "keys of something else" keys paint

refused 2 '-k KEYFILE is missing' "abort without a key" abort --agent ./none
refused 2 "'s1' is one argument too many" "abort with an argument" abort s1 -k op1 --agent ./none
refused 2 'SERVER is missing' "giveup of nobody" giveup -k op1 --agent ./none
refused 2 'AGENT is missing' "excuse of nobody" excuse -k op1 --agent ./none
refused 2 'AGENT is missing' "failover to nobody" failover --term asked -k op1 --agent ./none
refused 2 'at most 1 AGENT, 2 given' "failover to two" failover a b --term asked -k op1 --agent ./none
refused 2 '--term N or --term asked is missing' "failover to no term" failover a -k op1 --agent ./none
for term in 0 1 x 01 -2 '' 9223372036854775808; do
	refused 2 "--term '$term'" "failover to term '$term'" failover a --term="$term" -k op1 --agent ./none
done
refused 2 "unrecognized option .--term" "abort with a term" abort --term 4 -k op1 --agent ./none
refused 2 "unrecognized option .--no-wait" "giveup --no-wait" giveup s1 --no-wait -k op1 --agent ./none
refused 2 "--timeout '0'" "abort --timeout 0" abort --timeout 0 -k op1 --agent ./none
refused 1 'no agent runs on this host' "abort of nobody" abort -k op1
refused 2 'needs --agent-key' "abort at a remote agent without its key" abort -k op1 --agent 127.0.0.1:1
for command in abort "giveup s1" "excuse a1" "failover a1 --term 4"; do
	# shellcheck disable=SC2086 # the words are the arguments
	refused 1 'no agent answers: .*none: No such file' "$command at no agent" $command -k op1 --agent ./none
	# shellcheck disable=SC2086
	refused 1 'no.key: No such file' "$command with no key" $command -k no.key --agent ./none
done
refused 3 "host1: not an operator's key" "abort with a host key" abort -k host1 --agent ./none
refused 3 'op1: the same key as -k' "abort with a key twice" abort -k op1 -k op1 --agent ./none
chmod 644 op3
refused 3 'op3: found mode 0644' "abort with a key that others can read" abort -k op3 --agent ./none
chmod 600 op3
many=()
for ((n = 0; n < 33; n++)); do many+=(-k op1); done
refused 2 'at most 32 signatures' "abort with 33 keys" abort "${many[@]}" --agent ./none

# ---- orders: signed by several, verified ----

for kind in abort giveup excuse failover; do
	refused 3 "$kind: document is not signed" "verify an unsigned $kind" verify "${trust[@]}" $kind
	done_ "sign the $kind" sign -k op1 $kind
	says "sign the $kind" "^Cluster web, order $kind .*signed by ${id[1]}, in $kind\$"
	refused 3 'signed by 1 trusted key, 2 must have signed' "verify an under-signed $kind" \
		verify "${trust[@]}" -t 2 $kind
	cp $kind once
	refused 3 "$kind: key ${id[1]} has signed already" "sign the $kind twice by one key" sign -k op1 $kind
	same "sign the $kind twice by one key" $kind once
	done_ "sign the $kind by the second" sign -k op2 $kind
	done_ "verify the $kind" verify "${trust[@]}" -t 2 --cluster web $kind
	says "verify the $kind" "^order $kind .*term [34]"
	says "verify the $kind" "^signed by +${id[1]} +valid"
	says "verify the $kind" "^ +${id[2]} +valid"
	refused 3 'want other' "verify the $kind of another cluster" verify "${trust[@]}" --cluster other $kind
	refused 3 'sign' "verify the $kind with a stranger's key" verify -p op3.pub $kind
	refused 1 'no agent answers' "push the $kind to no agent" push $kind --agent ./none
	refused 2 'about the cluster web' "push the $kind to another cluster" push $kind --cluster other
done
done_ "verify the giveup" verify "${trust[@]}" giveup
says "verify the giveup" '^target +cache02 at 10.0.0.2:11211$'
says "verify the giveup" "^pending +$pending\$"
run 1 "push --json to no agent" push giveup --json --agent ./none
says "push --json to no agent" '^\{"result":"failed","document":"order","order":"giveup",'
order abort 3 17 COPY >both
done_ "sign by two at once" sign -k op1 -k op2 both -o both.signed
same "sign by two at once" both.signed abort
refused 3 'the same key' "sign by one key twice at once" sign -k op1 -k op1 both
refused 3 "has signed already" "sign by two, one of them again" sign -k op3 -k op1 abort
same "sign by two, one of them again" both.signed abort

every_line "an order signed by two" abort verify "${trust[@]}" -t 2 changed
# A second signature by one key is no second signer, however it comes in.
{ cat once; tail -n 1 once; } >twice
refused 3 'signs twice: each key signs a document once' "verify one signature twice" verify "${trust[@]}" twice
refused 3 'signs twice' "push one signature twice" push twice --agent ./none
refused 3 'signs twice' "sign one signature twice" sign -k op3 twice
# A signature of one order under another.
{ cat both; grep '^signature' giveup; } >moved
refused 3 'is wrong: it does not belong' "verify with another order's signatures" verify "${trust[@]}" moved

wrong_order() { # PATTERN WHAT ARGUMENT...: an order that breaks a rule by itself is not signed
	local pattern=$1 what=$2
	shift 2
	order "$@" >wrong
	cp wrong wrong.kept
	refused 3 "wrong: line [0-9]+: .*$pattern" "sign $what" sign -k op1 wrong
	same "sign $what" wrong wrong.kept
}
wrong_order 'only PREPARE and COPY|possible in PREPARE and COPY' "an abort in DRAIN" abort 3 17 DRAIN
wrong_order 'no target' "an abort of a server" abort 3 17 COPY "cache01 10.0.0.1:11211"
wrong_order 'want .target' "a giveup of nobody" giveup 3 17 COPY
wrong_order 'order' "targets out of order" giveup 3 17 COPY "b 10.0.0.1:1" "a 10.0.0.2:1"
wrong_order 'one target' "a failover to two" failover 4 0 none "a 10.0.0.1:1" "b 10.0.0.2:1"
wrong_order 'serial' "a failover at a serial" failover 4 7 none "a 10.0.0.1:1"
wrong_order 'term' "a failover to term 1" failover 1 0 none "a 10.0.0.1:1"
wrong_order 'want abort' "an order of no kind" dance 3 17 COPY

# ---- what is none of the three ----

sed '1s/order/odor/' abort >odor
refused 3 'odor: line 1: neither mcroster-list, mcroster-order nor mcroster-keys' "sign another magic" \
	sign -k op3 odor
refused 3 'odor: line 1: neither' "push another magic" push odor --agent ./none
sed '1s/1/2/' both >later
refused 3 'later: line 1: ' "sign a format of later" sign -k op3 later
sed '1s/mcroster-order/mcroster-list/' both >disguised
refused 3 'disguised: line ' "sign an order disguised as a list" sign -k op3 disguised
refused 3 'disguised: line ' "show an order disguised as a list" show disguised
for kind in abort giveup excuse failover; do
	done_ "show an order" show "$kind"
	says "show $kind" "^order +$kind\$"
	says "show $kind" "^active list +$active\$"
	says "show $kind" '^signed by '
	narrow "show $kind"
	done_ "show --raw" show --raw "$kind"
	same "show --raw $kind" out "$kind"
	done_ "show --json" show --json "$kind"
	is "show --json $kind: lines" "$(lines out)" 1
	says "show --json $kind" "^\\{\"cluster\":\"web\",\"order\":\"$kind\",.*\"signatures\":\\["
done
done_ "show an order with targets" show giveup
says "show giveup" '^for +cache01 at 10.0.0.1:11211$'
says "show giveup" '^ +cache02 at 10.0.0.2:11211$'
says "show giveup" '^valid +in term 3, serial 17, phase DRAIN, and no longer$'
done_ "show a failover" show failover
says "show failover" "^valid +for term 4: the one after the register's\$"
sed '/^signature /d' abort >abort.unsigned
refused 3 'not signed' "show -p an unsigned order" show -p op1.pub abort.unsigned
refused 2 'hexadecimal' "show --hash of something else" show --hash abcd --agent ./none
refused 2 'one of them' "show a file and a hash" show --hash "$active" abort
: >empty
refused 3 'empty: document is empty' "push an empty file" push empty --agent ./none
head -c 300 abort >short
refused 3 'short: .*cut short' "push a cut order" push short --agent ./none

# ---- keys documents ----

first=(--first web)
refused 2 '-p PUBLIC is missing' "keys new without keys" keys new "${first[@]}" -t 1 -o x
refused 2 '-t THRESHOLD is missing' "keys new without a threshold" keys new "${first[@]}" -p op1.pub -o x
refused 2 '-o KEYS is missing' "keys new without -o" keys new "${first[@]}" -p op1.pub -t 1
refused 2 'more signatures than keys' "keys new with a threshold too high" \
	keys new "${first[@]}" -p op1.pub -t 2 -o x
refused 2 "-t '0'" "keys new with threshold 0" keys new "${first[@]}" -p op1.pub -t 0 -o x
refused 3 'the same key' "keys new with a key twice" keys new "${first[@]}" -p op1.pub -p op1.pub -t 1 -o x
refused 3 'not a public key' "keys new with a secret key" keys new "${first[@]}" -p op1 -t 1 -o x
refused 2 "not a cluster's name" "keys new for no cluster" keys new --first ../x -p op1.pub -t 1 -o x
refused 2 'only one can say' "keys new after two" keys new "${first[@]}" --parent x -p op1.pub -t 1 -o x
refused 1 'no agent runs on this host' "keys new after nothing" keys new -p op1.pub -t 1 -o x
refused 1 'no agent answers' "keys new after no agent" keys new --agent ./none -p op1.pub -t 1 -o x
refused 2 'one argument too many' "keys new with an argument" keys new y "${first[@]}" -p op1.pub -t 1 -o x
refused 3 'not a canonical|want an Ed25519|Ed25519 public key' "keys new with what is no key" \
	keys new "${first[@]}" -p AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= -t 1 -o x
is "nothing was written" "$(ls x 2>/dev/null)" ""

done_ "keys new --first" keys new "${first[@]}" -p op1.pub -p op2.pub -t 2 -o keys.1
says "keys new --first" '^Cluster web: keys version 1, 2 of 2 sign$'
says "keys new --first" '^  mcadmin sign -k KEY keys.1$'
narrow "keys new --first"
is "keys.1: its first line" "$(head -n 1 keys.1)" "mcroster-keys 1"
refused 3 'judged by|not signed' "keys verify of an unsigned one" keys verify -p op1.pub keys.1
done_ "sign keys.1" sign -k op1 keys.1
says "sign keys.1" "^Cluster web, keys version 1: signed by ${id[1]}, in keys.1\$"
cp keys.1 keys.1.once
refused 3 'judged by its own keys: signed by 1 trusted key, 2 must' "keys verify of an under-signed one" \
	keys verify -p op1.pub keys.1
refused 3 'has signed already' "sign keys.1 twice by one key" sign -k op1 keys.1
{ cat keys.1; tail -n 1 keys.1; } >keys.1.twice
refused 3 'signs twice' "keys verify of one signature twice" keys verify -p op1.pub keys.1.twice
done_ "sign keys.1 by the second" sign -k op2 keys.1
done_ "keys verify" keys verify -p op1.pub keys.1
says "keys verify" "^signed by +${id[1]} +for version 1\$"
refused 3 'sign' "keys verify with a stranger's key" keys verify -p op3.pub keys.1
refused 3 'this is cluster' "keys verify of another cluster" keys verify -p op1.pub --cluster other keys.1
refused 3 'signed by 2 trusted keys, 3 must' "keys verify under the agents' threshold" \
	keys verify -p op1.pub -p op2.pub -p op3.pub -t 3 keys.1
refused 3 "a keys document, which 'mcadmin keys verify' checks" "verify of keys" verify -p op1.pub keys.1
every_line "a keys document" keys.1 keys verify -p op1.pub changed

done_ "keys new after a parent" keys new --parent keys.1 -p op2.pub -p op3.pub -t 1 -o keys.2
says "keys new after a parent" 'keys version 1 -> 2, 1 of 2 sign, before 2 of 2$'
says "keys new after a parent" "^  ${id[3]}  .*  new\$"
says "keys new after a parent" "^  ${id[1]}  .*  goes\$"
says "keys new after a parent" '2 operators at least'
narrow "keys new after a parent"
refused 3 'nothing changes' "keys new of the same" keys new --parent keys.1 -p op2.pub -p op1.pub -t 2 -o x
done_ "sign keys.2 by the new ones" sign -k op2 -k op3 keys.2 -o keys.2.new
refused 3 'judged by the keys of version 1: signed by 1 trusted key, 2 must' \
	"keys verify: the old threshold counts" keys verify --parent keys.1 keys.2.new
done_ "sign keys.2 by one old one" sign -k op1 keys.2 -o keys.2.old
refused 3 'judged by the keys of version 1' "keys verify: one old one is not enough" \
	keys verify --parent keys.1 keys.2.old
done_ "sign keys.2 by the old ones" sign -k op1 -k op2 keys.2
done_ "keys verify --parent" keys verify --parent keys.1 keys.2
says "keys verify --parent" "^ +${id[2]} +for version 2 and version 1\$"
done_ "keys verify of a chain" keys verify -p op1.pub --cluster web keys.1 keys.2
refused 3 'the first one must be version 1' "keys verify of the second as the first" \
	keys verify -p op1.pub keys.2
refused 3 'keys version 1 cannot follow version 2' "keys verify backwards" keys verify --parent keys.2 \
	keys.1
run 3 "keys verify of one twice" keys verify -p op1.pub keys.1 keys.1
is "keys verify of one twice: why" "$(sed 's/.*: //' err)" "keys version 1 is here already"
# Another version 1, as good as the first: whoever signed both said two things.
done_ "keys new: another first" keys new "${first[@]}" -p op1.pub -p op2.pub -p op3.pub -t 2 -o other.1
done_ "sign another first" sign -k op1 -k op2 other.1
refused 3 'its signers signed both' "keys verify of another first" keys verify --parent keys.1 other.1
refused 3 'it belongs to another chain' "keys verify of another chain" keys verify --parent other.1 keys.2
refused 3 'this is an order' "keys verify of an order" keys verify -p op1.pub abort
refused 3 'this is an order' "keys new after an order" keys new --parent abort -p op1.pub -t 1 -o x
refused 2 'KEYS is missing' "keys verify of nothing" keys verify -p op1.pub
refused 2 'whose signature counts' "keys verify for nobody" keys verify keys.1
refused 2 'only one says whom' "keys verify for two" keys verify -p op1.pub --parent keys.1 keys.2
refused 2 '-t belongs to -p' "keys verify --parent -t" keys verify -t 1 --parent keys.1 keys.2

done_ "keys show" keys show keys.2
says "keys show" '^version +2$'
says "keys show" '^threshold +1 of these 2 keys$'
narrow "keys show"
done_ "keys show --raw" keys show --raw keys.2
same "keys show --raw" out keys.2
done_ "keys show --json" keys show --json keys.2
is "keys show --json: lines" "$(lines out)" 1
says "keys show --json" '^\{"cluster":"web","version":2,.*"threshold":1,"keys":\[\{"key_id":'
refused 2 'one of them' "keys show --json --raw" keys show --json --raw keys.2
refused 2 'one of them' "keys show of two things" keys show keys.2 --cluster web
refused 3 'this is an order' "keys show of an order" keys show abort
refused 1 'no agent answers' "keys show of no agent" keys show --agent ./none
refused 1 'no agent answers' "push keys to no agent" push keys.2 --agent ./none
run 1 "push --json of keys" push keys.2 --json --agent ./none
says "push --json of keys" '^\{"result":"failed","document":"keys","version":2,'
is "no temporary file is left" "$(find . -name '.mcadmin.*')" ""

end
