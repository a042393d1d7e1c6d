#!/usr/bin/env bash
# mcadmin without any agent: keys, lists, plans and routes, and the exit code and the one sentence
# of everything that must be refused.
# parallel
# shellcheck source=tests/lab/offline.sh
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"

mode() { stat -c %a "$1"; }

# ---- help and usage ----

done_ "version" --version
is "both programs are of one version" "$(cat out)" "mcadmin $("$MCROSTERD" --version | cut -d' ' -f2)"
done_ "help" --help
says "help" '^  keygen .*key'
narrow "help"
is "help: every command is there once" "$(sed -n "s/^  \([a-z]*\)  .*/\1/p" out | sort | uniq -d)" ""
for command in $("$MCADMIN" --help | sed -n "s/^  \([a-z]*\)  .*/\1/p"); do
	done_ "$command --help" "$command" --help
	says "$command --help" "^Usage: mcadmin $command "
	narrow "$command --help"
	refused 2 "mcadmin $command: unrecognized option '--colour'" "$command --colour" "$command" --colour
done
run 2 "no command"
is "no command: nothing on standard output" "$(wc -c <out)" 0
run 2 "an unknown command" paint
is "an unknown command: it is named" "$(head -n 1 err)" "mcadmin: there is no command 'paint'"

# ---- keys ----

done_ "keygen" keygen --no-passphrase -o op.key
says "keygen" '^key id +[0-9a-f]{16}$'
says "keygen" "^public key +$(sed 's/[+]/[+]/g' op.key.pub)\$"
id=$(sed -n 's/^key id *//p' out)
is "op.key: mode" "$(mode op.key)" 600
is "op.key.pub: mode" "$(mode op.key.pub)" 644
is "op.key: lines" "$(lines op.key)" 1
is "op.key.pub: lines" "$(lines op.key.pub)" 1
is "op.key: form" "$(grep -cE '^mcroster-operator-key 1 [A-Za-z0-9+/]{86}==$' op.key)" 1
is "op.key.pub: form" "$(grep -cE '^[A-Za-z0-9+/]{43}=$' op.key.pub)" 1
cp op.key op.key.kept
refused 3 'op.key.*not overwritten' "keygen over a key" keygen --no-passphrase -o op.key
rm op.key.pub
refused 3 'op.key: .*not overwritten' "keygen over a secret" keygen --no-passphrase -o op.key
same "keygen over a key" op.key op.key.kept
done_ "keygen --force" keygen --no-passphrase --force --output op.key
is "keygen --force: another key" "$(cmp -s op.key op.key.kept && echo same)" ""
id=$(sed -n 's/^key id *//p' out)
(umask 0 && "$MCADMIN" keygen --no-passphrase -o open.key >/dev/null)
is "op.key: mode under umask 0" "$(mode open.key)" 600
done_ "keygen --psk" keygen --psk -o psk
is "psk: mode" "$(mode psk)" 600
is "psk: form" "$(grep -cE '^[A-Za-z0-9+/]{43}=$' psk)" 1
is "psk: no public half" "$(ls psk.pub 2>/dev/null)" ""
refused 3 'psk.*not overwritten' "keygen --psk over a key" keygen --psk -o psk
refused 2 '-o FILE is missing' "keygen without -o" keygen
refused 2 "'more' is one argument too many" "keygen with an argument" keygen -o x more
refused 1 'nowhere' "keygen into no directory" keygen --no-passphrase -o nowhere/key
refused 3 'not a regular file' "keygen over a device" keygen --no-passphrase --force -o /dev/null
for n in 1 2 3 4; do done_ "hostkey" hostkey -o "host$n"; done
says "hostkey" "^public key +$(sed 's/[+]/[+]/g' host4.pub)\$"
is "host1: mode" "$(mode host1)" 600
is "host1: form" "$(grep -cE '^[A-Za-z0-9+/]{43}=$' host1)" 1
refused 3 'host1.*not overwritten' "hostkey over a key" hostkey -o host1
refused 2 '--psk' "hostkey --psk" hostkey --psk -o x
is "no temporary file is left" "$(find . -name '.mcadmin.*')" ""

# ---- the first list ----

conf() { # SERVERS [LINE...]
	local n count=$1
	shift
	printf '# hosts\ncluster = "web"\ncoordinator = "web01"\n'
	[ $# = 0 ] || printf '%s\n' "$@"
	for ((n = 1; n <= count; n++)); do
		printf 'agent "web0%s" { address = "10.0.0.%s:11280" key = "%s" }\n' $n $n "$(cat host$n.pub)"
		printf 'server "cache0%s" {\n\taddress = "10.0.0.%s:11211" # memcached\n' $n $n
		printf '\tagent = "web0%s"\n}\n' $n
	done
}
conf 3 >three.conf
conf 4 >four.conf
done_ "the first list" plan three.conf --parent none -o list.1
says "the first list" 'First list of the cluster web: epoch 1, 16384 slots\.'
says "the first list" '^  cache01 +10.0.0.1:11211 +web01 +100 +5462 +33.3 %$'
says "the first list" '^  mcadmin sign -k KEY list.1$'
says "the first list" '^  mcadmin push list.1$'
narrow "the first list"
is "list.1: its first line" "$(head -n 1 list.1)" "mcroster-list 1"
is "list.1: parent" "$(grep ^parent list.1)" "parent none"
is "list.1: signatures" "$(grep -c ^signature list.1)" 0
done_ "the first list as JSON" plan three.conf --parent none --json
says "the first list as JSON" '^\{"cluster":"web","parent_epoch":0,"epoch":1,"changes":true,"list":null\}$'
done_ "plan of the sample" plan "$top/etc/cluster.conf" --parent none -o sample
refused 2 'one CLUSTER.CONF is wanted, 0 given' "plan without a file" plan --parent none -o x
refused 2 'one CLUSTER.CONF is wanted, 2 given' "plan of two files" plan three.conf four.conf --parent none -o x
refused 1 'none.conf: No such file' "plan of no file" plan none.conf --parent none -o x
run 1 "plan into no directory" plan three.conf --parent none -o nowhere/list
is "plan into no directory: what it says" "$(grep -c 'nowhere/list: .*No such file' err)" 1
refused 3 'the first list has no server that leaves' "a first list with a server given up" \
	plan three.conf --parent none --giveup cache01
conf_refused() { # PATTERN WHAT LINE...: a line that makes cluster.conf wrong
	local pattern=$1 what=$2
	shift 2
	conf 3 "$@" >wrong.conf
	refused 3 "^mcadmin plan: wrong.conf:$pattern" "cluster.conf: $what" plan wrong.conf --parent none -o x
}
conf_refused "4: found an unknown option 'colour', expected one of cluster" "an unknown option" 'colour = blue'
conf_refused "4: lease: found 'long', expected a whole number" "no number" 'lease = long'
conf_refused "5: lease: found a second one" "an option twice" 'lease = 4000' 'lease = 5000'
conf_refused "4: op-timeout: found 2000, expected less than a third" "op-timeout" 'op-timeout = 2000'
conf_refused "4: found a '\\{' that is never closed" "an open brace" 'server "x" {'
conf_refused ".*found the agent 'web09', expected one of" "no such agent" \
	'server "x" { address = "10.0.0.8:1" agent = "web09" }'
conf_refused ".*found the address 10.0.0.2:11211 of" "an address twice" \
	'server "x" { address = "10.0.0.2:11211" agent = "web01" }'
conf_refused ".*found the name 'cache02' twice" "a name twice" \
	'server "cache02" { address = "10.0.0.8:1" agent = "web01" }'
is "nothing was written" "$(ls x 2>/dev/null)" ""

# ---- sign, verify, show ----

cp list.1 unsigned
refused 3 'list.1: .*signed by 0|list.1: .*sign' "verify an unsigned list" verify -p op.key.pub list.1
done_ "sign to another file" sign -k op.key unsigned -o signed
done_ "sign in place" sign -k op.key list.1
says "sign" "signed by $id, in list.1\$"
same "sign" list.1 signed
is "list.1: body" "$(head -c "$(stat -c %s unsigned)" list.1 | cksum)" "$(cksum <unsigned)"
is "list.1: signatures" "$(grep -c "^signature $id " list.1)" 1
is "list.1: mode" "$(mode list.1)" 644
refused 3 'signed already' "sign twice" sign -k op.key list.1
same "sign twice" list.1 signed
done_ "verify by file" verify -p op.key.pub list.1
says "verify" "^signed by +$id +valid \\(op.key.pub\\)\$"
narrow "verify"
done_ "verify by base64" verify -p "$(cat op.key.pub)" --cluster web list.1
refused 3 'other' "verify of another cluster" verify -p op.key.pub --cluster other list.1
done_ "keygen" keygen --no-passphrase -o second.key
refused 3 'signed by 0 trusted keys|sign' "verify with a stranger's key" verify -p second.key.pub list.1
refused 3 'sign' "verify with a threshold not reached" verify -p op.key.pub -p second.key.pub -t 2 list.1
done_ "sign a second time" sign -k second.key list.1 -o list.1.both
done_ "verify with a threshold reached" verify -p op.key.pub -p second.key.pub -t 2 list.1.both
done_ "verify beside an unknown key" verify -p op.key.pub list.1.both
says "verify beside an unknown key" 'unknown key, not counted$'
refused 2 'more signatures than keys' "verify with a threshold too high" verify -p op.key.pub -t 2 list.1
refused 2 "-t '0'" "verify with threshold 0" verify -p op.key.pub -t 0 list.1
refused 2 '-p PUBLIC is missing' "verify without a key" verify list.1
refused 3 'the same key' "verify with a key twice" verify -p op.key.pub -p op.key.pub list.1
refused 1 'neither a file nor' "verify with no key file" verify -p none.pub list.1
refused 3 'not a public key' "verify with a secret key" verify -p op.key list.1
refused 1 'none: No such file' "verify of no file" verify -p op.key.pub none
refused 2 'one DOCUMENT is wanted' "verify of two lists" verify -p op.key.pub list.1 list.1

refused 2 '-k KEYFILE is missing' "sign without a key" sign list.1
refused 3 "host1: not an operator's key" "sign with a host key" sign -k host1 unsigned
refused 1 'none.key: No such file' "sign with no key" sign -k none.key unsigned
chmod 644 second.key
refused 3 'mode 0644' "sign with a key that others can read" sign -k second.key unsigned
chmod 600 second.key
sed 's/weight=100/weight=0/' unsigned >nonsense
cp nonsense nonsense.kept
refused 3 'nonsense: line [0-9]+: ' "sign what agents would refuse" sign -k op.key nonsense
same "sign what agents would refuse" nonsense nonsense.kept
is "unsigned: still" "$(grep -c ^signature unsigned)" 0

# One byte changed anywhere: never good.  Each kind of line is hit, and the signature.
size=$(stat -c %s signed)
for at in 0 15 20 40 100 160 200 250 300 400 500 600 700 900 2000 9000 20000 $((size - 150)) \
	$((size - 100)) $((size - 60)) $((size - 3)) $((size - 2)) $((size - 1)); do
	cp signed changed
	byte=$(od -An -tu1 -j "$at" -N 1 signed | tr -d ' ')
	# shellcheck disable=SC2059 # the escape is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of=changed bs=1 seek="$at" conv=notrunc 2>/dev/null
	refused 3 'changed: ' "verify with byte $at changed" verify -p op.key.pub changed
done
for length in 0 1 100 $((size - 1)) $((size - 90)); do
	head -c "$length" signed >short
	refused 3 'short: ' "verify of the first $length bytes" verify -p op.key.pub short
done
{ cat signed && echo; } >longer
refused 3 'longer: ' "verify with a line more" verify -p op.key.pub longer
{ echo && cat signed; } >earlier
refused 3 'earlier: ' "verify with a line before" verify -p op.key.pub earlier
sed 's/$/\r/' unsigned >crlf
refused 3 'crlf: ' "show with CR LF" show crlf
head -c 2000000 /dev/zero >zeros
refused 1 'zeros: larger than 1048576' "show of too much" show zeros
refused 3 'psk: ' "show of something else" show psk
refused 3 'no regular file' "show of a directory" show .
mkfifo fifo
refused 3 'no regular file' "show of a FIFO, which nobody writes to" show fifo
refused 3 'no regular file' "plan with a FIFO as cluster.conf" plan fifo --parent none -o list.fifo
refused 3 'no regular file' "sign with a FIFO as key" sign -k fifo list.1
refused 3 'no regular file' "verify with a FIFO as public key" verify -p fifo list.1
refused 3 'no regular file' "a FIFO as pre-shared key" status --agent 127.0.0.1:1 --agent-key op.key.pub \
	--psk fifo --cluster web

done_ "show" show list.1
says "show" '^cluster +web$'
says "show" '^parent +none$'
says "show" "^signed by +$id +not checked\$"
says "show" '^  web02 +10.0.0.2:11280 +[A-Za-z0-9+/]{43}=$'
says "show" '^  cache03 +10.0.0.3:11211 +web03 +100 +5461 +33.3 %$'
narrow "show"
done_ "show -p" show -p op.key.pub list.1
says "show -p" "^signed by +$id +valid \\(op.key.pub\\)\$"
refused 3 'sign' "show -p with a stranger's key" show -p second.key.pub list.1
done_ "show --raw" show --raw list.1
same "show --raw" out list.1
done_ "show --json" show --json -p op.key.pub list.1
is "show --json: lines" "$(lines out)" 1
says "show --json" '^\{"cluster":"web","epoch":1,.*"parent":null,.*"verified":true,'
refused 2 'one of them' "show --json --raw" show --json --raw list.1
refused 1 'no agent runs on this host' "show of nothing" show
refused 2 'one of them' "show of two things" show list.1 --cluster web

# ---- plan ----

plan_moved() { sed -n 's/^moves  *\([0-9]*\) of .* slots: \(.*\)$/\1 \2/p' out; }
done_ "plan" plan four.conf --parent list.1 -o list.2
is "plan 3 -> 4: what moves" "$(plan_moved)" "4096 25.0 %"
says "plan" '^  cache04 +10.0.0.4:11211 +100 +0 +4096 +25.0 % +new$'
says "plan" '^  cache01 +cache04 +1366 +8.3 %$'
says "plan" '^balance +max over mean 1.000, before 1.000$'
says "plan" '^ +furthest from its share by weight: 0.00 slots, before 0.67$'
says "plan" '^agent +web04 is new$'
narrow "plan"
is "plan: moves to none but the new one" "$(grep -cE '^  cache0[123] +cache0[123] ' out)" 0
is "list.2: epoch" "$(grep ^epoch list.2)" "epoch 2"
done_ "show" show --json list.1
is "list.2: parent" "$(grep ^parent list.2)" "parent $(sed 's/.*"hash":"\([0-9a-f]*\)".*/\1/' out)"
done_ "sign" sign -k op.key list.2
done_ "verify" verify -p op.key.pub list.2
done_ "plan without -o" plan three.conf --parent list.2
is "plan 4 -> 3: what moves" "$(plan_moved)" "4096 25.0 %"
says "plan 4 -> 3" '^  cache04 .* leaves$'
done_ "plan of no change" plan four.conf --parent list.2
says "plan of no change" '^Nothing changes'
refused 3 'nothing changes' "plan of no change with -o" plan four.conf --parent list.2 -o list.3
is "plan of no change with -o: no file" "$(ls list.3 2>/dev/null)" ""
conf 4 'lease = 4000' >policy.conf
done_ "plan of a policy" plan policy.conf --parent list.2 -o list.3
is "plan of a policy: what moves" "$(plan_moved)" "0 0.0 %"
says "plan of a policy" '^lease +5000 -> 4000$'
conf 4 'slots = 32768' >slots.conf
done_ "plan of more slots" plan slots.conf --parent list.2
is "plan of more slots: what moves" "$(plan_moved)" "0 0.0 %"
conf 4 'slots = 8192' >slots.conf
refused 3 'can only grow' "plan of fewer slots" plan slots.conf --parent list.2
sed 's/cache02/renamed/' four.conf >renamed.conf
refused 3 'renamed' "plan of a renamed server" plan renamed.conf --parent list.2
sed 's/"web"/"other"/' four.conf >other.conf
refused 3 'cluster' "plan for another cluster" plan other.conf --parent list.2
done_ "plan --epoch" plan three.conf --parent list.2 --epoch 9 -o list.9
is "list.9: epoch" "$(grep ^epoch list.9)" "epoch 9"
refused 3 'epoch 2' "plan --epoch of the past" plan three.conf --parent list.2 --epoch 2 -o x
done_ "plan --giveup" plan three.conf --parent list.2 --giveup cache04 -o list.given
says "plan --giveup" '^giveup +cache04: the keys of its 4096 slots \(25.0 %\) become misses$'
is "list.given: the line" "$(grep '^giveup' list.given)" "giveup cache04 10.0.0.4:11211"
narrow "plan --giveup"
done_ "plan after a giveup" plan three.conf --parent list.given
says "plan after a giveup" '^Nothing changes'
refused 3 'cache09: epoch 2 has no such server' "plan --giveup of no server" \
	plan three.conf --parent list.2 --giveup cache09
refused 3 'only one that leaves can be given up' "plan --giveup of a server that stays" \
	plan four.conf --parent list.2 --giveup cache04
refused 3 'cache04' "plan --giveup twice" plan three.conf --parent list.2 --giveup cache04 --giveup cache04
refused 2 "--epoch 'x'" "plan --epoch x" plan three.conf --parent list.2 --epoch x
refused 3 'short: ' "plan from a damaged list" plan four.conf --parent short
refused 2 'only one can say' "plan with two parents" plan four.conf --parent list.1 --cluster web
refused 1 'No such file' "plan without an agent" plan four.conf --agent ./none

# ---- route ----

done_ "route" route --list list.2 user:1 user:2 a
is "route: lines" "$(lines out)" 4
says "route" '^user:1 +3797 +cache0[1-4] +10.0.0.[1-4]:11211$'
done_ "route --json" route --json --list list.2 'a"b'
says "route --json" '^\[\{"key":"a\\"b","covered":true,"slot":[0-9]+,"server":"cache0'
conf 3 'prefix = "app:"' >prefix.conf
done_ "a first list with a prefix" plan prefix.conf --parent none -o prefix.list
done_ "route with a prefix" route --list prefix.list app:1 other
says "route with a prefix" '^app:1 +[0-9]+ +cache0'
says "route with a prefix" '^other +- +- +not one of the list'
# The keys that change owner between two lists are a quarter of them, and go to the new server.
seq -f 'key:%g' 1 2000 >keys
xargs "$MCADMIN" route --list list.1 <keys | awk 'NR > 1 { print $1, $3 }' >before
xargs "$MCADMIN" route --list list.2 <keys | awk 'NR > 1 { print $1, $3 }' >after
is "route: all keys" "$(lines before) $(lines after)" "2000 2000"
moved=$(paste -d ' ' before after | awk '$2 != $4 { n++; if ($4 != "cache04") other++ } END { print n, other + 0 }')
is "route: none but the new server gains" "${moved#* }" 0
is "route: about a quarter moves" "$((${moved% *} > 400 && ${moved% *} < 600))" 1
refused 2 'a KEY is missing' "route of nothing" route --list list.1
refused 2 'one of --cluster, --segment and --list' "route from nowhere" route a
refused 2 'one of --cluster, --segment and --list' "route from two" route a --list list.1 --cluster web
refused 2 'a key has 1 to 250 bytes' "route of an empty key" route --list list.1 ''
refused 2 'a key has 1 to 250 bytes' "route of a blank" route --list list.1 'a b'
refused 2 'a key has 1 to 250 bytes' "route of a long key" route --list list.1 "$(printf 'k%.0s' {1..251})"
done_ "route of the longest key" route --list list.1 "$(printf 'k%.0s' {1..250})"
refused 2 "begins with '/'" "route from a wrong segment name" route a --segment web
refused 2 'not a cluster' "route from a wrong cluster name" route a --cluster ../x
refused 1 'no segment' "route from no segment" route a --segment "/mcadmin-test.$$"

# ---- agents that are not there, or not named rightly ----

refused 1 'no agent answers: .*none: No such file' "push to no agent" push list.2 --agent ./none
refused 1 'no agent answers' "status of no agent" status --agent ./none
refused 1 'no agent answers' "show of no agent" show --agent ./none
refused 1 'no agent runs on this host' "status of nobody" status
refused 2 'neither a path' "status of a name" status --agent web01
refused 2 'needs --agent-key' "status of a remote agent without a key" status --agent 127.0.0.1:1
refused 2 'needs --cluster' "status of a remote agent of no cluster" \
	status --agent 127.0.0.1:1 --agent-key host1.pub --psk psk
refused 1 'no agent answers: 127.0.0.1:1' "status of a remote agent that is not there" \
	status --agent 127.0.0.1:1 --agent-key host1.pub --psk psk --cluster web
chmod 640 psk
refused 3 'psk: found mode 0640' "a pre-shared key that others can read" \
	status --agent 127.0.0.1:1 --agent-key host1.pub --psk psk --cluster web
chmod 600 psk
refused 2 'are for a remote agent' "a key for a control socket" status --agent ./none --psk psk
refused 2 'a socket.s path' "a path too long" status --agent "./$(printf 'p%.0s' {1..120})"
refused 2 "--timeout '0'" "push --timeout 0" push list.2 --timeout 0 --agent ./none
refused 2 'one DOCUMENT is wanted' "push of nothing" push --agent ./none
refused 3 'short: ' "push of a damaged list" push short --agent ./none
refused 2 'about the cluster web' "push to another cluster" push list.2 --cluster other
run 1 "push --json to no agent" push list.2 --json --agent ./none
says "push --json to no agent" '^\{"result":"failed","epoch":2,'
is "push --json to no agent: lines" "$(lines out)" 1

"$MCADMIN" show list.1 >/dev/full 2>err
is "a full disk behind standard output: exit code" $? 1
is "no temporary file is left" "$(find . -name '.mcadmin.*')" ""

end
