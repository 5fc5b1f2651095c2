/* What the generators of manual pages and completions have in common. */
#include "base/manual_generate.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

int bf_manual_generate(const struct bf_manual *m, const char *what, struct bf_buf *out, struct bf_error *err)
{
	static const struct {
		const char *name;
		void (*generate)(const struct bf_manual *m, struct bf_buf *out);
	} kinds[] = {
		{"man", bf_generate_man},
		{"bash", bf_generate_bash},
		{"zsh", bf_generate_zsh},
		{"fish", bf_generate_fish},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, what) == 0) {
			kinds[i].generate(m, out);
			return 0;
		}
	return bf_fail(err, BF_E_INPUT, BF_GENERATE_OPTION "%s: expected man, bash, zsh or fish", what);
}

bool bf_manual_is_own(const struct bf_manual *m, const struct bf_command *c)
{
	return strcmp(c->name, m->program) == 0;
}

static enum bf_values values_of_word(const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum bf_values values;
	} kinds[] = {{"PIPELINE", BF_VALUES_PIPELINES}, {"RUN", BF_VALUES_RUNS}, {"DIR", BF_VALUES_FOLDERS}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].word) == len && strncmp(kinds[i].word, word, len) == 0)
			return kinds[i].values;
	return BF_VALUES_NONE;
}

enum bf_values bf_values_of_option(const struct bf_opt *o)
{
	switch (o->type) {
	case BF_OPT_CHOICE:
		return BF_VALUES_CHOICES;
	case BF_OPT_DATE:
		return BF_VALUES_DAYS;
	case BF_OPT_TEXT:
	case BF_OPT_LIST:
		return o->value ? values_of_word(o->value, strlen(o->value)) : BF_VALUES_NONE;
	case BF_OPT_FLAG:
	case BF_OPT_INT:
	case BF_OPT_DURATION:
		break;
	}
	return BF_VALUES_NONE;
}

/* The next word of a synopsis that names an argument: all of it capitals. Its length; 0: there is none. */
static size_t next_argument(const char **at)
{
	while (**at) {
		*at += strspn(*at, " []");
		size_t len = strcspn(*at, " []"), capitals = 0;
		while (capitals < len && isupper((unsigned char)(*at)[capitals]))
			capitals++;
		if (len > 0 && capitals == len)
			return len;
		*at += len;
	}
	return 0;
}

enum bf_values bf_values_of_argument(const struct bf_command *c, int index)
{
	const char *at = c->synopsis;
	size_t len = next_argument(&at);
	for (int i = 0; i < index && len > 0; i++) {
		at += len;
		len = next_argument(&at);
	}
	return len > 0 ? values_of_word(at, len) : BF_VALUES_NONE;
}

void bf_generate_names(const struct bf_manual *m, const struct bf_command *c, const char *between, struct bf_buf *out)
{
	bf_buf_addstr(out, c->name);
	for (const struct bf_alias *a = m->aliases; a && a->typed; a++)
		if (!a->option && a->means && strcmp(a->means, c->name) == 0 && strcmp(a->typed, c->name) != 0)
			bf_buf_printf(out, "%s%s", between, a->typed);
}

void bf_generate_lookups(const char *prefix, struct bf_buf *out)
{
	bf_buf_printf(out,
				  "%s_pipelines() {\n"
				  "\tlocal folder=${BF_PIPELINES:-deploy/pipelines} file\n"
				  "\tfind -L \"$folder\" -mindepth 2 -maxdepth 2 -name pipeline.json 2>/dev/null | while IFS= read -r file; do\n"
				  "\t\tfile=${file%%/pipeline.json}\n"
				  "\t\tprintf '%%s\\n' \"${file##*/}\"\n"
				  "\tdone\n"
				  "}\n"
				  "%s_runs() {\n"
				  "\ttimeout 3 bfstat --limit=100 --json 2>/dev/null |\n"
				  "\t\tgrep -oE '\"run\": ?\"[a-z0-9.-]+\"' | sed -E 's/.*\"([^\"]*)\"$/\\1/'\n"
				  "}\n\n",
				  prefix, prefix);
}
