#!/usr/bin/env bash
# The manual says what the programs do: every command and option stands in its page and nothing else
# does, every option of both configuration files, every line of a list, in its order; pages are
# well-formed and name only pages and documents that there are.
# parallel
# shellcheck source=tests/lab/offline.sh
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$top/tests/lab/offline.sh"
MCROSTERD=$(realpath "${MCROSTERD:?MCROSTERD must name the program}")
man=$top/docs/man

# ---- form ----

for page in "$man"/*.[1-8]; do
	name=${page##*/}
	# Whether a page's neighbours are installed here says nothing; CONCEPTS is no CONTEXT.
	mandoc -T lint "$page" 2>&1 | grep -v 'manual not found\|mandoc.db\|CONCEPTS instead of CONTEXT' >out
	is "$name: what mandoc finds wrong" "$(cat out)" ""
	groff -ww -mdoc -T utf8 "$page" >/dev/null 2>err
	is "$name: what groff finds wrong" "$(cat err)" ""
	while read -r other; do
		case $other in
		libmemcached.3 | memcached.1) ;;
		*) is "$name: $other is there" "$(ls "$man/$other" 2>&1)" "$man/$other" ;;
		esac
	done < <(sed -nE 's/^\.Xr ([a-z.-]*mc[a-z.-]*) ([1-8]).*/\1.\2/p' "$page" | sort -u)
	while read -r document; do
		is "$name: $document is there" "$(ls "$top/$document" 2>&1)" "$top/$document"
	done < <(grep -oE 'docs/[a-z]+\.md' "$page" | sort -u)
done

# ---- mcadmin(8), mcrosterd(8) ----

plain() { mandoc -T ascii -O width=200 "$man/$1" | col -bx; } # PAGE

# section PAGE-TEXT HEADING: its options, as `-o, --output file`, sorted; `+ HEADING` for another one's.
section() {
	awk -v heading="$2" '
		/^[^ ]/ { on = $0 == heading }
		/^   [^ ]/ { on = substr($0, 4) == heading }
		on && /^     -/ { sub(/^ */, ""); sub(/  .*/, ""); gsub(/ \| /, "|"); print }
		on && /^     Also those of/ {
			gsub(/^ *Also those of |\.$/, "")
			for (i = split($0, more, " and "); i > 0; i--) print "+ " more[i]
		}' "$1"
}
options() { # PAGE-TEXT HEADING
	local line
	section "$1" "$2" | while IFS= read -r line; do
		case $line in
		"+ "*) section "$1" "${line#+ }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done | LC_ALL=C sort
}
helped() { # ARGUMENT...: what --help has of a command, in the same form
	"$MCADMIN" "$@" --help | sed -nE 's/^ {2,6}((-[a-z], )?--[a-z].*)/\1/p' | sed 's/  .*//' |
		grep -v '^-h, --help$' | tr '[:upper:]' '[:lower:]' | LC_ALL=C sort
}

plain mcadmin.8 >page
commands=$("$MCADMIN" --help | sed -nE 's/^  ([a-z]+) +[A-Z].*/\1/p' |
	sed 's/^keys$/&\n& new\n& show\n& verify/')
is "mcadmin(8): its commands" "$(sed -nE 's/^   ([a-z].*)/\1/p' page | tr '\n' ' ')" \
	"$(tr '\n' ' ' <<<"$commands")"
while read -r command; do
	# shellcheck disable=SC2086 # words
	is "mcadmin(8): options of $command" "$(options page "$command")" "$(helped $command)"
done <<<"$commands"

plain mcrosterd.8 >page
is "mcrosterd(8): its options" \
	"$(section page DESCRIPTION | grep -oE -- '--[a-z-]+' | LC_ALL=C sort | tr '\n' ' ')" \
	"$("$MCROSTERD" --help | sed -nE 's/^ {2,6}(-[a-z], )?(--[a-z-]+).*/\2/p' | LC_ALL=C sort | tr '\n' ' ')"

# ---- docs/json.md ----

# Every name that mcadmin writes stands there, and nothing else does; as do the values, as far as they
# are listed.
is "docs/json.md: what differs from the program" "$(/usr/bin/python3 - "$top" "$commands" <<'END' 2>&1
import glob, re, sys
top, commands = sys.argv[1], set(sys.argv[2].split())
manual = open(top + "/docs/json.md").read()
source = "".join(open(f).read() for f in glob.glob(top + "/agent/admin/*.c") if not f.endswith("/render.c"))
written = set(re.findall(r'\bjson_[a-z_]+\(\s*&?json,\s*"([a-z_0-9]+)"', source))
written |= set(re.findall(r'\b(?:hash|names)_json\("([a-z_]+)"', source))
stands = set(re.findall(r"`([a-z_0-9]+)`", manual)) - (commands - written) - {"null", "_ms"}
checks = set(re.findall(r'\[CHECK_[A-Z_]+\]\s*=\s*\{"([a-z-]+)"', source))
values = set(re.findall(r'`"([a-z-]+)"`', manual))
for name in sorted(written - stands): print("not there:", name)
for name in sorted(stands - written): print("there, and not written:", name)
for name in sorted(checks - values): print("a check that is not there:", name)
for name in sorted(values):
    if '"%s"' % name not in source: print("a value that is nowhere:", name)
if len(written) < 100 or len(checks) < 20: print("found but", len(written), len(checks))
END
)" ""

# ---- commands that are named anywhere ----

# Whatever tells somebody to run mcadmin, in quotes or as a line of its own, names a command that there
# is with options that it has; and each alert names one.
is "commands that are named and are not there" "$(/usr/bin/python3 - "$top" "$MCADMIN" <<'END' 2>&1
import glob, os, re, subprocess, sys
top, mcadmin = sys.argv[1:]
def help_of(*words):
    return subprocess.run([mcadmin, *words, "--help"], capture_output=True, text=True).stdout
options = {c: set(re.findall(r"(?<![\w-])--[a-z-]+", help_of(c))) for c in re.findall(r"^  ([a-z]+)  ", help_of(), re.M)}
for word in ("new", "show", "verify"):
    options["keys"] |= set(re.findall(r"(?<![\w-])--[a-z-]+", help_of("keys", word)))
files = [f for pattern in ("README.md", "docs/*.md", "docs/man/*", "etc/*", "agent/*/*.c", "systemd/*", "packaging/*/*")
         for f in glob.glob(top + "/" + pattern) if os.path.isfile(f)]
count = 0
for f in files:
    text = open(f, errors="replace").read().replace("\\-", "-").replace('\\"', '"')
    text = re.sub(r"\\e?\n *|\"\s*\n\s*\"", " " if f.endswith((".md", "8")) else "", text)
    for quote, word, rest in re.findall(r"(^ {4}(?:[a-z0-9]+[$#] )?|^\.Ql |['`])mcadmin ([a-z]+)\b([^\n'`]*)", text, re.M):
        count += 1
        if word not in options:
            print(f"{f}: there is no mcadmin {word}")
            continue
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest.split("|")[0]):
            if option not in options[word]:
                print(f"{f}: mcadmin {word} has no {option}")
for said in re.findall(r"^ *description: (.*)", open(top + "/etc/mcroster.rules.yml").read(), re.M):
    if not re.search(r"'(mcadmin|systemctl|journalctl) [a-z-]+", said):
        print("an alert without a command:", said)
if count < 100: print("found but", count)
END
)" ""

# ---- configuration files ----

# known WORD COMMAND...: the options that a refusal of an unknown one names, WORD: where it is.
known() {
	local section=$1
	shift
	case $section in
	"") echo 'colour = "red"' ;;
	*) printf '%s "x" {\n\tcolour = "red"\n}\n' "$section" ;;
	esac >unknown.conf
	"$@" 2>&1 | sed -nE 's/.*found an unknown option.*expected one of (.*)/\1/p' | sed 's/, /\n/g'
}
described() { # PAGE
	sed -nE 's/^\.It Ic ([a-z].*)/\1/p' "$man/$1" | sed -E 's/ (Ar|Cm) .*//; s/ , /\n/g' | LC_ALL=C sort
}
agent_conf() { known "$1" "$MCROSTERD" -c unknown.conf --check; }
cluster_conf() { known "$1" "$MCADMIN" plan unknown.conf --parent none; }

is "mcroster.conf(5): its options" "$(described mcroster.conf.5)" \
	"$( (agent_conf "" && agent_conf server) | LC_ALL=C sort)"
is "mcroster-cluster.conf(5): its options" "$(described mcroster-cluster.conf.5)" \
	"$( (cluster_conf "" && cluster_conf agent && cluster_conf server) | LC_ALL=C sort)"
# What a reload takes over is said in three places, and is all that the code does not refuse by name.
taken_over() { # FILE BEGIN END: the options named there
	sed -n "/$2/,/$3/p" "$1" | sed "s/.*$2//; s/$3.*//" | tr '\n' ' ' | grep -oE '[a-z]+(-[a-z]+)+|\bpsk\b' |
		LC_ALL=C sort | tr '\n' ' '
}
fixed=$(sed -nE 's/^    FIXED\("([a-z -]+)".*/\1/p' "$top/agent/daemon/config_reload.c" | sed 's/ or /\n/')
reloaded=$(agent_conf "" | grep -vxF -e "$fixed" -e server -e etcd-password-file | LC_ALL=C sort | tr '\n' ' ')
is "mcroster.conf(5): what a reload takes over" \
	"$(taken_over "$man/mcroster.conf.5" 'reads the file again' 'All else takes')" "$reloaded"
is "agent.conf: what a reload takes over" \
	"$(taken_over "$top/etc/agent.conf" 'reads the file again' 'All else takes')" "$reloaded"
is "service.md: what a reload takes over" \
	"$(taken_over "$top/docs/service.md" 'A reload takes over' 'All else takes')" "$reloaded"
# A default that a page names in parentheses is the one that the sample shows.
for file in agent:mcroster.conf cluster:mcroster-cluster.conf; do
	while read -r option value; do
		shown=$(sed -nE "s/^#$option = \"?([0-9a-z]+)\"?\$/\1/p" "$top/etc/${file%:*}.conf")
		[ -z "$shown" ] || is "${file#*:}(5): the default of $option" "$value" "$shown"
	done < <(awk '/^\.It Ic/ { option = $3 }
		match($0, /\([0-9]+\)|^\.Pq [0-9]+/) {
			value = substr($0, RSTART, RLENGTH); gsub(/[^0-9]/, "", value); print option, value }' \
		"$man/${file#*:}.5")
done

# ---- lists ----

is "mcroster-list(5): its lines, in their order" \
	"$(sed -nE 's/^\.It Ic ([a-z-]+).*/\1/p' "$man/mcroster-list.5" | tr '\n' ' ')" \
	"$(sed -n '/^static const struct lines_step steps/,/^};/s/^ *{"\([a-z-]*\)",.*/\1/p' \
		"$top/agent/list/list_lines.c" | tr '\n' ' ')signature "

end
