#!/usr/bin/env bash
# The layers, and where each library may be included. Speaks TAP, one line a rule.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

number=0 bad=0

# rule SENTENCE OFFENDERS: holds when there are no offenders
rule() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' "$number" "$1"
	else
		bad=$((bad + 1))
		printf 'not ok %d - %s\n' "$number" "$1"
		printf '%s\n' "$2" | sed 's/^/#   /'
	fi
}

# includes PATTERN FOLDER…: `file:line:#include …` of each include whose name begins with PATTERN
includes() {
	local pattern=$1
	shift
	grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" || true
}

except() { grep -vE "^($1)" || true; }

rule 'only_io_redis_includes_hiredis' "$(includes 'hiredis' common worker enqueue | except 'common/io/redis')"
rule 'only_io_pg_includes_libpq' "$(includes 'libpq|postgresql/|postgres_ext' common worker enqueue | except 'common/io/pg')"
rule 'only_io_http_includes_libcurl' "$(includes 'curl/' common worker enqueue | except 'common/io/http')"
rule 'only_base_decimal_includes_gmp' "$(includes 'gmp' common worker enqueue | except 'common/base/decimal')"
rule 'only_the_loader_and_the_renderers_include_jansson' \
	"$(includes 'jansson' common worker enqueue | except 'common/core/pipeline|common/core/json_|enqueue/render/')"
rule 'only_renderers_include_libsmartcols' "$(includes 'libsmartcols' common worker enqueue | except 'enqueue/render/')"
rule 'only_io_and_the_worker_include_libuv' "$(includes 'uv\.h|uv/' common worker enqueue | except 'common/io/|worker/')"
rule 'base_includes_neither_io_nor_core' "$(includes 'io/|core/|bf_(sql|lua|migrations|definitions)\.h|\.\./' common/base)"
rule 'io_does_not_include_core' "$(includes 'core/|bf_(sql|lua|migrations|definitions)\.h|\.\./' common/io)"

# A quoted include is found beside its file, in common/, at the top of its own program, or is made by the build.
strays() { # FOLDER: headers that none of these has
	local file line name
	includes '' "$1" | grep -E 'include[[:space:]]*"' | while IFS=: read -r file line name; do
		name=${name#*\"} name=${name%%\"*}
		case $name in
		bf_sql.h | bf_lua.h | bf_migrations.h | bf_definitions.h | bf_grants.h) continue ;;
		*..*) ;;
		*) [[ ! -f $(dirname "$file")/$name && ! -f common/$name && ! -f $1/$name ]] || continue ;;
		esac
		printf '%s:%s: %s\n' "$file" "$line" "$name"
	done
}

rule 'common_includes_no_program' "$(strays common)"
rule 'worker_does_not_include_enqueue' "$(strays worker)"
rule 'enqueue_does_not_include_worker' "$(strays enqueue)"
rule 'nothing_but_the_io_layer_connects_to_a_server' \
	"$(grep -rnwE --include='*.[ch]' 'PQconnect[A-Za-z]*|redisConnect[A-Za-z]*|redisAsyncConnect[A-Za-z]*' common worker enqueue | except 'common/io/')"
rule 'the_top_level_holds_what_the_design_names_and_nothing_else' \
	"$(for f in *; do
		case $f in CMakeLists.txt | README.md | worker | enqueue | common | tests | deploy | docs | build | build-*) ;; *) echo "$f" ;; esac
	done)"

printf '1..%d\n' "$number"
((bad == 0))
