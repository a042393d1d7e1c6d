#!/usr/bin/env bash
# Operators' keys change by signed documents, three times, and no configuration file is touched: keys
# that were retired count no more, a host that slept through it all catches up by the chain.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=4000
LAB_OPERATORS=(alice bob carol)
LAB_THRESHOLD=2

push() { # DOCUMENT [AGENT]
	"$BUILD/mcadmin" push "$1" --agent "$(lab_agent_socket "${2:-1}")" --timeout 20 --json
}
taken() { push "$@" >"$LAB/push.log" 2>&1 || fail "$1 is not taken: $(cat "$LAB/push.log")"; }
keys_new() { # FILE THRESHOLD OPERATOR...: the next version, unsigned
	local file=$1 threshold=$2 name publics=()
	shift 2
	for name in "$@"; do publics+=(-p "$LAB/$name.key.pub"); done
	"$BUILD/mcadmin" keys new "${publics[@]}" -t "$threshold" --agent "$(lab_agent_socket 1)" -o "$file" >"$LAB/keys.log" 2>&1 ||
		fail "mcadmin keys new: $(cat "$LAB/keys.log")"
}
keys_are() { # N VERSION
	[ -e "$LAB/$1/state/keys.$2" ]
}
keys_in_force() { # VERSION HOST...
	local version=$1 n
	shift
	for n in "$@"; do
		lab_until 10 keys_are "$n" "$version" || fail "a$n has not got keys version $version"
	done
	say "  ok: keys version $version is in force"
}
list_refused() { # WHAT PATTERN SIGNER...
	local what=$1 pattern=$2
	shift 2
	rm -f "$LAB/refused.list"
	"$BUILD/mcadmin" plan "$LAB/cluster.conf" --agent "$(lab_agent_socket 1)" -o "$LAB/refused.list" >/dev/null ||
		fail "mcadmin plan"
	lab_sign "$LAB/refused.list" "$@" >/dev/null
	refused "$what" 3 "$pattern" "$BUILD/mcadmin" push "$LAB/refused.list" --agent "$(lab_agent_socket 1)" --timeout 20 --json
}

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3" --readers 2 --writers 2 --rate 2000
lab_load fill
lab_load run
for name in dave erin frank mallory; do lab_operator "$name"; done
lab_agent_kill 5
say "a5 sleeps from here on"

say "the first version: carol hands over to dave"
keys_new "$LAB/keys.1" 2 alice bob dave
cp "$LAB/keys.1" "$LAB/bad"
lab_sign "$LAB/bad" dave mallory >/dev/null
refused "keys signed by strangers" 3 "sign" push "$LAB/bad"
cp "$LAB/keys.1" "$LAB/bad"
lab_sign "$LAB/bad" alice >/dev/null
refused "keys signed by one of two" 3 "signed by 1 " push "$LAB/bad"
lab_sign "$LAB/keys.1" alice bob >/dev/null
check "signed by two that stay, it is taken" taken "$LAB/keys.1" 2
keys_in_force 1 1 2 3
refused "the same keys by another document: a version is signed once" 3 "version 1|equivocation|in force" \
	bash -c "sed '/^signature /d; s/^created .*/created 2031-01-01T00:00:00Z/' '$LAB/keys.1' >'$LAB/bad' &&
	'$BUILD/mcadmin' sign -k '$LAB/alice.key' -k '$LAB/bob.key' '$LAB/bad' >/dev/null &&
	'$BUILD/mcadmin' push '$LAB/bad' --agent '$(lab_agent_socket 1)' --timeout 20"
evidence() { # HOST KIND NUMBER: how many contradicting documents it keeps
	find "$LAB/$1/state" -name "evidence.$2.$3.*" | wc -l
}
check "it is kept as evidence" equal "$(evidence 1 keys 1)" 1
sed '/^signature /d; s/^created .*/created 2032-01-01T00:00:00Z/' "$LAB/keys.1" >"$LAB/bad"
lab_sign "$LAB/bad" mallory carol dave >/dev/null
refused "keys of a version in force that its signers did not sign" 3 "version 1 is in force" push "$LAB/bad"
check "they are no evidence" equal "$(evidence 1 keys 1)" 1
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4 a5
list_refused "a list signed by carol, who was retired" "signed by 1 " alice carol

say "twice more: nobody of the first three is left"
keys_new "$LAB/keys.2" 2 bob dave erin
lab_sign "$LAB/keys.2" alice dave bob >/dev/null
check "version 2 is taken" taken "$LAB/keys.2" 3
keys_in_force 2 1 2 3
keys_new "$LAB/keys.3" 2 dave erin frank
cp "$LAB/keys.3" "$LAB/bad"
lab_sign "$LAB/bad" bob frank >/dev/null
refused "keys that the old threshold has not signed" 3 "sign" push "$LAB/bad"
lab_sign "$LAB/keys.3" dave erin >/dev/null
check "version 3 is taken" taken "$LAB/keys.3"
keys_in_force 3 1 2 3
refused "an old version again" 3 "version 3|in force" push "$LAB/keys.2"

list_refused "a list signed by the first keys" "sign" alice bob
list_refused "a list signed by one key in force and one retired" "signed by 1 " bob erin

say "who slept through all of it"
lab_agent_start 5
keys_in_force 3 5
LAB_SIGNERS=(erin frank)
check "a list by keys that no configuration names goes through, a new host with it" lab_change 2
keys_in_force 3 4
say "who has lost everything"
lab_agent_kill 3
rm -rf "$LAB/3/state"
lab_agent_start 3
keys_in_force 3 3
lab_until 20 lab_leased 3 || fail "a3 gets no lease"
lab_agent_term 5
lab_agent_start 5
lab_until 20 lab_leased 5 || fail "a5 gets no lease"
lab_conf 1 2 3 a4 a5
check "and they carry the next change" lab_change 3
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros "$(lab_server_address 4)"
