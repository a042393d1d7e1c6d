# shellcheck shell=bash
# netns.sh - a lab whose hosts are network namespaces, on two switches that can be parted.
#
# Sourced after lab.sh.  Each host has a namespace, with an address of its own, and is plugged into
# the near switch; a cable joins it to the far one, where hosts are plugged into that are to be cut
# off.  Both switches are bridges in a namespace of their own, so nothing is added to the machine's
# network.  lab_netns_stop takes all of it away; it is called when the script ends, in whatever way.

lab_netns_name() { printf 'mcr-%s-%s\n' "$LAB_ID" "$1"; }
lab_prefix() { LAB_PREFIX=(ip netns exec "$(lab_netns_name "$1")"); }

lab_server_answers() {
	lab_prefix "$1"
	"${LAB_PREFIX[@]}" bash -c "exec 3<>/dev/tcp/$LAB_NET.$1/$LAB_SERVER_PORT &&
		printf 'version\\r\\n' >&3 && read -r -t 5 <&3" 2>/dev/null
}

# Exits with 77 where namespaces cannot be made.
lab_netns_able() {
	local why=
	if [ "$(id -u)" != 0 ]; then
		why="it needs root"
	elif ! command -v ip >/dev/null; then
		why="there is no ip (iproute2)"
	elif ! why=$( (ip netns add mcr-able-$$ && ip -n mcr-able-$$ link add br0 type bridge &&
		ip -n mcr-able-$$ link add v0 type veth peer name v1) 2>&1); then
		why="no network namespaces, bridges or veths here: ${why##*$'\n'}"
	else
		why=
	fi
	ip netns del mcr-able-$$ 2>/dev/null
	[ -n "$why" ] || return 0
	say "skipped: $why"
	exit 77
}

# lab_netns_start N...: hosts with these numbers, reachable by each other.
lab_netns_start() {
	local n switch side
	LAB_NET=10.${LAB_ID/-/.}
	trap 'code=$?; trap - EXIT; lab_netns_exit $code' EXIT
	switch=$(lab_netns_name sw)
	ip netns add "$switch" || fail "ip netns add"
	for side in near far; do
		ip -n "$switch" link add "$side" type bridge || fail "bridge $side"
		ip -n "$switch" link set "$side" up || fail "bridge $side"
	done
	ip -n "$switch" link add cable0 type veth peer name cable1
	ip -n "$switch" link set cable0 master near up
	ip -n "$switch" link set cable1 master far up
	for n in "$@"; do
		ip netns add "$(lab_netns_name "$n")" || fail "ip netns add"
		ip -n "$(lab_netns_name "$n")" link set lo up
		ip -n "$(lab_netns_name "$n")" link add eth0 type veth peer name "host$n" netns "$switch" ||
			fail "veth of host $n"
		ip -n "$switch" link set "host$n" master near up
		ip -n "$(lab_netns_name "$n")" addr add "$LAB_NET.$n/24" dev eth0
		ip -n "$(lab_netns_name "$n")" link set eth0 up
	done
}

# What is in them ends first; lab_exit ends the script.
lab_netns_exit() {
	local code=$1 id=$LAB_ID
	(lab_exit "$code")
	LAB_ID=$id lab_netns_stop
	exit "$code"
}

lab_netns_stop() {
	local name
	[ -n "$LAB_ID" ] || return 0
	for name in $(ip netns list | sed -n "s/^\(mcr-$LAB_ID-[^ ]*\).*/\1/p"); do
		ip netns del "$name"
	done
}

# lab_part N...: these are cut off from all others, together.  lab_join: they are back.
lab_part() {
	local n switch
	switch=$(lab_netns_name sw)
	for n in "$@"; do ip -n "$switch" link set "host$n" master far || fail "veth of host $n"; done
	ip -n "$switch" link set cable0 down
}
lab_join() { ip -n "$(lab_netns_name sw)" link set cable0 up; }
