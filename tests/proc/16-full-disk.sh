#!/usr/bin/env bash
# A full disk under every command that writes a file: it fails, says so, and what was there is whole.
# The disk is a small tmpfs in a mount namespace of its own.
# parallel
# shellcheck source=tests/lab/offline.sh
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
	FULL_DISK_INSIDE=1 exec unshare --user --map-root-user --mount bash "$0"
fi
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"
trap 'umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT

# room PAGES: so much of the disk is free, and no more.
room() {
	rm -f disk/filler
	dd if=/dev/zero of=disk/filler bs=4096 status=none 2>/dev/null
	truncate -s "-$(($1 * 4096))" disk/filler
	is "the disk has room for $1 pages" "$(stat -f -c %f disk)" "$1"
}
# full WHAT FILE ARGUMENT...: it fails for want of room, names the file and leaves all as it was.
full() {
	local what=$1 file=$2
	shift 2
	rm -rf before
	cp -a disk before
	refused 1 "^mcadmin [a-z ]*: [^:]*disk/$file: No space left on device" "$what" "$@"
	is "$what: what was there is whole, and nothing else is there" "$(diff -r before disk 2>&1)" ""
	case $what in *" over "*) says_so "$what" ;; esac
}
says_so() { is "$1: it says that the old one is" "$(grep -Ec '; (it is as it was|no key is made)$' err)" 1; }

mkdir disk
mount -t tmpfs -o size=256k full disk || bad "no tmpfs can be mounted"
done_ "keygen" keygen --no-passphrase -o disk/op
done_ "a psk" keygen --psk -o disk/psk
done_ "hostkey" hostkey -o disk/host
printf 'some words of tests\n' >words && chmod 600 words
done_ "another operator" keygen --no-passphrase -o other
done_ "init" init --no-passphrase --host a=10.0.0.1 --host b=10.0.0.2 -o web
cp web/cluster.conf disk/cluster.conf
done_ "plan" plan disk/cluster.conf --parent none -o disk/list
done_ "keys new" keys new --first web -p disk/op.pub -t 1 -o disk/keys

room 0
full "keygen over a key" op.pub.new keygen --no-passphrase --force -o disk/op --json
full "keygen" new.pub.new keygen --no-passphrase -o disk/new
full "keygen --psk over one" psk keygen --psk --force -o disk/psk
full "keygen --psk" new keygen --psk -o disk/new
full "hostkey over a key" host.pub.new hostkey --force -o disk/host
full "hostkey" new.pub.new hostkey -o disk/new
full "passphrase over a key" op passphrase disk/op --passphrase-file words
full "plan over a list" list plan disk/cluster.conf --parent none -o disk/list
full "plan" new plan disk/cluster.conf --parent none -o disk/new --json
full "sign over a list" list sign -k web/operator.key disk/list
full "sign over keys" keys sign -k disk/op disk/keys
full "sign" new sign -k other disk/list -o disk/new
full "keys new over a document" keys keys new --first web -p other.pub -t 1 -o disk/keys
full "keys new" new keys new --first web -p other.pub -t 1 -o disk/new --json
full "add over cluster.conf" cluster.conf add disk/cluster.conf c 10.0.0.1:11212 --no-plan
full "remove over cluster.conf" cluster.conf remove disk/cluster.conf b --no-plan
full "weight over cluster.conf" cluster.conf weight disk/cluster.conf b 50 --no-plan
full "replace over cluster.conf" cluster.conf replace disk/cluster.conf b 10.0.0.2:11213 --no-plan
full "init" "new[a-z./]*" init --no-passphrase --host a=10.0.0.1 -o disk/new

# With room for the first of its files and not for the next.
room 1
full "keygen of half a pair" new keygen --no-passphrase -o disk/new
full "hostkey of half a pair" new hostkey -o disk/new
full "keygen of half a pair over one" op keygen --no-passphrase --force -o disk/op
full "hostkey of half a pair over one" host hostkey --force -o disk/host
room 3
full "init of half a cluster" 'new/[a-z./]*' init --no-passphrase --host a=10.0.0.1 -o disk/new

# The report itself goes nowhere: the command has failed, however well the rest went.
for command in "show list" "--help" "--version" "completion bash" "keys show keys --json" "diff list list"; do
	# shellcheck disable=SC2086 # the words are the arguments
	(cd disk && "$MCADMIN" $command) >/dev/full 2>err
	is "$command to a full disk: exit code" $? 1
	: >out
	is "$command to a full disk: it says so" "$(grep -c 'No space left on device' err)" 1
done

rm -f disk/filler
done_ "with room again: weight" weight disk/cluster.conf b 50 --no-plan
done_ "with room again: keygen" keygen --no-passphrase --force -o disk/op
is "with room again: nothing is left over" "$(find disk -name '.mcadmin.*' -o -name '*.new')" ""

end
