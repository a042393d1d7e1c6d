#!/usr/bin/env bash
# Lists with libmemcached's and twemproxy's distributions give their answers: 100 random lists
# against the installed library, 100 pools of a real nutcracker over real memcacheds.  Then a fleet
# behind a nutcracker is adopted as it is, and changed over to slots.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

ADOPTED=3000
BACKENDS=12

# The answers hang on names with port 11211 too, which are written without it.
addresses() {
	local n
	for ((n = 1; n <= BACKENDS; n++)); do
		if [ $((n % 3)) = 0 ]; then
			printf '%s.%s:11211\n' "$LAB_NET" "$n"
		else
			lab_server_address "$n"
		fi
	done
}

proxy_start() { # NAME SOCKET: with the configuration $LAB/NAME.yml
	nutcracker -c "$LAB/$1.yml" -p "$LAB/$1.pid" -o "$LAB/$1.log" -a "$LAB_NET.1" -s $((22222 + ${#LAB_BESIDE[@]})) -m 16384 \
		>"$LAB/$1.out" 2>&1 &
	LAB_BESIDE+=($!)
	lab_until "$LAB_WAIT_S" test -S "$2" || fail "nutcracker does not listen: $(tail -n 3 "$LAB/$1.log")"
}

found() { "$LAB_TOOLS/adopt" find $ADOPTED "$(lab_segment 1)" >"$LAB/found"; }

lab_new
seed=${SEED:-$RANDOM}
say "seed $seed"
check "libmemcached" "$LAB_TOOLS/answers" libmemcached "$seed" 100

for ((n = 1; n <= BACKENDS; n++)); do
	[ $((n % 3)) != 0 ] || LAB_SERVER_PORT=11211
	lab_server_start "$n" -m 32
	LAB_SERVER_PORT=21211
done
mapfile -t addresses < <(addresses)
"$LAB_TOOLS/answers" pools "$seed" 100 "$LAB" "${addresses[@]}" >"$LAB/pools.yml"
for hash in md5 fnv1a_64 fnv1_64 fnv1_32 fnv1a_32 one_at_a_time crc16 crc32 crc32a hsieh murmur jenkins; do
	grep -q "hash: $hash\$" "$LAB/pools.yml" || fail "no pool has the hash $hash"
done
proxy_start pools "$LAB/pool99.sock"
check "nutcracker" "$LAB_TOOLS/answers" nutcracker "$seed" 100 "$LAB" "${addresses[@]}"

say "a fleet behind a nutcracker with its defaults"
for n in 1 2; do
	lab_server_kill "$n"
	lab_server_start "$n" -m 32
done
cat >"$LAB/fleet.yml" <<-END
	fleet:
	  listen: $LAB/fleet.sock 0600
	  servers:
	   - $(lab_server_address 1):100
	   - $(lab_server_address 2):100
END
proxy_start fleet "$LAB/fleet.sock"
check "it stores $ADOPTED items" "$LAB_TOOLS/adopt" proxy $ADOPTED "$LAB/fleet.sock"
for n in 1 2; do lab_agent_start "$n"; done
LAB_DISTRIBUTION='distribution = "ketama-weighted fnv1a_64"'
lab_first_list 1 2
check "every one is where libmcroster says" found
LAB_DISTRIBUTION=
lab_conf 1 2
check "it changes over to slots" lab_change
check "every one is found" found
