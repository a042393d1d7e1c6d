# shellcheck shell=bash
# runbook.sh - runs a document's commands in a lab, and compares what they print with what the document
# says they print.  Sourced behind lab.sh.
#
# In the document a command is an indented line that begins with a prompt, `web01$ ` or `web01# `: it is
# run as on that host.  What follows it, indented as well, is its output.  A line of `...` there stands
# for any lines; numbers, hashes, keys, times and runs of blanks are not compared.  What happens to the
# hosts meanwhile (one dies) stands in comments, `<!-- lab: COMMAND -->`.
#
# Hosts web01, web02, ... are the lab's 1, 2, ...: 10.0.0.N is the lab's address, /etc/mcroster and
# /var/lib/mcroster/web are directories of the host's, and `systemctl` and `scp` do in the lab what they do on
# a host.  Commands that ask for a yes get one.
#
# RUNBOOK_WRITE=FILE writes the document anew, with the output that there was.

# shellcheck disable=SC2034 # they are lab.sh's
LAB_SERVER_PORT=11211 LAB_AGENT_PORT=11280 LAB_CLUSTER=web
RUNBOOK_HOST= # of the command that runs

# ---- the hosts ----

runbook_paths() { # of a text, as the lab has them
	sed -E -e "s|web0([0-9]):/etc/mcroster|$LAB/\\1/etc|g; s|/etc/mcroster|$LAB/$RUNBOOK_HOST/etc|g" \
		-e "s|/var/lib/mcroster/web|$LAB/$RUNBOOK_HOST/state|g; s|\\b10\\.0\\.0\\.|$LAB_NET.|g"
}
runbook_names() { # of an output, as the document has them
	sed -E -e "s|$LAB/[0-9]/etc|/etc/mcroster|g; s|$LAB/[0-9]/state|/var/lib/mcroster/web|g" \
		-e "s|$LAB/[0-9]/agent.conf|/etc/mcroster/agent.conf|g; s|$LAB/([0-9])/control|/run/mcroster/web.control|g; s|$LAB/web/||g" \
		-e "s|/mcroster\\.$LAB_ID\\.[0-9]+|/mcroster.web|g; s|\\b${LAB_NET//./\\.}\\.|10.0.0.|g"
}

# What the operator has put into a host's /etc/mcroster, made to hold in the lab.
runbook_adapt() { # N
	local conf=$LAB/$1/etc/agent.conf
	sed -i "s|/etc/mcroster|$LAB/$1/etc|g; s|\"10\\.0\\.0\\.|\"$LAB_NET.|g" "$conf"
	grep -q '^segment' "$conf" || cat >>"$conf" <<-END
		state-directory = "$LAB/$1/state"
		control-socket = "$(lab_agent_socket "$1")"
		clients-socket = "$LAB/$1/clients"
		segment = "$(lab_segment "$1")"
	END
	ln -sf etc/agent.conf "$LAB/$1/agent.conf"
}

runbook_logged() { tail -n "+$(($2 + 1))" "$LAB/$1/agent.log" | grep -q "$3"; }

systemctl() {
	local n=$RUNBOOK_HOST lines
	runbook_adapt "$n"
	case "$*" in
	"enable --now mcrosterd" | "start mcrosterd") lab_agent_start "$n" ;;
	"stop mcrosterd") lab_agent_term "$n" ;;
	"restart mcrosterd") lab_agent_term "$n" && lab_agent_start "$n" ;;
	"reload mcrosterd")
		lines=$(wc -l <"$LAB/$n/agent.log")
		"$BUILD/mcrosterd" -c "$LAB/$n/agent.conf" --check || return
		kill -HUP "${LAB_AGENT_PID[$n]}"
		lab_until "$LAB_WAIT_S" runbook_logged "$n" "$lines" 'was read again\|not reloaded' ||
			fail "the log says nothing of the reload: $(tail -n 1 "$LAB/$n/agent.log")"
		;;
	*) fail "no such systemctl: $*" ;;
	esac
}
scp() { cp "$@"; }
chown() { :; } # all is ours here
mcadmin() {
	local more=()
	case $1 in
	apply | abort | giveup | excuse | failover) more+=(--yes) ;;
	esac
	case " $* " in
	*" --no-plan "* | *" --agent "* | *" --parent "* | *" --list "*) ;;
	*" keygen "* | *" hostkey "* | *" sign "* | *" verify "* | *" --version "*) ;;
	*" route "*) more+=(--segment "$(lab_segment "$RUNBOOK_HOST")") ;;
	*) more+=(--agent "$(lab_agent_socket "$RUNBOOK_HOST")") ;;
	esac
	[ "$1" != doctor ] || more+=(--conf "$LAB/$RUNBOOK_HOST/agent.conf")
	if [ "$1" = keygen ] && [[ " $* " != *" --psk "* ]]; then more+=(--no-passphrase); fi
	"$BUILD/mcadmin" "$@" "${more[@]}" </dev/null
}
mcrosterd() { runbook_adapt "$RUNBOOK_HOST" && "$BUILD/mcrosterd" "$@"; }

# ---- what happens to them: in the document's comments ----

until_() { lab_until 60 "$@" || fail "never: $*"; } # COMMAND...: until it succeeds
settled() { [ "$(lab_status settled)" = true ]; }
in_term() { [ "$(lab_status view) $(lab_status term)" = "cluster $1" ]; } # N
sees() { [ "$(lab_status -"$1" view)" = cluster ]; } # N: the coordinator
copying() { [ "$(lab_status phase)" = COPY ]; }
dies() { lab_server_kill "$1" && lab_agent_kill "$1"; } # N
loses_its_state() { lab_agent_kill "$1" && mv "$LAB/$1/state" "$LAB/$1/state.lost"; } # N
set_up() { # N: a new host, as the first situation has it
	mkdir -p "$LAB/$1/etc"
	cp "$LAB/web/psk" "$LAB/$1/etc/psk"
	"$BUILD/mcadmin" hostkey -o "$LAB/$1/etc/host.key" >/dev/null
	sed "s/web01/web0$1/; s/$LAB_NET.1:/$LAB_NET.$1:/" "$LAB/web/web01/agent.conf" >"$LAB/$1/etc/agent.conf"
	cp "$LAB/$1/etc/host.key.pub" "$LAB/web/web0$1.pub"
	runbook_adapt "$1" && lab_agent_start "$1"
}
# A state directory of so little room, with nothing of it left.
fill_disk() { # N
	local state=$LAB/$1/state
	lab_agent_term "$1"
	mv "$state" "$state.kept"
	mkdir -m 700 "$state"
	mount -t tmpfs -o size=2m,mode=700 none "$state" || fail "no small file system for the full disk: root makes one"
	RUNBOOK_MOUNTED=$state
	trap 'RUNBOOK_CODE=$?; umount -l "$RUNBOOK_MOUNTED" 2>/dev/null; lab_exit $RUNBOOK_CODE' EXIT
	cp -a "$state.kept/." "$state/"
	lab_agent_start "$1"
	head -c 4000000 /dev/zero >"$state/core" 2>/dev/null
	true
}

# ---- the document ----

# What an output is compared by: words are, what is another one each time is not.
runbook_shape() {
	sed -E -e 's|[A-Za-z0-9+/]{43}=|KEY|g; s/\b[0-9a-f]{16,64}\b/HASH/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/[0-9][0-9,]*(\.[0-9]+)?/N/g' \
		-e 's/ (bytes|B|kB|MB|GB|ms|s|min|minutes|seconds|second|keys|key)\b/ U/g; s/ +/ /g; s/-+/-/g; s/ $//'
}

# runbook_matches WANT HAVE FOUND OUT: compares the shapes WANT and HAVE line by line, `...` in WANT stands
# for any lines; OUT is WANT in the words of FOUND, whose shape is HAVE.
runbook_matches() {
	/usr/bin/python3 - "$@" <<'END'
import sys
want, have, found = ([line.rstrip("\n") for line in open(name)] for name in sys.argv[1:4])
def match(i, j):  # the lines of OUT, or None
    if i == len(want):
        return [] if j == len(have) else None
    if want[i].strip() == "...":
        for k in range(j, len(have) + 1):
            rest = match(i + 1, k)
            if rest is not None:
                return ["..."] + rest
        return None
    if j == len(have) or want[i].strip() != have[j].strip():
        return None
    rest = match(i + 1, j + 1)
    return None if rest is None else [found[j]] + rest
out = match(0, 0)
if out is None:
    sys.exit(1)
with open(sys.argv[4], "w") as file:
    file.writelines(line + "\n" for line in out)
END
}

runbook_command() { # HOST COMMAND EXPECTED-FILE
	local command status
	RUNBOOK_HOST=$1
	command=$(runbook_paths <<<"$2")
	say "web0$1: $2"
	mkdir -p "$LAB/$1/etc"
	cd "$LAB/web" || fail "no $LAB/web"
	eval "$command" >"$LAB/runbook.out" 2>&1
	status=$?
	cd "$RUNBOOK_TOP" || exit
	runbook_names <"$LAB/runbook.out" >"$LAB/runbook.named"
	sed 's/^/  | /' "$LAB/runbook.named"
	[ "$status" = 0 ] || say "  (exit code $status)"
	runbook_shape <"$3" >"$LAB/runbook.want"
	runbook_shape <"$LAB/runbook.named" >"$LAB/runbook.have"
	if runbook_matches "$LAB/runbook.want" "$LAB/runbook.have" "$LAB/runbook.named" "$LAB/runbook.out"; then
		cp "$LAB/runbook.out" "$LAB/runbook.named" # a document that is written keeps what it leaves out
	elif [ -z "${RUNBOOK_WRITE:-}" ]; then
		diff "$LAB/runbook.want" "$LAB/runbook.have" >&2
		fail "line $RUNBOOK_LINE: web0$1: $2: prints something else than the document says"
	fi
}

# Is this line of the document one of an output?  (An empty one is between two that are.)
runbook_output() { [[ $1 = "    "* && $1 != "    web0"[0-9][\$#]" "* ]]; }

runbook_write() { [ -z "${RUNBOOK_WRITE:-}" ] || printf '%s\n' "$@" >>"$RUNBOOK_WRITE"; }

runbook_run() { # DOCUMENT
	local line next host command lines at=0
	RUNBOOK_TOP=$PWD
	[ -z "${RUNBOOK_WRITE:-}" ] || : >"$RUNBOOK_WRITE"
	mapfile -t lines <"$1"
	while [ "$at" -lt "${#lines[@]}" ]; do
		line=${lines[$at]}
		RUNBOOK_LINE=$((++at))
		runbook_write "$line"
		case $line in
		"## "*) say "$line" ;;
		"<!-- lab: "*)
			command=${line#<!-- lab: }
			eval "${command% -->}" || fail "line $RUNBOOK_LINE: ${command% -->}"
			;;
		"    web0"[0-9][\$#]" "*)
			host=${line:8:1}
			command=${line:11}
			while [ "${command: -1}" = "\\" ]; do
				runbook_write "${lines[$at]}"
				command=${command%\\}${lines[$((at++))]}
			done
			: >"$LAB/runbook.expected"
			while next=${lines[$at]:-}; runbook_output "$next" || { [ -z "$next" ] && runbook_output "${lines[$((at + 1))]:-}"; }; do
				printf '%s\n' "${next:4}" >>"$LAB/runbook.expected"
				at=$((at + 1))
			done
			runbook_command "$host" "$command" "$LAB/runbook.expected"
			[ -z "${RUNBOOK_WRITE:-}" ] || sed 's/^/    /; s/ *$//' "$LAB/runbook.named" >>"$RUNBOOK_WRITE"
			;;
		esac
	done
}
