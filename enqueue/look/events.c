/* `bfstat events RUN`: who did what, when. */
#include "base/clock.h"
#include "base/mem.h"
#include "core/stat.h"
#include "look/look.h"

struct options {
	bool json;
};

static void add_row(struct bf_table *table, const struct bf_pg_result *r, int i)
{
	char at[BF_TIME_TEXT];
	bf_time_format(bf_pg_int(r, i, BF_EVENTS_AT), at);
	at[10] = ' ';
	at[19] = '\0'; /* seconds are enough for people */
	bf_table_row(table);
	bf_table_cell(table, BF_DIM, at);
	bf_table_cell(table, BF_PLAIN, bf_pg_text(r, i, BF_EVENTS_WHO));
	bf_table_cell(table, BF_STRONG, bf_pg_text(r, i, BF_EVENTS_WHAT));
	bf_table_cell(table, BF_PLAIN, bf_pg_text(r, i, BF_EVENTS_STEP));
	bf_table_cell(table, BF_PLAIN, bf_pg_text(r, i, BF_EVENTS_CHUNK));
	bf_table_cell(table, BF_PLAIN, bf_pg_text(r, i, BF_EVENTS_NOTE));
}

static void add_json(struct bf_json *j, const struct bf_pg_result *r, int i)
{
	bf_json_object(j, NULL);
	bf_json_time(j, "at", bf_pg_int(r, i, BF_EVENTS_AT));
	bf_json_text(j, "who", bf_pg_text(r, i, BF_EVENTS_WHO));
	bf_json_text_or_null(j, "role", bf_pg_text(r, i, BF_EVENTS_ROLE));
	bf_json_text(j, "what", bf_pg_text(r, i, BF_EVENTS_WHAT));
	bf_json_text_or_null(j, "step", bf_pg_text(r, i, BF_EVENTS_STEP));
	bf_json_text_or_null(j, "chunk", bf_pg_text(r, i, BF_EVENTS_CHUNK));
	bf_json_text_or_null(j, "note", bf_pg_text(r, i, BF_EVENTS_NOTE));
	bf_json_close(j);
}

/* Either into the table or into the JSON. */
static int each_event(struct bf_look *l, const char *run, struct bf_table *table, struct bf_json *j, struct bf_error *err)
{
	int64_t after = 0;
	for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE && !ferror(stdout);) {
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		int rc = bf_stat_events(l->pg, run, &after, BF_LOOK_PAGE, &r, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(r);
		for (int i = 0; i < rows; i++) {
			if (j)
				add_json(j, r, i);
			else
				add_row(table, r, i);
		}
		if (table)
			bf_table_print(table, stdout);
	}
	return 0;
}

static int show(struct bf_look *l, const char *run, bool json, struct bf_error *err)
{
	static const struct bf_column columns[] = {
		{.title = "WHEN (UTC)"}, {.title = "WHO", .elastic = true}, {.title = "WHAT"},
		{.title = "STEP"},       {.title = "CHUNK", .rank = 1},     {.title = "NOTE", .elastic = true}};
	struct bf_json j;
	if (!json) {
		BF_AUTOTABLE struct bf_table *table = bf_table_new(&l->term, columns, BF_COUNT_OF(columns));
		return each_event(l, run, table, NULL, err);
	}
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "run", run);
	bf_json_array(&j, "events");
	int rc = each_event(l, run, NULL, &j, err);
	bf_json_close(&j);
	bf_look_json_end(l, &j);
	return rc;
}

static int run_events(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	int rc = bf_look_find_run_and_say(&look, &args[0], &err);
	if (rc == 0)
		rc = show(&look, args[0], o.json, &err);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat events daily-sales", "of the latest run: who started, stopped, approved it"},
	{NULL, NULL},
};

static const struct bf_command command_events = {.name = "events",
												 .synopsis = "bfstat events RUN",
												 .summary = "who did what with a run, when",
												 .examples = examples,
												 .options = options,
												 .min_args = 1,
												 .max_args = 1};

const struct bf_entry bf_look_events = {&command_events, run_events};
