#!/usr/bin/env bash
# The register in an etcd that wants TLS, a client's certificate, and a user with his password, and whose
# first endpoint is dead: by agent.conf alone.  Who has the wrong password, or trusts another authority,
# leads nothing and says why.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../lab/etcd.sh"

LAB_ETCD_LEASE_S=3
LAB_CANDIDATES="1 2"

quietly() { "$@" 2>"$LAB/openssl.log" || fail "$*: $(tail -n 1 "$LAB/openssl.log")"; }
authority() {
	quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -keyout "$LAB/tls/$1.key" -out "$LAB/tls/$1.pem"
}
certificate() { # NAME [SUBJECT]: signed by the authority, good for etcd's address
	quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "${2:-/}" \
		-keyout "$LAB/tls/$1.key" -out "$LAB/tls/$1.csr"
	printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$LAB_NET.$LAB_ETCD_HOST" \
		>"$LAB/tls/$1.ext"
	quietly openssl x509 -req -in "$LAB/tls/$1.csr" -CA "$LAB/tls/authority.pem" \
		-CAkey "$LAB/tls/authority.key" -CAcreateserial -days 2 -extfile "$LAB/tls/$1.ext" \
		-out "$LAB/tls/$1.pem"
}
auth() { # PATH JSON
	etcd_post "/v3/auth/$1" "$2" | grep -q ' 200 ' || fail "etcd: auth $1"
}
b64() { printf '%s' "$1" | base64 -w0; }
secure_conf() { # N PASSWORD AUTHORITY [CERTIFICATE]
	lab_agent_conf "$1"
	(umask 077 && printf '%s\n' "$2" >"$LAB/$1/password")
	cat >>"$LAB/$1/agent.conf" <<-END
		register = "etcd"
		etcd-endpoints = { "https://$LAB_NET.9:$LAB_ETCD_PORT", "https://$(etcd_address)" }
		etcd-lease = $LAB_ETCD_LEASE_S
		etcd-ca = "$LAB/tls/$3.pem"
		etcd-cert = "$LAB/tls/${4:-client}.pem"
		etcd-key = "$LAB/tls/${4:-client}.key"
		etcd-user = "mcroster"
		etcd-password-file = "$LAB/$1/password"
	END
}
# says N WHAT: it stands in its log; as a host of the one who leads it shows what that one shows.
says() {
	lab_until 20 grep -q "$2" "$LAB/$1/agent.log" || fail "a$1 says: $(tail -n 1 "$LAB/$1/agent.log")"
	say "  ok: a$1 says: $(grep "$2" "$LAB/$1/agent.log" | tail -n 1)"
}
begun() { lab_push 1 10 >"$LAB/push.log" 2>&1; }
restart() { # N PASSWORD AUTHORITY [CERTIFICATE]
	check "a$1 stops" lab_agent_term "$1"
	secure_conf "$@"
	lab_agent_start "$1"
}

etcd_able
command -v openssl >/dev/null || { say "skipped: openssl is not installed" && exit 77; }
lab_new
mkdir -m 0700 "$LAB/tls"
authority authority
authority stranger
certificate server /CN=server
certificate client
certificate named /CN=named
LAB_ETCD_ARGUMENTS=(--bcrypt-cost 4)
etcd_start
for role in root mcroster; do
	auth user/add "{\"name\":\"$role\",\"password\":\"of-$role\"}"
	auth role/add "{\"name\":\"$role\"}"
	auth user/grant "{\"user\":\"$role\",\"role\":\"$role\"}"
done
auth role/grant "{\"name\":\"mcroster\",\"perm\":{\"permType\":\"READWRITE\",\"key\":\"$(b64 "/mcroster/$LAB_CLUSTER/")\",\"range_end\":\"$(b64 "/mcroster/${LAB_CLUSTER}0")\"}}"
auth enable '{}'
etcd_kill
LAB_ETCD_SCHEME=https
LAB_ETCD_ARGUMENTS+=(--cert-file "$LAB/tls/server.pem" --key-file "$LAB/tls/server.key"
	--client-cert-auth --trusted-ca-file "$LAB/tls/authority.pem")
etcd_start

lab_server_start 1
secure_conf 1 of-mcroster authority
secure_conf 2 a-guess authority
lab_agent_start 1
lab_agent_start 2
lab_conf 1 a2
lab_list_init >"$LAB/plan.log" 2>&1 || fail "mcadmin plan: $(cat "$LAB/plan.log")"
lab_until 40 begun || fail "the first list: $(tail -n 1 "$LAB/push.log")" # once etcd has elected one
etcd_led 1 2
check "a1 leads, past the dead endpoint" equal "$LAB_COORDINATOR" 1
says 2 'authentication failed'
check "the password is in no log" equal "$(grep -c 'a-guess\|of-mcroster' "$LAB/1/agent.log" "$LAB/2/agent.log" | cut -d: -f2 | sort -u)" 0
restart 2 of-mcroster stranger
says 2 'certificate problem'
restart 2 of-mcroster authority named
says 2 'with a common name'
restart 2 of-mcroster authority
lab_until 20 lab_leased 2 || fail "a2 gets no lease"
check "a1 stops" lab_agent_term 1
etcd_led 2
check "a2 goes on with the register" equal "$(lab_status epoch) $(lab_status term)" "1 2"
