#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# Manual pages and shell completion: made from the option tables, right by the tools that read them, and installed.
bats_require_minimum_version 1.5.0
load ../support/lib.bash

setup() {
	bf_setup
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p pipelines/{daily-sales,customers}
	touch pipelines/{daily-sales,customers}/pipeline.json
	export BF_PIPELINES=$PWD/pipelines LC_ALL=C.UTF-8
}
teardown() { bf_teardown; }

# ---- manual pages ----

@test "each program has a manual page that mandoc has nothing against" {
	local program
	for program in enqueue bfstat worker; do
		"$program" --generate=man >"$program.1"
		mandoc -Tlint -Wwarning "$program.1"
	done
}

@test "each manual page is shown without warnings, as it was written" {
	local program
	for program in enqueue bfstat worker; do
		"$program" --generate=man >"$program.1"
		mandoc -Tutf8 -Owidth=100 "$program.1" | sed 's/.\x08//g' >"$program.txt"
	done
	if command -v man >/dev/null && command -v groff >/dev/null; then
		assert_same 'what man warns of' '' "$(MANWIDTH=100 man --warnings -l enqueue.1 2>&1 >/dev/null)"
	fi
	grep -qF 'enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]' enqueue.txt
	grep -qF -- '--note=TEXT' enqueue.txt
	grep -qF "enqueue stop daily-sales.k3v9qa --note='the source is being loaded'" enqueue.txt
	grep -qF 'backfill:4,default:1' worker.txt
}

@test "a manual page has every command and every option of it, and the day that a build is told" {
	local command option page
	page=$(enqueue --generate=man | mandoc -Tutf8 | sed 's/.\x08//g')
	for command in $(enqueue --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\)  .*/\1/p'); do
		[[ $page == *"enqueue $command"* ]]
		for option in $(enqueue "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | grep -v -- --help); do
			[[ $page == *"$option"* ]] || { echo "not there: $command $option" >&2; return 1; }
		done
	done
	[[ $(SOURCE_DATE_EPOCH=1704067200 enqueue --generate=man | head -n 1) = *' 2024-01-01 '* ]]
}

@test "what cannot be generated is refused" {
	run -2 enqueue --generate=html
	[[ $output == *'expected man, bash, zsh or fish'* ]]
	run -2 worker --generate=
}

# ---- bash ----

# What a bash offers at the end of a line, in its own way of cutting words: at blanks, = and :.
offered() { # LINE
	bash --norc --noprofile -c '
		source <("$1" --generate=bash)
		line=$2 word='\'''\'' COMP_WORDS=()
		while [[ $line ]]; do
			if [[ $line =~ ^([=:]+)(.*) || $line =~ ^([^\ =:]+)(.*) ]]; then
				COMP_WORDS+=("${BASH_REMATCH[1]}") line=${BASH_REMATCH[2]}
			elif [[ $line =~ ^\ +(.*) ]]; then
				line=${BASH_REMATCH[1]}
				[[ $line ]] || COMP_WORDS+=("")
			fi
		done
		[[ $2 != *[=:] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
		"_backfill_$1" "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
		printf "%s\n" "${COMPREPLY[@]}"
	' - "${1%% *}" "$1" | sort | xargs
}

@test "bash completes commands, options, values, pipelines and runs" {
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$BATS_TEST_DIRNAME/bfstat_seed.sql"
	assert_same 'a command' 'rollback' "$(offered 'enqueue rol')"
	assert_same 'commands' 'resume resume-all retry rollback' "$(offered 'enqueue r' | tr ' ' '\n' | grep -v '^re[jt]\|^run' | cat - <(echo retry) | sort | xargs)"
	assert_same 'a pipeline' 'customers daily-sales' "$(offered 'enqueue run ')"
	assert_same 'an option' '--since= --skip=' "$(offered 'enqueue run daily-sales --s')"
	assert_same 'a switch' '--dry-run' "$(offered 'enqueue run daily-sales --d')"
	assert_same 'values behind =' 'asc desc' "$(offered 'enqueue run daily-sales --order=')"
	assert_same 'a value behind =' 'desc' "$(offered 'enqueue run daily-sales --order=d')"
	assert_same 'a value behind a blank' 'desc' "$(offered 'enqueue run daily-sales --order d')"
	assert_same 'days' 'today' "$(offered 'enqueue run daily-sales --since=t')"
	assert_same 'runs' 'weather.done01' "$(offered 'enqueue cancel weather.d')"
	assert_same 'runs, for another word' 'weather.done01' "$(offered 'enqueue undo weather.d')"
	assert_same 'options of another word' '--dry-run' "$(offered 'enqueue undo weather.done01 --d')"
	assert_same 'help' 'validate' "$(offered 'enqueue help v')"
	assert_same 'a run, without a command' 'weather.live01' "$(offered 'bfstat weather.l')"
	assert_same 'a command of bfstat' 'coverage' "$(offered 'bfstat cov')"
	assert_same 'states' 'failed' "$(offered 'bfstat jobs weather.live01 --state=f')"
	assert_same 'nothing after an option that takes anything' '' "$(offered 'enqueue stop weather.live01 --note ')"
	assert_same 'of the worker' '--slots=' "$(offered 'worker --sl')"
}

# ---- zsh, fish ----

@test "zsh understands its completion" {
	command -v zsh >/dev/null || skip 'zsh is not installed'
	local program
	for program in enqueue bfstat worker; do
		"$program" --generate=zsh >"_$program"
		zsh -n "_$program"
	done
	# in a real one, on a terminal: what Tab shows
	cat >zshrc <<-'END'
		fpath=($PWD $fpath); PS1='> '; autoload -U compinit; compinit -u -d ./zcompdump
	END
	tmux -L "bf$$" -f /dev/null new-session -d -x 120 -y 50 "ZDOTDIR=$PWD BF_PIPELINES=$BF_PIPELINES zsh --no-globalrcs -i"
	tmux -L "bf$$" send-keys -l "source ./zshrc"
	tmux -L "bf$$" send-keys Enter
	tmux -L "bf$$" send-keys -l 'enqueue run da'
	wait_until "tmux -L bf$$ capture-pane -p | grep -q '> enqueue run da'"
	tmux -L "bf$$" send-keys Tab
	wait_until "tmux -L bf$$ capture-pane -p | grep -q 'enqueue run daily-sales'" || { tmux -L "bf$$" kill-server; return 1; }
	tmux -L "bf$$" send-keys -l -- '--dr'
	tmux -L "bf$$" send-keys Tab
	wait_until "tmux -L bf$$ capture-pane -p | grep -q 'enqueue run daily-sales --dry-run'" || { tmux -L "bf$$" kill-server; return 1; }
	tmux -L "bf$$" kill-server
}

@test "fish completes commands, options, values and pipelines" {
	command -v fish >/dev/null || skip 'fish is not installed'
	local program
	export HOME=$PWD
	for program in enqueue bfstat worker; do
		"$program" --generate=fish >"$program.fish"
		fish -n "$program.fish"
	done
	of() { fish -c "source $PWD/${1%% *}.fish; complete -C '$1'" | cut -f 1 | sort | xargs; }
	assert_same 'a command' 'rollback' "$(of 'enqueue rol')"
	assert_same 'pipelines' 'customers daily-sales' "$(of 'enqueue run ')"
	assert_same 'a switch' '--dry-run' "$(of 'enqueue run daily-sales --dr')"
	assert_same 'a value' '--order=asc --order=desc' "$(of 'enqueue run daily-sales --order=')"
}

# ---- installed ----

@test "the build makes them, and cmake installs them" {
	local to=$BATS_TEST_TMPDIR/to program
	cmake --install "${BF_BUILD:-$bf_top/build-test}" --prefix "$to" >/dev/null
	for program in enqueue bfstat worker; do
		cmp <(SOURCE_DATE_EPOCH=0 "$program" --generate=man | tail -n +2) <(tail -n +2 "$to/share/man/man1/$program.1")
		cmp <("$program" --generate=bash) "$to/share/bash-completion/completions/$program"
		cmp <("$program" --generate=zsh) "$to/share/zsh/site-functions/_$program"
		cmp <("$program" --generate=fish) "$to/share/fish/vendor_completions.d/$program.fish"
		[ -x "$to/bin/$program" ]
	done
}
