#!/usr/bin/env bash
# Servers with TLS (memcached -Z), one of which wants a certificate and a login too.  Who trusts another
# authority, expects another name or speaks plainly says so and holds the change up; nothing is lost, and
# set right it goes on.  What applications link knows no TLS.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/access.sh
. "$(dirname "$0")/../lab/access.sh"

KEYS=6000
LAB_RATE=3000

command -v openssl >/dev/null || { say "skipped: openssl is not installed" && exit 77; }
no_tls() { ! grep -q 'libssl\|libcrypto' < <(readelf -d "$1"; ldd "$1"); }
check "libmcroster.so links no TLS" no_tls "$BUILD/libmcroster.so"
check "libmcroster.a calls none" sh -c '! nm -u "$1" 2>/dev/null | grep -q " \(SSL\|X509\|ERR\)_"' - "$BUILD/libmcroster.a"

lab_new
access_authority authority
access_authority stranger
for n in 2 3; do access_certificate s$n "IP:$LAB_NET.$n"; done
access_certificate agent DNS:mcroster
chmod 600 "$LAB/tls/agent.key"
(umask 077 && echo horse >"$LAB/password")
tls=('tls = yes' "tls-ca = \"$LAB/tls/authority.pem\"")
s2=(s2 "${tls[@]}")
s3=(s3 "${tls[@]}" "tls-cert = \"$LAB/tls/agent.pem\"" "tls-key = \"$LAB/tls/agent.key\""
	'user = mcroster' "password-file = \"$LAB/password\"")

lab_server_start 1
access_tls 2 s2
access_conf 1 "${s2[@]}" "${s3[@]}"
if ! "$BUILD/mcrosterd" -c "$LAB/1/agent.conf" --check >"$LAB/check.log" 2>&1; then
	check "a build without TLS says so" grep -q 'server "s2": tls: .*TLS=1' "$LAB/check.log"
	say "skipped: this build has no TLS" && exit 77
fi
access_conf 2 "${s2[@]}" "${s3[@]}"
for n in 1 2; do lab_agent_start $n; done
lab_first_list 1 2
LAB_LOGIN[3]="mcroster horse"
LAB_PLAIN[3]=$LAB_PLAIN_PORT
mkdir -p "$LAB/3"
echo mcroster:horse >"$LAB/3/auth"
lab_load_start $KEYS "1 2" --readers 2 --writers 2 --rate 2000 --plain-keys
lab_load fill
lab_load run

say "s3 joins; a1 trusts another authority, a2 speaks plainly, a3 expects another name"
lab_server_start 3 -l "notls:$LAB_NET.3:$LAB_PLAIN_PORT" -Y "$LAB/3/auth" -Z -o \
	"ssl_chain_cert=$LAB/tls/s3.pem,ssl_key=$LAB/tls/s3.key,ssl_verify_mode=2,ssl_ca_cert=$LAB/tls/authority.pem"
access_conf 3 "${s2[@]}" "${s3[@]}" 'tls-name = cache09.example.org'
lab_agent_start 3
access_restart 1 "${s2[@]}" "${s3[@]/authority/stranger}"
access_restart 2 "${s2[@]}"
lab_conf 1 2 3
lab_push_start "" 120
access_says 1 s3 'certificateisrefused'
access_says 2 s3 'wantTLS'
access_says 3 s3 'certificateisrefused:hostnamemismatch'
check "nothing is settled meanwhile" equal "$(lab_status settled)" false
for n in 3 2 1; do access_restart $n "${s2[@]}" "${s3[@]}"; done
check "set right the change goes through" lab_push_wait
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
