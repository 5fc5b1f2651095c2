#include "base/options.h"

#include "base/buf.h"
#include "base/dates.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX   60 /* bytes of what the user gave, in a message */
#define HELP_OPTION BF_OPT_HELP
#define HELP_SHORT  "-h"
#define MESSAGE_MAX 1200

/* What one word or two of the command line mean. */
struct item {
	const struct bf_opt *option; /* NULL: a positional argument, in `value` */
	const char *typed;           /* the word as it was given, for messages */
	size_t typed_len;            /* of "--name" in it */
	const char *value;           /* NULL: none was given */
};

struct parser {
	const struct bf_command *cmd;
	int argc;
	char **argv;
	int at;
	bool options_over;
	struct bf_error *err;
};

/* "enqueue run": the synopsis up to the command's own name. */
static int command_words(const struct bf_command *cmd)
{
	size_t n = strlen(cmd->name);
	for (const char *p = cmd->synopsis; p && (p = strstr(p, cmd->name)); p++) {
		bool starts = p == cmd->synopsis || p[-1] == ' ';
		if (starts && (p[n] == ' ' || p[n] == '\0'))
			return (int)(p + n - cmd->synopsis);
	}
	return 0;
}

__attribute__((format(printf, 2, 3))) static int refuse_command(const struct parser *p, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	int words = command_words(p->cmd);
	return words ? bf_fail(p->err, BF_E_INPUT, "%.*s: %s", words, p->cmd->synopsis, text)
				 : bf_fail(p->err, BF_E_INPUT, "%s: %s", p->cmd->name, text);
}

static int refuse_value(const struct parser *p, const struct item *it, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;
	bf_buf_init(&found, 512);
	bf_text_quote(&found, it->value, strlen(it->value), SHOWN_MAX);
	return bf_fail(p->err, BF_E_INPUT, "%.*s: found %s, expected %s", (int)it->typed_len, it->typed, found.data, expected);
}

static bool is_called(const char *name, const char *s, size_t n)
{
	return name && strlen(name) == n && memcmp(name, s, n) == 0;
}

static const struct bf_opt *find_option(const struct bf_command *cmd, const char *s, size_t n)
{
	for (const struct bf_opt *o = cmd->options; o->name; o++)
		if (is_called(o->name, s, n) || is_called(o->alias, s, n))
			return o;
	return NULL;
}

static size_t option_count(const struct bf_command *cmd)
{
	size_t n = 0;
	while (cmd->options[n].name)
		n++;
	return n;
}

/* The option whose name or alias is near to a word, as the user would type it without dashes; NULL where none is. */
static const char *near_option(const struct bf_command *cmd, const char *word)
{
	BF_AUTOFREE const char **names = bf_realloc_array(NULL, 2 * option_count(cmd) + 2, sizeof(*names));
	size_t n = 0;
	for (const struct bf_opt *o = cmd->options; o->name; o++) {
		names[n++] = o->name;
		if (o->alias)
			names[n++] = o->alias;
	}
	names[n++] = &HELP_OPTION[2];
	names[n] = NULL;
	return bf_text_nearest(word, names);
}

/* Shown bare where it looks like an option, and quoted where its bytes need that. */
static int unknown_option(const struct parser *p, const char *word, size_t len)
{
	size_t dashes = strspn(word, "-");
	dashes = dashes > len ? len : dashes;
	BF_AUTOFREE char *name = bf_strndup(word + dashes, len - dashes);
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, 512);
	bool plain = len <= SHOWN_MAX && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
	if (plain)
		(void)bf_buf_add(&shown, word, len);
	else
		bf_text_quote(&shown, word, len, SHOWN_MAX);

	const char *near = near_option(p->cmd, name);
	if (near)
		return refuse_command(p, "unknown option %s (did you mean --%s?)", shown.data, near);
	return refuse_command(p, "unknown option %s (" HELP_OPTION " lists the options)", shown.data);
}

/* Cuts "--name=value" or "--name" "value" apart. A word that begins with "--" is never taken as the value of the one before. */
static int read_option(struct parser *p, const char *word, struct item *it)
{
	size_t len = strcspn(word, "=");
	bool is_long = len > 2 && word[0] == '-' && word[1] == '-';
	it->typed = word;
	it->typed_len = len;
	it->option = is_long ? find_option(p->cmd, word + 2, len - 2) : NULL;
	it->value = word[len] ? word + len + 1 : NULL;
	if (!it->option && is_long && is_called(HELP_OPTION, word, len))
		return refuse_value(p, it, HELP_OPTION " without a value");
	if (!it->option)
		return unknown_option(p, word, len);
	if (it->option->type == BF_OPT_FLAG)
		return it->value ? refuse_value(p, it, "no value: it is a switch") : 0;
	if (!it->value && p->at < p->argc && strncmp(p->argv[p->at], "--", 2) != 0)
		it->value = p->argv[p->at++];
	return 0;
}

/* The next item of the command line. 1, 0 at its end, or an error. */
static int next_item(struct parser *p, struct item *it)
{
	if (!p->options_over && p->at < p->argc && strcmp(p->argv[p->at], "--") == 0) {
		p->options_over = true;
		p->at++;
	}
	if (p->at >= p->argc)
		return 0;
	const char *word = p->argv[p->at++];
	*it = (struct item){.value = word};
	if (p->options_over || word[0] != '-' || word[1] == '\0')
		return 1;
	int rc = read_option(p, word, it);
	return rc ? rc : 1;
}

void bf_options_value(struct bf_buf *out, const struct bf_opt *o)
{
	const char *name = o->value;
	switch (o->type) {
	case BF_OPT_FLAG:
		return;
	case BF_OPT_CHOICE:
		for (size_t i = 0; !name && o->choices[i]; i++)
			(void)bf_buf_printf(out, "%s%s", i ? "|" : "", o->choices[i]);
		break;
	case BF_OPT_INT:
		name = name ? name : "N";
		break;
	case BF_OPT_DATE:
		name = name ? name : "DATE";
		break;
	case BF_OPT_DURATION:
		name = name ? name : "TIME";
		break;
	case BF_OPT_TEXT:
	case BF_OPT_LIST:
		name = name ? name : "TEXT";
		break;
	}
	if (name)
		(void)bf_buf_addstr(out, name);
}

/* What help and hints write where the user's own word belongs: pasted as it is, it would be recorded, or be taken for a name. */
static bool is_placeholder(const char *value, const char *name)
{
	size_t n = strlen(value);
	if (strcmp(value, "…") == 0 || strcmp(value, "...") == 0)
		return true;
	bool angled = n > 2 && value[0] == '<' && value[n - 1] == '>';
	return (angled && is_called(name, value + 1, n - 2)) || (n > 1 && is_called(name, value, n)); /* a letter may be a key */
}

static int refuse_placeholder(const struct parser *p, const char *where, size_t len, const char *value)
{
	return bf_fail(p->err, BF_E_INPUT, "%.*s: found the placeholder %s of a help text, expected your own word in its place", (int)len,
				   where, value);
}

/* The word of the synopsis that stands for a positional argument: "RUN" of "enqueue retry RUN [OPTION…]". */
static bool is_argument_placeholder(const struct bf_command *cmd, int number, const char *value)
{
	const char *word = cmd->synopsis ? cmd->synopsis + command_words(cmd) : "";
	for (; *word; word += strcspn(word, " ")) {
		word += strspn(word, " [");
		size_t n = strcspn(word, " ]");
		bool upper = n > 1 && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
		if (upper && number-- == 0)
			return is_called(value, word, n) || is_placeholder(value, NULL);
	}
	return is_placeholder(value, NULL);
}

static int store_int(const struct parser *p, const struct item *it, int64_t *field)
{
	const struct bf_opt *o = it->option;
	if (bf_text_int(it->value, o->min, o->max, field) == 0)
		return 0;
	char expected[96];
	if (o->max == INT64_MAX)
		(void)snprintf(expected, sizeof(expected), "a whole number of at least %" PRId64, o->min);
	else
		(void)snprintf(expected, sizeof(expected), "a whole number from %" PRId64 " to %" PRId64, o->min, o->max);
	return refuse_value(p, it, expected);
}

static int store_choice(const struct parser *p, const struct item *it, const char **field)
{
	const char *const *choices = it->option->choices;
	BF_AUTOBUF struct bf_buf expected;
	bf_buf_init(&expected, 512);
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], it->value) == 0) {
			*field = choices[i];
			return 0;
		}
		(void)bf_buf_printf(&expected, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
	}
	return refuse_value(p, it, expected.data);
}

static int store_text(const struct parser *p, const struct item *it, const char **field)
{
	if (!bf_utf8_valid(it->value, strlen(it->value)))
		return refuse_value(p, it, "text in UTF-8");
	*field = it->value;
	return 0;
}

/* Puts a value into the caller's struct. The items of lists are only counted; fill_lists stores them. */
static int store(const struct parser *p, const struct item *it, void *into)
{
	void *field = (char *)into + it->option->offset;
	const char *ignored;
	int rc = 0;
	switch (it->option->type) {
	case BF_OPT_FLAG:
		*(bool *)field = true;
		return 0;
	case BF_OPT_TEXT:
		return store_text(p, it, field);
	case BF_OPT_INT:
		return store_int(p, it, field);
	case BF_OPT_CHOICE:
		return store_choice(p, it, field);
	case BF_OPT_LIST:
		rc = store_text(p, it, &ignored);
		((struct bf_opt_list *)field)->count++;
		return rc;
	case BF_OPT_DATE: {
		struct bf_opt_date *date = field;
		rc = bf_day_parse(it->value, &date->day, &date->relative, p->err);
		date->given = rc == 0;
		break;
	}
	case BF_OPT_DURATION:
		rc = bf_duration_parse(it->value, field, p->err);
		break;
	}
	return rc ? bf_error_prefix(p->err, "%.*s", (int)it->typed_len, it->typed) : 0;
}

static int take_option(const struct parser *p, const struct item *it, bool *given, void *into)
{
	const struct bf_opt *o = it->option;
	bool *seen = &given[o - p->cmd->options];
	if (o->type != BF_OPT_FLAG && !it->value) {
		BF_AUTOBUF struct bf_buf name;
		bf_buf_init(&name, 512);
		bf_options_value(&name, o);
		return bf_fail(p->err, BF_E_INPUT, "%s: a value is missing, expected %s=%s", it->typed, it->typed, name.data);
	}
	if (*seen && o->type != BF_OPT_LIST)
		return bf_fail(p->err, BF_E_INPUT, "--%s: given twice, expected once", o->name);
	*seen = true;
	BF_AUTOBUF struct bf_buf name;
	bf_buf_init(&name, 512);
	(void)bf_buf_addstr(&name, "");
	bf_options_value(&name, o);
	if (it->value && o->type != BF_OPT_CHOICE && is_placeholder(it->value, name.data))
		return refuse_placeholder(p, it->typed, it->typed_len, it->value);
	return store(p, it, into);
}

/* Lists share the entries of `args` that positional arguments leave over: each item took at least one word of argv. */
static void fill_lists(const struct bf_command *cmd, int argc, char **argv, void *into, const char **args, size_t used)
{
	for (const struct bf_opt *o = cmd->options; o->name; o++) {
		if (o->type != BF_OPT_LIST)
			continue;
		struct bf_opt_list *list = (struct bf_opt_list *)(void *)((char *)into + o->offset);
		struct parser p = {.cmd = cmd, .argc = argc, .argv = argv};
		struct item it;
		if (list->count == 0)
			continue;
		list->items = args + used;
		while (next_item(&p, &it) > 0)
			if (it.option == o)
				args[used++] = it.value;
	}
}

static int check_args(const struct parser *p, const char **args, int n)
{
	if (n < p->cmd->min_args)
		return refuse_command(p, "an argument is missing, expected: %s", p->cmd->synopsis);
	if (p->cmd->max_args < 0 || n <= p->cmd->max_args)
		return 0;
	const char *first = args[p->cmd->max_args];
	BF_AUTOBUF struct bf_buf found;
	bf_buf_init(&found, 512);
	bf_text_quote(&found, first, strlen(first), SHOWN_MAX);
	return refuse_command(p, "found one argument too many, %s, expected: %s", found.data, p->cmd->synopsis);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], HELP_OPTION) == 0 || strcmp(argv[i], HELP_SHORT) == 0)
			return true;
	return false;
}

int bf_options_parse(const struct bf_command *cmd, int argc, char **argv, void *into, const char **args, int *n_args, bool *help,
					 struct bf_error *err)
{
	*n_args = 0;
	*help = asks_for_help(argc, argv);
	if (*help)
		return 0;
	BF_AUTOFREE bool *given = bf_alloc(option_count(cmd) * sizeof(*given));
	struct parser p = {.cmd = cmd, .argc = argc, .argv = argv, .err = err};
	struct item it;
	int rc, n = 0;
	while ((rc = next_item(&p, &it)) > 0) {
		if (!it.option && is_argument_placeholder(cmd, n, it.value))
			return refuse_placeholder(&p, cmd->name, strlen(cmd->name), it.value);
		if (!it.option)
			args[n++] = it.value;
		else if ((rc = take_option(&p, &it, given, into)) < 0)
			return rc;
	}
	if (rc == 0)
		rc = check_args(&p, args, n);
	if (rc < 0)
		return rc;
	*n_args = n;
	fill_lists(cmd, argc, argv, into, args, (size_t)n);
	return 0;
}
