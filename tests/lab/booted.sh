# shellcheck shell=bash
# booted.sh - a Debian root of its own, made by debootstrap and booted with real systemd.
#
# Sourced after lab.sh, when lab_new has been called.  The root is $LAB/root; nothing in it reaches the
# network, and everything in it ends with the one process that booted it.  What debootstrap downloads is
# kept beside the build directory for the next time.

BOOTED_ROOT=
BOOTED_PID=  # systemd-nspawn's
BOOTED_INIT= # its systemd, as seen from here
BOOTED_S=120 # in which it has come up

# booted_make PACKAGE...: the root, with these Debian packages.
booted_make() {
	local suite mirror cache
	BOOTED_ROOT=$LAB/root
	trap 'code=$?; trap - EXIT; booted_exit $code' EXIT
	[ "$(id -u)" = 0 ] || fail "a root is made and booted by root only"
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=${DEBIAN_MIRROR:-$(sed -n 's/^URIs: *\([^ ]*\/debian\)\/*$/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)}
	cache=$(dirname "$BUILD")/debootstrap
	mkdir -p "$cache"
	debootstrap --variant=minbase "--cache-dir=$cache" "--include=$(IFS=,; echo "$*")" \
		"$suite" "$BOOTED_ROOT" "${mirror:-http://deb.debian.org/debian}" >"$LAB/debootstrap.log" 2>&1 ||
		fail "debootstrap: $(tail -n 3 "$LAB/debootstrap.log")"
}

# Boots it and waits until everything is up that comes up by itself.
booted_boot() {
	# A pipe for a console: nothing is read from it, and a terminal of the caller's stays his.
	setsid systemd-nspawn -q -D "$BOOTED_ROOT" --boot --register=no --keep-unit --private-network \
		--console=pipe </dev/null >>"$LAB/console.log" 2>&1 &
	BOOTED_PID=$!
	lab_until "$BOOTED_S" booted_up || fail "it does not come up: $(tail -n 5 "$LAB/console.log")"
}
booted_up() {
	lab_gone "$BOOTED_PID" && fail "it has ended: $(tail -n 5 "$LAB/console.log")"
	BOOTED_INIT=$(cat "/proc/$BOOTED_PID/task/$BOOTED_PID/children" 2>/dev/null)
	BOOTED_INIT=${BOOTED_INIT%% *}
	[ -n "$BOOTED_INIT" ] &&
		[[ $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# inside COMMAND...: as root.
inside() {
	nsenter -t "$BOOTED_INIT" -m -u -i -n -p -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}
# inside_as USER COMMAND...
inside_as() {
	local user=$1
	shift
	inside setpriv "--reuid=$user" "--regid=$user" --clear-groups "$@"
}

# Restarts it as `reboot` does: nspawn ends with 133, so that whoever keeps it starts it again.
booted_reboot() {
	local code
	inside systemctl reboot
	lab_until "$BOOTED_S" lab_gone "$BOOTED_PID" || fail "it does not go down"
	wait "$BOOTED_PID"
	code=$?
	BOOTED_PID=
	[ "$code" = 133 ] || fail "systemd-nspawn ended with $code, expected 133 for a reboot"
	booted_boot
}

booted_stop() {
	[ -n "$BOOTED_PID" ] || return 0
	kill -TERM "$BOOTED_PID" 2>/dev/null # an orderly shutdown
	lab_until 30 lab_gone "$BOOTED_PID" || kill -KILL "$BOOTED_PID" 2>/dev/null
	wait "$BOOTED_PID" 2>/dev/null
	BOOTED_PID=
}

booted_exit() { # CODE
	if [ "$1" != 0 ] && [ -n "$BOOTED_PID" ]; then
		inside journalctl --no-pager -n 60 -o short-precise >"$LAB/journal.log" 2>&1
	fi
	[ "$1" = 0 ] || LAB_LOG_LINES=60 lab_logs >&2
	lab_load_stop
	booted_stop
	# Nothing is removed through a mount that somebody has left there.
	if grep -q " $BOOTED_ROOT/" /proc/self/mounts; then
		echo "left: $BOOTED_ROOT, something is mounted in it" >&2
		exit 1
	fi
	rm -rf --one-file-system "$BOOTED_ROOT"
	lab_stop
	exit "$1"
}
