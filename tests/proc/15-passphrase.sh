#!/usr/bin/env bash
# Operators' keys under a passphrase: from a file, at a terminal that shows nothing of it, and what is
# refused; and one list that three operators sign one after the other.
# parallel
# shellcheck source=tests/lab/offline.sh
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"

secret_file() { # NAME TEXT
	(umask 077 && printf '%s\n' "$2" >"$1")
}
# typed EXIT "ARGUMENT..." TEXT...: mcadmin at a terminal of its own, which sees what was shown in out.
# Each TEXT is typed when it asks; ^C as \x03.
typed() {
	/usr/bin/python3 - "$MCADMIN" "$@" >out 2>err <<-'END'
		import os, pty, re, select, signal, sys, termios, time
		program, code, arguments, texts = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(), sys.argv[4:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(program, [program] + arguments)
		def echoes():
		    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)
		shown, asked, deadline = b"", 0, time.monotonic() + 60
		while time.monotonic() < deadline:
		    ready, _, _ = select.select([fd], [], [], 0.05)
		    if ready:
		        try:
		            some = os.read(fd, 4096)
		        except OSError:
		            break
		        if not some:
		            break
		        shown += some
		    if texts and len(re.findall(rb": $|: (?=\r?\n)", shown)) > asked and not echoes():
		        asked += 1
		        os.write(fd, texts.pop(0).encode().decode("unicode_escape").encode("latin-1"))
		else:
		    os.kill(pid, signal.SIGKILL)
		    print("it does not end")
		try:
		    visible = echoes()
		except termios.error:
		    visible = True
		_, status = os.waitpid(pid, 0)
		sys.stdout.write(shown.decode().replace("\r", ""))
		print("the terminal hides what is typed" if not visible else "")
		found = os.waitstatus_to_exitcode(status)
		if found != code:
		    print(f"exit code {found}, expected {code}, texts left {texts}")
		    sys.exit(1)
	END
	is "$2: at a terminal" $? 0
	is "$2: the terminal is left as it was" "$(grep -c 'hides what' out)" 0
}
hidden() { is "$1: nothing of it is shown" "$(grep -c "$2" out)" 0; }

secret_file words "correct horse battery staple"
secret_file others "another passphrase"

# ---- files ----

done_ "keygen" keygen --passphrase-file words -o op.key
is "op.key: mode" "$(stat -c %a op.key)" 600
is "op.key: form" "$(grep -cE '^mcroster-operator-key 2 3 262144 [A-Za-z0-9+/=]{160}$' op.key)" 1
done_ "hostkey" hostkey -o host
printf 'cluster = "web"\ncoordinator = "web01"\nagent "web01" { address = "10.0.0.1:11280" key = "%s" }\n' \
	"$(cat host.pub)" >cluster.conf
printf 'server "cache01" { address = "10.0.0.1:11211" agent = "web01" }\n' >>cluster.conf
done_ "a list" plan cluster.conf --parent none -o list
cp list unsigned
done_ "sign" sign -k op.key --passphrase-file words list
done_ "the signature is good" verify -p op.key.pub list
refused 3 'op.key: the passphrase is wrong, or the file damaged' "another passphrase" \
	sign -k op.key --passphrase-file others unsigned
chmod 0640 words
refused 3 'words: found mode 0640, expected 0600' "a passphrase that others may read" \
	sign -k op.key --passphrase-file words unsigned
chmod 0600 words
secret_file nothing ""
refused 3 'nothing: found nothing, expected a passphrase' "an empty one" sign -k op.key --passphrase-file nothing unsigned
refused 1 'none: No such file' "one that is not there" sign -k op.key --passphrase-file none unsigned
refused 2 'behind the -k KEYFILE' "one before its key" sign --passphrase-file words -k op.key unsigned
secret_file short "1234567"
refused 3 'found a passphrase of 7 bytes, expected 8 or more' "a short one" keygen --passphrase-file short -o x.key
refused 3 'expected one of them' "both ways" keygen --passphrase-file words --no-passphrase -o x.key
refused 2 'agents read it' "a passphrase for the pre-shared key" keygen --psk --passphrase-file words -o x.key
done_ "keygen without one" keygen --no-passphrase -o plain.key
is "plain.key: form" "$(grep -cE '^mcroster-operator-key 1 ' plain.key)" 1
refused 3 'the key is not encrypted' "a passphrase for it" sign -k plain.key --passphrase-file words unsigned
cp op.key broken.key
for edit in 's/ 3 262144 / 4 262144 /' 's/ 3 262144 / 3 262145 /' 's/.$/A/'; do
	sed "$edit" op.key >broken.key
	run 3 "a damaged key: $edit" sign -k broken.key --passphrase-file words unsigned
done
sed 's/ 3 262144 / 99999999 262144 /' op.key >broken.key
refused 3 'broken.key: not an operator' "a key that takes for ever" sign -k broken.key --passphrase-file words unsigned
is "the refused ones wrote nothing" "$(cmp -s unsigned list || grep -c ^signature unsigned)" 0

# ---- standard input ----

piped() { # EXIT TEXT WHAT ARGUMENT...: mcadmin with the text at its standard input, a pipe
	local code=$1 text=$2 what=$3
	shift 3
	printf '%b' "$text" | "$MCADMIN" "$@" >out 2>err
	is "$what: exit code" "${PIPESTATUS[1]}" "$code"
}
piped 0 'another passphrase\n' "keygen" keygen --passphrase-file - -o piped.key
is "piped.key: form" "$(grep -cE '^mcroster-operator-key 2 ' piped.key)" 1
cp unsigned both
piped 0 'correct horse battery staple\nanother passphrase' "two keys, a line each" \
	sign -k op.key --passphrase-file - -k piped.key --passphrase-file - both
done_ "both have signed" verify -p op.key.pub -p piped.key.pub -t 2 both
piped 3 'another passphrase\n' "another's line" sign -k op.key --passphrase-file - unsigned
piped 3 "$(printf 'x%.0s' {1..1025})" "one that is too long" sign -k op.key --passphrase-file - unsigned
is "a long one: why" "$(grep -c 'standard input: found more than 1024 bytes' err)" 1
refused 3 'standard input: found nothing, expected a passphrase' "none" sign -k op.key --passphrase-file - unsigned
is "they wrote nothing" "$(grep -c ^signature unsigned)" 0

# ---- no terminal ----

nobody() { # PATTERN ARGUMENT...: without a controlling terminal
	local pattern=$1
	shift
	setsid -w "$MCADMIN" "$@" >out 2>err </dev/null
	is "$*: without a terminal" $? 1
	if grep -Eq -- "$pattern" err; then ok; else bad "$*: no '$pattern' in what it says"; fi
}
nobody 'no terminal .*--passphrase-file FILE .*--no-passphrase' keygen -o x.key
nobody 'no terminal .*--passphrase-file FILE' sign -k op.key unsigned
is "nothing was made" "$(ls x.key x.key.pub 2>/dev/null)" ""

# ---- at a terminal ----

typed 0 "keygen -o typed.key" 'open sesame\n' 'open sesame\n'
says "keygen" '^New passphrase of typed.key: *$'
says "keygen" '^secret in +typed.key$'
hidden "keygen" sesame
typed 3 "keygen -o x.key" 'open sesame\n' 'open simsim\n'
says "typed in two ways" 'typed in two ways'
typed 3 "keygen -o x.key" 'short\n'
says "a short one" 'expected 8 or more'
cp unsigned second
typed 0 "sign -k typed.key second" 'wrong one\n' 'open sesame\n'
says "a slip" 'the passphrase is wrong'
says "signed all the same" 'signed by'
hidden "sign" sesame
cp unsigned third
typed 3 "sign -k typed.key third" 'wrong 1\n' 'wrong 2\n' 'wrong 3\n'
typed 130 "sign -k typed.key third" 'half of i\x03'
says "Ctrl-C" 'no passphrase was typed'
is "and nothing is signed" "$(grep -c ^signature third)" 0
typed 3 "sign -k typed.key --passphrase-file - third"
says "a terminal in the place of a pipe" 'standard input is a terminal, which shows what is typed'
typed 0 "passphrase typed.key" 'open sesame\n' 'closed sesame\n' 'closed sesame\n'
says "passphrase" 'typed.key is encrypted with the new passphrase'
typed 0 "sign -k typed.key third" 'closed sesame\n'

# ---- another one ----

done_ "passphrase" passphrase op.key --old-passphrase-file words --passphrase-file others
cp unsigned fourth
refused 3 'the passphrase is wrong' "the old one" sign -k op.key --passphrase-file words fourth
done_ "the new one" sign -k op.key --passphrase-file others fourth
done_ "it is the same key" verify -p op.key.pub fourth
done_ "passphrase for a plain key" passphrase plain.key --passphrase-file words
is "plain.key is encrypted" "$(grep -cE '^mcroster-operator-key 2 ' plain.key)" 1
done_ "passphrase --no-passphrase" passphrase plain.key --old-passphrase-file words --no-passphrase
says "passphrase --no-passphrase" 'NOT encrypted'

# ---- several signers ----

for n in 1 2 3; do done_ "keygen" keygen --no-passphrase -o "signer$n.key"; done
id() { printf '%s' "$("$MCADMIN" sign -k "$1.key" unsigned -o alone | sed -n 's/.*signed by \([0-9a-f]*\),.*/\1/p')"; }
one=$(id signer1) two=$(id signer2)
cp unsigned shared
done_ "the first signer" sign -k signer1.key shared -t 3
says "the first signer" "^1 signature: $one\$"
says "the first signer" '^2 more wanted: mcadmin sign -k KEY shared$'
refused 3 "shared: key $one has signed already" "the same one again" sign -k signer1.key shared -t 3
refused 3 "has signed already" "the same one again beside another" sign -k signer2.key -k signer1.key shared
refused 3 'the same key as -k' "one key twice" sign -k signer2.key -k signer2.key shared
is "the refused ones added nothing" "$(grep -c ^signature shared)" 1
done_ "the second signer" sign -k signer2.key shared -t 3
says "the second signer" "^2 signatures: $one, $two\$"
says "the second signer" '^1 more wanted: '
refused 3 'signed by 2 of|2 .*3' "two of three" verify -p signer1.key.pub -p signer2.key.pub -p signer3.key.pub -t 3 shared
done_ "the third signer" sign -k signer3.key shared -t 3
says "the third signer" '^No more wanted: mcadmin push shared$'
done_ "three of three" verify -p signer1.key.pub -p signer2.key.pub -p signer3.key.pub -t 3 shared
cp unsigned turned
done_ "the other order" sign -k signer3.key -k signer2.key turned
done_ "and one more" sign -k signer1.key turned -t 3
done_ "three of three, in another order" verify -p signer1.key.pub -p signer2.key.pub -p signer3.key.pub -t 3 turned
sed "/^signature $two /s/\(.\{40\}\).\(.*\)\$/\1!\2/; s/!/A/" shared >bad
cmp -s bad shared && sed "/^signature $two /s/\(.\{40\}\).\(.*\)\$/\1!\2/; s/!/B/" shared >bad
refused 3 "signature of key $two is wrong" "a bad one among three, where two are enough" \
	verify -p signer1.key.pub -p signer2.key.pub -p signer3.key.pub -t 2 bad
refused 2 '-t 0: a number from 1' "no threshold" sign -k signer1.key -t 0 shared

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
