#!/usr/bin/env bash
# The operator's day in a fresh Debian root, booted with real systemd: the packages are installed, the
# service is started, the servers change, the agent is killed, hangs, is reloaded and upgraded, also in
# the middle of a change, the host reboots, and all is purged.  Clients of another user have the
# segment mapped all the while and check every answer.
# limit: 1800
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/booted.sh
. "$(dirname "$0")/../../lab/booted.sh"
# shellcheck source=tests/lab/terminal.sh
. "$(dirname "$0")/../../lab/terminal.sh"

TOP=$(cd "$(dirname "$0")/../../.." && pwd)
PLAIN=$TOP/build/plain
KEYS=3000

# ---- what is asked of the booted host ----

unit() { inside systemctl show -P "$1" mcrosterd; }        # PROPERTY
main_pid_is_not() { [ "$(unit MainPID)" != "$1" ] && [ "$(unit ActiveState)" = active ]; }
mode_of() { inside stat -c '%a %U' "$1"; }
segment_inode() { inside stat -c %i /dev/shm/mcroster.web; }
status_of() { # NAME: of the raw status
	inside mcadmin status --raw | sed -n "s/^$1 //p"
}
journal() { inside journalctl --no-pager -o cat -u mcrosterd "$@"; }
journal_has() { journal | grep -Eq -- "$1"; }

# list_of N...: cluster.conf with the servers cacheN, all worked for by this host's agent.
list_of() {
	local n
	{
		cat <<-END
			cluster = "web"
			coordinator = "web01"
			lease = 2000
			steady-lease = 5000
			op-timeout = 300
			agent "web01" {
				address = "127.0.0.1:11280"
				key = "$(inside head -n 1 /etc/mcroster/host.key.pub)"
			}
		END
		for n in "$@"; do
			printf 'server "cache%s" { address = "127.0.0.1:1121%s" agent = "web01" }\n' "$n" "$n"
		done
	} >"$BOOTED_ROOT/root/cluster.conf"
}
# The operator's way, without questions: plan, sign, push and watch in one.
OPERATOR=(-k /root/operator.key --passphrase-file /root/passphrase)
apply() {
	inside mcadmin apply /root/cluster.conf "${OPERATOR[@]}" --yes --timeout 120 >"$LAB/apply.log" 2>&1
}
change() { # N...: until it has settled
	list_of "$@"
	apply || fail "mcadmin apply: $(tail -n 3 "$LAB/apply.log")"
}
# The same in steps, as where several operators have to sign.
change_in_steps() { # N...
	list_of "$@"
	inside rm -f /root/list
	{
		inside mcadmin plan /root/cluster.conf -o /root/list &&
			inside mcadmin sign "${OPERATOR[@]}" /root/list &&
			inside mcadmin push /root/list --timeout 120
	} >"$LAB/steps.log" 2>&1 || fail "mcadmin plan, sign, push: $(tail -n 3 "$LAB/steps.log")"
}
reload_fails() { ! inside systemctl reload mcrosterd 2>/dev/null; }

# The checking load, as a user of the host's.
cat_loader() {
	cat >"$LAB/loader" <<-END
		#!/bin/sh
		exec nsenter -t "$BOOTED_INIT" -m -u -i -n -p -- setpriv --reuid=app --regid=app --clear-groups \
			/opt/load --segment /mcroster.web "\$@"
	END
	chmod 755 "$LAB/loader"
}
load_start() {
	cat_loader
	LAB_LOADER=$LAB/loader lab_load_start "$KEYS" "" --readers 2 --writers 2 --rate 400
	lab_load fill
	lab_load run
}
verify() {
	lab_load verify
	lab_load_zeros
	lab_load run
}
clients_registered() { inside mcadmin status --raw | grep -Eq ' clients-(adopted|idle)=[1-9]'; }
reads() { lab_load report; echo $(($(lab_load_number hits))); }
clients_go_on() { # the load answers, and reads while we look
	local before
	before=$(reads)
	lab_until "$LAB_WAIT_S" read_more "$before" || fail "the clients read no more"
}
read_more() { [ "$(reads)" -gt "$1" ]; }

# ---- the packages ----

say "packages of this tree"
make_it() { env -u MAKEFLAGS -u MAKELEVEL make -s -C "$TOP" SAN= B=build/plain "$@"; }
make_it -j2 all clients >"$LAB/make.log" 2>&1 || fail "make: $(tail -n 3 "$LAB/make.log")"
lab_new
packages_build() { # REVISION
	make_it deb "DEB_REVISION=$1" >"$LAB/deb.log" 2>&1 || fail "make deb: $(tail -n 3 "$LAB/deb.log")"
	mkdir "$LAB/debs.$1"
	cp "$PLAIN"/deb/{mcroster-agent,mcroster-admin,libmcroster0,libmcroster-dev}_*.deb "$LAB/debs.$1/"
}
packages_build 1
packages_build 2
# The second agent's package has another sample of agent.conf.
dpkg-deb -R "$LAB"/debs.2/mcroster-agent_*.deb "$LAB/agent"
echo '# a line that the first package did not have' >>"$LAB/agent/etc/mcroster/agent.conf.sample"
dpkg-deb --root-owner-group -b "$LAB/agent" "$LAB"/debs.2/mcroster-agent_*.deb >/dev/null ||
	fail "dpkg-deb"
depends=$(for package in "$LAB"/debs.1/*.deb; do dpkg-deb -f "$package" Pre-Depends Depends; done |
	sed 's/^[A-Za-z-]*: //' | tr ',' '\n' | sed 's/^ *//; s/[ (].*//' |
	grep -v '^\(lib\)\?mcroster' | sort -u)

say "a fresh root"
# shellcheck disable=SC2086 # words
booted_make $depends systemd systemd-sysv dbus memcached libmemcached11
cp "$PLAIN/tests/client/load" "$BOOTED_ROOT/opt/load"
cat >"$BOOTED_ROOT/etc/systemd/system/cache@.service" <<'END'
[Service]
ExecStart=/usr/bin/memcached -u memcache -l 127.0.0.1 -p %i -U 0 -m 64
Restart=always
[Install]
WantedBy=multi-user.target
END
mkdir -p "$BOOTED_ROOT/etc/sysusers.d"
echo 'u app - "an application"' >"$BOOTED_ROOT/etc/sysusers.d/app.conf"
ln -s /dev/null "$BOOTED_ROOT/etc/systemd/system/memcached.service"
booted_boot
inside systemctl enable -q --now cache@11211 cache@11212 cache@11213 || fail "memcached"
say "  ok: booted, $(inside systemctl --version | head -n 1)"

# ---- install ----

say "install"
cp "$LAB"/debs.1/*.deb "$BOOTED_ROOT/opt/"
install_packages() { inside bash -c "dpkg --force-confdef --force-confold -i /opt/*_$1_*.deb" >"$LAB/dpkg.log" 2>&1; }
check "dpkg installs the packages" install_packages 0.1.0-1
check "the service is enabled" equal "$(inside systemctl is-enabled mcrosterd)" enabled
check "not configured, it is not started" equal "$(unit ActiveState)" inactive
check "and has not failed" equal "$(unit Result)" success
check "its user is there" inside getent passwd mcroster
check "nothing of the host has failed" equal "$(inside systemctl --failed --no-legend | wc -l)" 0

say "start"
inside bash -c 'cd /root && umask 077 && echo a fine passphrase >passphrase &&
	mcadmin keygen -o operator.key --passphrase-file passphrase && cd /etc/mcroster &&
	mcadmin keygen --psk -o psk && mcadmin hostkey -o host.key && chown mcroster host.key psk' >"$LAB/keys.log" 2>&1 ||
	fail "keys: $(cat "$LAB/keys.log")"
echo 'colour = "red"' >"$BOOTED_ROOT/etc/mcroster/agent.conf"
start_fails() { ! inside systemctl start mcrosterd 2>/dev/null; }
check "with a wrong agent.conf it does not start" start_fails
check "and is not tried again" equal "$(unit ExecMainStatus) $(unit NRestarts) $(unit ActiveState)" "78 0 failed"
sed -e 's|"10.0.0.1:11280"|"127.0.0.1:11280"|' \
	-e "s|^trusted-keys = .*|trusted-keys = { \"$(head -n 1 "$BOOTED_ROOT/root/operator.key.pub")\" }|" \
	"$BOOTED_ROOT/etc/mcroster/agent.conf.sample" >"$BOOTED_ROOT/etc/mcroster/agent.conf"
check "root may look at the configuration first" inside mcrosterd -c /etc/mcroster/agent.conf --check
check "systemctl start returns when it is ready" inside systemctl start mcrosterd
check "the unit is active" equal "$(unit ActiveState)" active
list_of 1 2
check "the first list is taken up" apply
check "the segment, whatever the umask" equal "$(mode_of /dev/shm/mcroster.web)" "644 mcroster"
check "the control socket" equal "$(mode_of /run/mcroster/web.control)" "660 mcroster"
check "the clients' socket" equal "$(mode_of /run/mcroster/web.clients)" "666 mcroster"
check "the state directory" equal "$(mode_of /var/lib/mcroster)" "700 mcroster"
load_start
check "clients of user app have registered" lab_until "$LAB_WAIT_S" clients_registered
client_named() { inside mcadmin clients --all >"$LAB/clients.log" && grep -Eq '^ *[0-9]+  app  .*[/ ]load' "$LAB/clients.log"; }
check "root sees them by user and command" lab_until "$LAB_WAIT_S" client_named
refused "user app asks the agent for nothing else" - "web.control" inside_as app mcadmin status

say "change"
change 1 2 3
verify
doctor() { inside mcadmin doctor >"$LAB/doctor.log"; }
check "doctor finds no fault" doctor

# ---- what goes wrong ----

say "kill"
pid=$(unit MainPID) inode=$(segment_inode)
inside sh -c "kill -KILL $pid"
check "systemd starts another" lab_until "$LAB_WAIT_S" main_pid_is_not "$pid"
check "with the same segment" equal "$(segment_inode)" "$inode"
clients_go_on
change_in_steps 1 2
verify

say "watchdog"
mkdir -p "$BOOTED_ROOT/etc/systemd/system/mcrosterd.service.d"
printf '[Service]\nWatchdogSec=2s\n' >"$BOOTED_ROOT/etc/systemd/system/mcrosterd.service.d/soon.conf"
inside systemctl daemon-reload
check "systemctl restart" inside systemctl restart mcrosterd
pid=$(unit MainPID)
inside sh -c "kill -STOP $pid"
check "one that hangs is replaced" lab_until 30 main_pid_is_not "$pid"
check "by the watchdog" journal_has '[Ww]atchdog timeout'
check "with the same segment" equal "$(segment_inode)" "$inode"
pid=$(unit MainPID) restarts=$(unit NRestarts)
clients_go_on
change 1 2 3
check "one that works is not" equal "$(unit MainPID) $(unit NRestarts)" "$pid $restarts"
rm -r "$BOOTED_ROOT/etc/systemd/system/mcrosterd.service.d"
inside systemctl daemon-reload
verify

say "reload"
echo 'rate-keys = 100' >>"$BOOTED_ROOT/etc/mcroster/agent.conf"
check "systemctl reload" inside systemctl reload mcrosterd
check "it is in force" lab_until "$LAB_WAIT_S" journal_has 'read again and is in force'
echo 'colour = "red"' >>"$BOOTED_ROOT/etc/mcroster/agent.conf"
check "a wrong file fails the reload" reload_fails
check "the journal says why" journal_has 'colour: found an unknown option'
sed -i '/^colour/d' "$BOOTED_ROOT/etc/mcroster/agent.conf"
check "the agent is the same" equal "$(unit MainPID) $(unit ActiveState)" "$pid active"
echo 'metrics = "127.0.0.1:9464"' >>"$BOOTED_ROOT/etc/mcroster/agent.conf"
check "one that takes a restart is read" inside systemctl reload mcrosterd
refusal='not reloaded: /etc/mcroster/agent.conf: found another value .* for metrics: that takes a restart'
check "and refused by name" lab_until "$LAB_WAIT_S" journal_has "$refusal"
says_why() { inside systemctl status --no-pager mcrosterd | grep -Eq "Status: \"$refusal"; }
check "where systemctl status shows it as well" lab_until "$LAB_WAIT_S" says_why
check "the agent is the same" equal "$(unit MainPID) $(unit ActiveState)" "$pid active"
sed -i '/^metrics/d' "$BOOTED_ROOT/etc/mcroster/agent.conf"

# ---- upgrade, in the middle of a change ----

say "upgrade in the middle of a change"
conf_before=$(cat "$BOOTED_ROOT/etc/mcroster/agent.conf")
echo '# kept by the operator' >>"$BOOTED_ROOT/etc/mcroster/agent.conf.sample"
rm "$BOOTED_ROOT"/opt/*.deb
cp "$LAB"/debs.2/*.deb "$BOOTED_ROOT/opt/"
list_of 1 2
in_copy() { inside mcadmin status --raw | grep -qx 'phase COPY'; }
term_start 100 40 nsenter -t "$BOOTED_INIT" -m -u -i -n -p -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	LC_ALL=C.UTF-8 TERM=screen HOME=/root PS1='$ ' bash --norc --noprofile
type_ 'mcadmin apply /root/cluster.conf -k /root/operator.key; echo code $?'
see "apply asks for the passphrase" '^Passphrase of /root/operator.key'
answer "a fine passphrase"
see "a slow change is planned" '^moves +5461 of 16384 slots: 33.3 %'
see "and asked about" 'Sign and offer this list\? Type yes:'
answer yes
see "it is in COPY" '^ +[0-9.]+ s  COPY +[0-9]+ keys moved'
term send-keys C-c
see "Ctrl-C ends the watching alone, and says how to go on" 'the change goes on by itself'
see "its exit code" '^code 130$'
type_ 'mcadmin status --watch'
see "it is watched again" '^cluster +web, epoch [0-9]+ -> [0-9]+, COPY'
check "dpkg upgrades the packages" install_packages 0.1.0-2
check "they are of the new revision" equal "$(inside dpkg-query -W -f '${Version}' mcroster-agent)" 0.1.0-2
check "the new agent runs" main_pid_is_not "$pid"
check "with the same segment" equal "$(segment_inode)" "$inode"
check "the change is still in COPY" in_copy
check "agent.conf is as it was" equal "$(cat "$BOOTED_ROOT/etc/mcroster/agent.conf")" "$conf_before"
check "a conffile that was edited is as it was" \
	grep -q '# kept by the operator' "$BOOTED_ROOT/etc/mcroster/agent.conf.sample"
check "the package's own is beside it" \
	grep -q 'a line that the first package' "$BOOTED_ROOT/etc/mcroster/agent.conf.sample.dpkg-dist"
clients_go_on
inside mcadmin pace --keys 0 >"$LAB/pace.log" 2>&1 || fail "mcadmin pace: $(cat "$LAB/pace.log")"
LAB_WAIT_S=180 see "the change goes through" '^cluster +web, epoch [0-9]+, settled'
term send-keys C-c
see "until Ctrl-C" '^\$ *$'
term_end
verify

say "the journal"
# What systemd itself says of a unit is not ours.
inside journalctl --no-pager -o json --output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,MCROSTER_CLUSTER,MCROSTER_EVENT,MCROSTER_EPOCH,_PID \
	_SYSTEMD_UNIT=mcrosterd.service >"$LAB/journal.json"
check "its lines have their levels and fields, and none is there twice within a second" \
	/usr/bin/python3 "$TOP/tests/lab/journal.py" "$LAB/journal.json"

# ---- reboot ----

say "reboot"
epoch=$(status_of epoch)
lab_load_stop
booted_reboot
check "the agent is up by itself" equal "$(unit ActiveState)" active
check "the cluster is where it was" equal "$(status_of epoch)" "$epoch"
check "there is a new segment" inside test -s /dev/shm/mcroster.web
inode=$(segment_inode)
load_start
check "clients have registered" lab_until "$LAB_WAIT_S" clients_registered
inside mcadmin pace --keys 0 >"$LAB/pace.log" 2>&1
change 1 2 3
verify

# ---- purge ----

say "remove and purge, with clients mapped"
lab_load read # nobody carries out what a writer would owe
dpkg_inside() { inside dpkg "$@" >"$LAB/dpkg.log" 2>&1; }
check "dpkg removes the agent" dpkg_inside -r mcroster-agent
check "it is stopped" equal "$(unit ActiveState)" inactive
check "the segment is there" equal "$(segment_inode)" "$inode"
clients_go_on
check "dpkg purges all" dpkg_inside -P mcroster-agent mcroster-admin libmcroster-dev libmcroster0
left=$(inside find / -xdev \( -path /proc -o -path /sys -o -path /opt -o -path /root -o -path /var/log \) -prune -o \
	-name '*mcroster*' -print; inside find /dev/shm /run -name '*mcroster*')
check "nothing is left" equal "$left" ""
check "systemd knows no such unit" equal "$(unit LoadState)" not-found
clients_go_on
lab_load report
for name in stale foreign overdue; do check "$name reads: 0" equal "$(lab_load_number $name)" 0; done
