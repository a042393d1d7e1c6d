# shellcheck shell=bash
# access.sh - memcacheds that want a login (-Y) or TLS (-Z), and what agent.conf says of them.
#
# Sourced after lab.sh.

LAB_PLAIN_PORT=21212

# access_login N USER PASSWORD: server N is started with it.
access_login() {
	mkdir -p "$LAB/$1"
	printf '%s:%s\n' "$2" "$3" >"$LAB/$1/auth"
	LAB_LOGIN[$1]="$2 $3"
	lab_server_start "$1" -Y "$LAB/$1/auth"
}

# access_tls N CERTIFICATE [OPTION]: the same with TLS at its address; plainly, for the tests, beside.
access_tls() {
	LAB_PLAIN[$1]=$LAB_PLAIN_PORT
	lab_server_start "$1" -l "notls:$LAB_NET.$1:$LAB_PLAIN_PORT" -Z -o \
		"ssl_chain_cert=$LAB/tls/$2.pem,ssl_key=$LAB/tls/$2.key${3:+,$3}"
}

access_openssl() {
	openssl "$@" 2>"$LAB/openssl.log" || fail "openssl $1: $(tail -n 1 "$LAB/openssl.log")"
}

access_authority() { # NAME
	mkdir -p "$LAB/tls"
	access_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -keyout "$LAB/tls/$1.key" -out "$LAB/tls/$1.pem"
}

access_certificate() { # NAME OF: signed by "authority"; OF as in IP:10.0.0.1
	access_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
		-keyout "$LAB/tls/$1.key" -out "$LAB/tls/$1.csr"
	printf 'subjectAltName=%s\n' "$2" >"$LAB/tls/$1.ext"
	access_openssl x509 -req -in "$LAB/tls/$1.csr" -CA "$LAB/tls/authority.pem" \
		-CAkey "$LAB/tls/authority.key" -CAcreateserial -days 2 -extfile "$LAB/tls/$1.ext" \
		-out "$LAB/tls/$1.pem"
}

# access_conf N [SERVER LINE...]...: agent.conf of host N, with a section for each "sM" and its lines.
access_conf() {
	local n=$1 word open=
	shift
	lab_agent_conf "$n"
	for word in "$@"; do
		case $word in
		s[0-9]*)
			printf '%sserver "%s" {\n' "$open" "$word"
			open=$'}\n'
			;;
		*) printf '\t%s\n' "$word" ;;
		esac
	done >>"$LAB/$n/agent.conf"
	printf '%s' "$open" >>"$LAB/$n/agent.conf"
}

access_restart() { # N [SERVER LINE...]...
	check "a$1 stops" lab_agent_term "$1"
	access_conf "$@"
	lab_agent_start "$1"
}

# access_says N SERVER PATTERN: the work of host N waits for that server, and says why.  White space is
# left out.
access_says() {
	lab_until 30 access_said "$@" || fail "a$1 says: $(access_waits "$1")"
	say "  ok: a$1: $(access_waits "$1")"
}
access_waits() {
	lab_status_json "$LAB_COORDINATOR" | grep -o "{\"name\":\"a$1\",\"lease[^}]*}" |
		grep -o 'waitsforserver[^"]*'
}
access_said() { access_waits "$1" | grep -q "^waitsforserver$2.*$3"; }
