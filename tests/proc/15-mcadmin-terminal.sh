#!/usr/bin/env bash
# mcadmin at a real terminal (tmux): what is asked and answered, what is redrawn, Ctrl-C in the middle
# of a change, forty columns, colours, and completion by the Tab key in both shells.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/terminal.sh
. "$(dirname "$0")/../lab/terminal.sh"

LAB_RATE=400
unset NO_COLOR

# As many lines as the terminal has wrapped: none where the program has folded them itself.
wrapped() { echo $(($(screen | grep -c .) - $(screen -J | grep -c .))); }

pace() { # KEYS AGENT...
	local keys=$1 n
	shift
	for n in "$@"; do
		"$BUILD/mcadmin" pace --keys "$keys" --adaptive no --agent "$(lab_agent_socket "$n")" >&2
	done
}
fast() { pace 0 "$@"; } # what is left to move is of no more use

lab_start 2
agent="--agent $(lab_agent_socket 1)"
lab_load_start 4000 "1 2"
lab_load fill
lab_server_start 3
lab_agent_start 3
cp "$LAB/cluster.conf" "$LAB/two.conf"
lab_conf 1 2 3
term_start 100 40 bash --norc --noprofile

say "a change is confirmed, or not"
type_ "mcadmin apply cluster.conf -k operator.key $agent"
see "the plan is shown" '^moves +5461 of 16384 slots: 33.3 %'
see "and asked about" 'Sign and offer this list\? Type yes:'
answer no
see "a no is a no" 'not confirmed: nothing was signed'
check "nothing was signed" equal "$(lab_status epoch) $(lab_status next_epoch)" "1 0"
type_ "mcadmin apply cluster.conf -k operator.key $agent; echo code \$?"
see "it asks again" 'Type yes:'
term send-keys C-c
see "Ctrl-C is a no as well" 'interrupted: nothing was signed'
see "with its exit code" '^code 130$'
type_ "mcadmin apply cluster.conf -k operator.key $agent >plan.out; echo code \$?"
see "who sends the plan into a file is asked all the same" 'Type yes:'
answer no
see "and answers" '^code 1$'
check "nothing was signed by any of it" equal "$(lab_status epoch) $(lab_status next_epoch)" "1 0"
type_ "mcadmin apply cluster.conf -k operator.key $agent; echo code \$?"
see "it asks again" 'Type yes:'
answer yes
see "the change is shown" '^ +[0-9.]+ s  (COPY|DRAIN) +[0-9]+ keys moved'
see "with a bar for each server" '^ +s[12] [#.]+ +[0-9.]+ %'
term send-keys C-c
see "Ctrl-C ends the watching alone, and says how to go on" 'the change goes on by itself'
see "by a command to type" "mcadmin status --watch --agent"
see "its exit code" '^code 130$'
type_ "mcadmin top $agent"
see "top shows the change" '^cluster +lab, epoch 1 -> 2, [A-Z]+, for '
see "and what became of the keys" '^ +server +found +moved +there'
term send-keys C-c
see "until Ctrl-C" '^\$ *$'
fast 1 2
type_ "mcadmin status --watch $agent"
LAB_WAIT_S=60 see "status --watch sees the change to its end" '^cluster +lab, epoch 2, settled'
first=$(screen | sed -n 's/^lease *//p')
again() { [ "$(screen | sed -n 's/^lease *//p')" != "$first" ]; }
check "it is redrawn" lab_until "$LAB_WAIT_S" again
check "in place" equal "$(screen | grep -c '^cluster')" 1
term send-keys C-c
see "until Ctrl-C" '^\$ *$'
type_ "mcadmin apply cluster.conf -k operator.key $agent"
see "the same again is nothing" '^Nothing changes: epoch 2'
type_ "mcadmin giveup s1 -k operator.key $agent"
see "an order that cannot be is refused before it is asked about" 'mcadmin giveup: '

say "colours"
type_ "mcadmin doctor --conf 1/agent.conf $agent; echo code \$?"
see "doctor is content" '^code 0$'
colours() { screen -e | grep -c $'\033\\[3[0-9]m'; }
check "its words have colours" test "$(colours)" -gt 10
type_ "NO_COLOR=1 mcadmin doctor --conf 1/agent.conf $agent; echo code \$?"
see "NO_COLOR" '^code 0$'
check "takes them away" equal "$(colours)" 0
type_ "mcadmin doctor --conf 1/agent.conf $agent >doctor.out; mcadmin status $agent >status.out; echo code \$?"
see "what goes to a file" '^code 0$'
check "has none" equal "$(grep -c $'\033' "$LAB/doctor.out" "$LAB/status.out" | tr '\n' ' ')" \
	"$LAB/doctor.out:0 $LAB/status.out:0 "
check "and is not folded" grep -q '^ *host  *lease  *adopted' "$LAB/status.out"

say "init walks through a new cluster"
type_ "mcadmin init -o fresh"
see "it asks for the name" '^Name of the cluster \[web\]:'
answer ""
see "for a host" '^Name of a host:'
answer "no good"
see "a bad answer is explained" "'no good' is no name"
answer web01
see "for its address" 'its address, as the other hosts reach it:'
answer localhost
see "which is numeric" 'a numeric one without a port'
answer fd00::1
see "for the agent's port" 'port for its agent \[11280\]:'
answer ""
see "for the memcached's" 'port of its memcached .* \[11211\]:'
answer ""
see "for a key" 'its public key, if .* \(nothing: one is made here\):'
answer ""
see "for another host" '^Name of another host \(nothing: no more\):'
answer ""
check "nothing is written before the last answer" test ! -e "$LAB/fresh"
see "for an operator" "^An operator's public key"
answer ""
see "and for a passphrase of the one it makes" '^New passphrase of fresh/operator.key'
answer "five words nobody would guess"
see "twice" '^Again, of fresh/operator.key'
answer "five words nobody would guess"
see "and says what is next" 'mcadmin apply fresh/cluster.conf -k fresh/operator.key'
check "what it wrote is a cluster" "$BUILD/mcadmin" plan "$LAB/fresh/cluster.conf" --parent none --json >&2
type_ "mcadmin init -o other"
see "it asks again" '^Name of the cluster'
term send-keys C-d
see "the end of the input ends it" 'no more answers: nothing was written'
check "with nothing written" test ! -e "$LAB/other"
term_end

say "forty columns"
term_start 40 60 bash --norc --noprofile
for command in status top clients "doctor --conf 1/agent.conf"; do
	type_ "mcadmin $command $agent $([ "$command" = top ] && echo --once) >&2; clear -x; mcadmin $command $agent $(
		[ "$command" = top ] && echo --once); echo the end"
	see "$command" '^the end$'
	check "$command: no line is wrapped by the terminal" equal "$(wrapped)" 0
done
type_ "mcadmin status --watch $agent"
see "status --watch" '^cluster +lab, epoch 2'
check "is not wrapped either" equal "$(wrapped)" 0
term send-keys C-c
see "until Ctrl-C" '^\$ *$'
cp "$LAB/two.conf" "$LAB/cluster.conf"
pace 40 3
type_ "mcadmin apply cluster.conf -k operator.key $agent --yes --ask no"
see "a change fits as well" '^ +[0-9.]+ s  (COPY|DRAIN) +[0-9]+ keys'
plan_lines() { screen "$@" | sed -n '/^Cluster/,/^agent/p' | wc -l; }
check "no line of its plan is wrapped" equal "$(plan_lines)" "$(plan_lines -J)"
term send-keys C-c
see "Ctrl-C" '^\$ *$'
check "what it says can be copied, and is not wrapped before that" \
	test "$(screen -J | grep -c "^ *'mcadmin status --watch --agent $(lab_agent_socket 1)' *\$")" = 1
for command in "abort -k operator.key" "giveup s1 -k operator.key"; do
	type_ "mcadmin $command $agent"
	see "$command" '^Sign and offer this order\? Type yes:'
	check "$command: no line is wrapped" equal "$(screen | sed -n '/^cluster/,$p' | wc -l)" \
		"$(screen -J | sed -n '/^cluster/,$p' | wc -l)"
	answer no
	see "$command: no" ': not confirmed: '
done
type_ "mcadmin apply --help; mcadmin nothing"
see "--help" "^Try 'mcadmin --help'"
check "--help and a complaint: no line is wrapped" equal "$(screen | sed -n '/^Usage/,$p' | wc -l)" \
	"$(screen -J | sed -n '/^Usage/,$p' | wc -l)"
fast 3
type_ "mcadmin status --watch $agent"
LAB_WAIT_S=60 see "to its end" '^cluster +lab, epoch 3, settled'
term send-keys C-c
see "until Ctrl-C" '^\$ *$'
term_end

say "completion"
term_start 100 30 bash --norc --noprofile
type_ 'eval "$(mcadmin completion bash)"'
see "bash takes it" '^\$ *$'
term send-keys -l 'mcadmin stat'
term send-keys Tab
see "bash completes a command" '^\$ mcadmin status *$'
term send-keys -l -- '--wa'
term send-keys Tab
see "and an option" '^\$ mcadmin status --watch *$'
term send-keys C-u
term send-keys -l 'mcadmin plan clus'
term send-keys Tab
see "and a file" '^\$ mcadmin plan cluster.conf *$'
term_end
term_start 100 30 zsh -f
type_ 'autoload -U compinit; compinit -D -u; eval "$(mcadmin completion zsh)"; echo rea''dy'
see "zsh takes it" '^ready$'
see "and asks for more" '^\$ *$'
term send-keys -l 'mcadmin stat'
term send-keys Tab
see "zsh completes a command" '^\$ mcadmin status *$'
term send-keys -l -- '--wa'
term send-keys Tab
see "and an option" '^\$ mcadmin status --watch *$'
term send-keys C-u
term send-keys -l 'mcadmin keys n'
term send-keys Tab
see "and a subcommand" '^\$ mcadmin keys new *$'
term_end
