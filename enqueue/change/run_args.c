/*
 * Checks the options of `enqueue run` against the pipeline: range, chunk size, steps, order, parameters; and makes
 * the text of them that the ledger keeps.
 */
#include "change/run_args.h"

#include <stddef.h>

#include "base/mem.h"
#include "shared/params.h"

#define OPTION(field) offsetof(struct bf_run_options, field)
#define NOTE_MAX      1000
#define MISSING_MAX   ((size_t)1 << 20)

static const char *const orders[] = {"asc", "desc", NULL};
static const char *const reprocesses[] = {"none", "failed", "completed", "stale", NULL}; /* as enum bf_reprocess */

static const struct bf_opt options[] = {
	{"since", NULL, BF_OPT_DATE, OPTION(since), "DATE", "first day: 2024-01-01, today, yesterday, or so long ago: -7d, -2w", 0, 0, NULL},
	{"until", NULL, BF_OPT_DATE, OPTION(until), "DATE", "last day, which is included; the same", 0, 0, NULL},
	{"batch-days", "batchDays", BF_OPT_TEXT, OPTION(batch_days), "N",
	 "days in a chunk, for steps that do not say (default: the pipeline's)", 0, 0, NULL},
	{"concurrency", NULL, BF_OPT_TEXT, OPTION(concurrency), "N", "jobs of this run at a time, over all workers (default: the pipeline's)",
	 0, 0, NULL},
	{"order", NULL, BF_OPT_CHOICE, OPTION(order), NULL, "direction of the steps whose order the pipeline leaves open (default asc)", 0, 0,
	 orders},
	{"queue", NULL, BF_OPT_TEXT, OPTION(queue), "NAME", "the queue to use (default: the pipeline's)", 0, 0, NULL},
	{"reprocess", NULL, BF_OPT_CHOICE, OPTION(reprocess), NULL,
	 "plan also what failed before, what is done, or of that only what is stale (default none)", 0, 0, reprocesses},
	{"only", NULL, BF_OPT_LIST, OPTION(only), "STEP", "only this step, or all steps of this phase; may be given again", 0, 0, NULL},
	{"skip", NULL, BF_OPT_LIST, OPTION(skip), "STEP",
	 "not this step, or none of this phase; may be given again. Who needs it needs what it needs", 0, 0, NULL},
	{"key", NULL, BF_OPT_LIST, OPTION(key), "KEY", "only this key of a pipeline with keys; may be given again", 0, 0, NULL},
	{"limit", NULL, BF_OPT_INT, OPTION(limit), "N", "only the first N chunks of each step: a trial", 1, INT32_MAX, NULL},
	{"param", NULL, BF_OPT_LIST, OPTION(param), "NAME=VALUE", "a parameter of the pipeline; may be given again", 0, 0, NULL},
	{"run-id", NULL, BF_OPT_TEXT, OPTION(run_id), "RUN", "the run's name (default PIPELINE.random); the same name twice is one run", 0, 0,
	 NULL},
	{"note", NULL, BF_OPT_TEXT, OPTION(note), "TEXT", "why, for those who look at the run later", 0, 0, NULL},
	{"no-preflight", NULL, BF_OPT_FLAG, OPTION(no_preflight), NULL,
	 "plan although the SQL names tables, columns or functions that are not there: something outside will make them", 0, 0, NULL},
	{"dry-run", NULL, BF_OPT_FLAG, OPTION(dry_run), NULL, "show what would be planned; can write nothing", 0, 0, NULL},
	{"follow", NULL, BF_OPT_FLAG, OPTION(follow), NULL, "show progress until the run's end, and end with its exit code", 0, 0, NULL},
	{"json", NULL, BF_OPT_FLAG, OPTION(json), NULL, "print the plan as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example examples[] = {
	{"enqueue run daily-sales --since=2024-01-01 --until=2024-12-31 --dry-run", "what would be done; nothing is written"},
	{"enqueue run daily-sales --since=2024-01-01 --until=2024-12-31 --follow", "until it has ended, and ends as it did"},
	{"enqueue run daily-sales --since=-7d --until=yesterday", "the last seven days, as far as they are missing"},
	{"enqueue run daily-sales --since=2024-01-01 --until=2024-12-31 --limit=2", "a trial: two chunks of each step"},
	{NULL, NULL},
};

const struct bf_command bf_command_run = {
	.name = "run",
	.synopsis = "enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]",
	.summary = "plan a run over a range of dates (or the pipeline's keys) and hand it to the workers",
	.details = "PIPELINE is a file, or a name that is looked up in BF_PIPELINES (default deploy/pipelines).\n"
			   "Only what is missing is planned: days that are done, or that another unfinished run holds, are left out.",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
};

/* ---- texts ---- */

static int check_names(const struct bf_run_options *o, struct bf_error *err)
{
	if (o->queue && !bf_name_valid(o->queue))
		return bf_refuse_option("--queue", o->queue, "a name: a letter a-z, then up to 39 of a-z, 0-9 and -", err);
	if (o->run_id && !bf_run_valid(o->run_id))
		return bf_refuse_option("--run-id", o->run_id, "up to 64 of a-z, 0-9, . and -, beginning with a letter or a digit", err);
	if (o->note && strlen(o->note) > NOTE_MAX)
		return bf_fail(err, BF_E_INPUT, "--note: found %zu bytes, expected at most %d", strlen(o->note), NOTE_MAX);
	if (o->dry_run && o->follow)
		return bf_fail(err, BF_E_INPUT, "--follow: found beside --dry-run, which starts nothing to be followed; expected one of the two");
	return 0;
}

/* ---- the range ---- */

static int check_range(const struct bf_opt_date *first, const struct bf_opt_date *last, struct bf_error *err)
{
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	if (!first->given || !last->given || first->relative != last->relative) /* what is relative is looked at again */
		return 0;
	if (last->day < first->day && first->relative)
		return bf_fail(err, BF_E_INPUT, "--until: found a day that is before --since; expected that day or a later one");
	bf_date_format(first->day, since);
	bf_date_format(last->day, until);
	if (last->day < first->day)
		return bf_fail(err, BF_E_INPUT, "--until: found %s, which is before --since=%s; expected that day or a later one", until, since);
	if (last->day - first->day >= BF_RANGE_MAX_DAYS)
		return bf_fail(err, BF_E_INPUT, "--since, --until: found %d days, expected at most %d (about 54 years) in one run",
					   last->day - first->day + 1, BF_RANGE_MAX_DAYS);
	return 0;
}

/* Dates for a pipeline of dates, keys for one of keys. */
static int check_kind_of_range(const struct bf_run_options *o, const struct bf_pipeline *p, struct bf_error *err)
{
	if (p->chunk.by_key && (o->since.given || o->until.given))
		return bf_fail(err, BF_E_INPUT, "--since, --until: pipeline %s has keys, not dates; expected neither (--key=KEY picks keys)",
					   p->name);
	if (p->chunk.by_key && o->batch_days)
		return bf_fail(err, BF_E_INPUT, "--batch-days: pipeline %s has keys, each of which is a chunk; expected no --batch-days", p->name);
	if (!p->chunk.by_key && o->key.count)
		return bf_fail(err, BF_E_INPUT, "--key: pipeline %s is cut by dates; expected --since=DATE --until=DATE", p->name);
	if (!p->chunk.by_key && (!o->since.given || !o->until.given))
		return bf_fail(err, BF_E_INPUT, "%s missing; expected a range: --since=YYYY-MM-DD --until=YYYY-MM-DD",
					   o->since.given   ? "--until is"
					   : o->until.given ? "--since is"
										: "--since, --until are");
	return 0;
}

/* ---- numbers with limits of the pipeline ---- */

static int check_number(const char *option, const char *text, int max, const char *whose, int *out, struct bf_error *err)
{
	char expected[120];
	int64_t n;
	if (bf_text_int(text, 1, max, &n) < 0) {
		snprintf(expected, sizeof(expected), "a whole number from 1 to %d (the pipeline's %s)", max, whose);
		return bf_refuse_option(option, text, expected, err);
	}
	*out = (int)n;
	return 0;
}

static int check_numbers(const struct bf_run_options *o, const struct bf_pipeline *p, struct bf_plan_ask *ask, struct bf_error *err)
{
	int rc = 0;
	ask->concurrency = p->concurrency_default;
	if (o->batch_days && p->chunk.unit == BF_UNIT_MONTH)
		return bf_fail(err, BF_E_INPUT, "--batch-days: pipeline %s is cut by months; expected no --batch-days", p->name);
	if (o->batch_days)
		rc = check_number("--batch-days", o->batch_days, p->chunk.max, "chunk.max", &ask->batch_days, err);
	if (rc == 0 && o->concurrency)
		rc = check_number("--concurrency", o->concurrency, p->concurrency_max, "concurrency.max", &ask->concurrency, err);
	return rc;
}

/* ---- steps ---- */

/* Of steps, and of phases. */
static const char **step_names(const struct bf_pipeline *p)
{
	const char **names = bf_realloc_array(NULL, 2 * (size_t)p->n_steps + 1, sizeof(*names));
	size_t n = 0;
	for (int i = 0; i < p->n_steps; i++)
		names[n++] = p->steps[i].name;
	for (int i = 0; i < p->n_steps; i++) {
		bool first = p->steps[i].phase[0] != '\0';
		for (int k = 0; first && k < i; k++)
			first = strcmp(p->steps[k].phase, p->steps[i].phase) != 0;
		if (first)
			names[n++] = p->steps[i].phase;
	}
	names[n] = NULL;
	return names;
}

/* The step of that name, or all steps of the phase of that name. */
static bool mark_step(const struct bf_pipeline *p, const char *name, bool *marked)
{
	bool any = false;
	for (int i = 0; *name && i < p->n_steps; i++)
		if (strcmp(p->steps[i].name, name) == 0 || strcmp(p->steps[i].phase, name) == 0)
			any = marked[i] = true;
	return any;
}

/* Marks the steps that a list names; `a,b` names two. */
static int mark_steps(const char *option, const struct bf_opt_list *list, const struct bf_pipeline *p, bool *marked, struct bf_error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		for (const char *at = list->items[i]; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
			BF_AUTOFREE char *name = bf_strndup(at, strcspn(at, ","));
			if (!mark_step(p, name, marked)) {
				BF_AUTOFREE const char **known = step_names(p);
				(void)bf_unknown_word("step", name, known, err);
				return bf_error_prefix(err, "%s", option);
			}
		}
	}
	return 0;
}

static int check_steps(const struct bf_run_options *o, const struct bf_pipeline *p, struct bf_plan_ask *ask, struct bf_error *err)
{
	bool only[BF_STEPS_MAX] = {false}, skip[BF_STEPS_MAX] = {false};
	int rc = mark_steps("--only", &o->only, p, only, err);
	if (rc == 0)
		rc = mark_steps("--skip", &o->skip, p, skip, err);
	for (int i = 0; i < p->n_steps; i++) {
		ask->left_out[i] = skip[i] || (o->only.count > 0 && !only[i]);
		ask->waived[i] = skip[i];
	}
	return rc;
}

/* ---- parameters ---- */

static int check_params(const struct bf_run_options *o, const struct bf_pipeline *p, const char **values, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf missing;
	bf_buf_init(&missing, BF_ERROR_TEXT_MAX);
	for (size_t i = 0; i < o->param.count; i++) {
		int rc = bf_param_take(p, o->param.items[i], values, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < p->n_params; i++) {
		if (!values[i])
			values[i] = p->params[i].default_value;
		if (!values[i])
			bf_buf_printf(&missing, "%s--param %s=…", missing.len ? " " : "", p->params[i].name);
	}
	if (missing.len == 0)
		return 0;
	return bf_fail(err, BF_E_INPUT, "pipeline %s has parameters without a default; expected %s", p->name, missing.data);
}

/* ---- what the ledger keeps of the command ---- */

static void keep(struct bf_run_args *a, const char *name, const char *value)
{
	if (!value)
		return;
	a->option_names[a->ask.n_options] = name;
	a->option_values[a->ask.n_options++] = bf_strdup(value);
}

static void keep_list(struct bf_run_args *a, const char *name, const struct bf_opt_list *list)
{
	BF_AUTOBUF struct bf_buf joined;
	bf_buf_init(&joined, 65536);
	for (size_t i = 0; i < list->count; i++)
		bf_buf_printf(&joined, "%s%s", i ? "\n" : "", list->items[i]);
	if (list->count)
		keep(a, name, joined.data);
}

static void keep_options(struct bf_run_args *a, const struct bf_run_options *o)
{
	char limit[24];
	snprintf(limit, sizeof(limit), "%lld", (long long)o->limit);
	keep(a, "batch-days", o->batch_days);
	keep(a, "concurrency", o->concurrency);
	keep(a, "order", o->order);
	keep(a, "queue", o->queue);
	keep(a, "reprocess", o->reprocess);
	keep(a, "limit", o->limit ? limit : NULL);
	keep_list(a, "only", &o->only);
	keep_list(a, "skip", &o->skip);
	keep_list(a, "key", &o->key);
}

/* ---- all of it ---- */

static void fill(struct bf_run_args *a, const struct bf_run_options *o)
{
	struct bf_plan_ask *ask = &a->ask;
	ask->pipeline = a->pipeline;
	ask->keys = !a->pipeline->chunk.by_key ? NULL : o->key.count ? &a->picked : &a->keys;
	ask->all_keys = &a->keys;
	ask->since = o->since.day;
	ask->until = o->until.day;
	ask->param_values = a->param_values;
	ask->has_order = o->order != NULL;
	ask->order = o->order && strcmp(o->order, "desc") == 0 ? BF_ORDER_DESC : BF_ORDER_ASC;
	for (int i = 0; o->reprocess && reprocesses[i]; i++)
		if (strcmp(o->reprocess, reprocesses[i]) == 0)
			ask->reprocess = (enum bf_reprocess)i;
	ask->limit = o->limit;
	ask->run = o->run_id;
	ask->queue = o->queue ? o->queue : a->pipeline->queue;
	ask->requested_by = bf_who(a->who);
	ask->note = o->note;
	keep_options(a, o);
	ask->option_names = a->option_names;
	ask->option_values = (const char *const *)a->option_values;
}

static int load_pipeline(const char *name, struct bf_pipeline **out, struct bf_buf *missing, struct bf_error *err)
{
	BF_AUTOFREE char *path = NULL;
	int rc = bf_pipeline_find(name, &path, err);
	return rc < 0 ? rc : bf_pipeline_load_with_missing(path, out, missing, err);
}

int bf_run_args_check(const struct bf_run_options *o, const char *pipeline, struct bf_run_args *out, struct bf_error *err)
{
	*out = (struct bf_run_args){.pipeline = NULL};
	bf_keys_init(&out->keys);
	bf_keys_init(&out->picked);
	bf_buf_init(&out->missing, MISSING_MAX);
	int rc = check_names(o, err);
	if (rc == 0)
		rc = check_range(&o->since, &o->until, err);
	if (rc == 0)
		rc = load_pipeline(pipeline, &out->pipeline, &out->missing, err);
	if (rc < 0)
		return rc;
	const struct bf_pipeline *p = out->pipeline;
	out->files_missing = out->missing.len > 0;
	out->param_values = bf_alloc((p->n_params + 1) * sizeof(*out->param_values));
	rc = check_kind_of_range(o, p, err);
	if (rc == 0)
		rc = check_numbers(o, p, &out->ask, err);
	if (rc == 0)
		rc = check_steps(o, p, &out->ask, err);
	if (rc == 0)
		rc = check_params(o, p, out->param_values, err);
	if (rc == 0)
		rc = bf_soak_set(out->pipeline, out->param_values, err);
	if (rc < 0)
		return rc;
	out->since = o->since;
	out->until = o->until;
	fill(out, o);
	return bf_today_is_needed(&out->since, &out->until) ? 0 : bf_plan_check(&out->ask, err);
}

int bf_run_args_resolve(struct bf_run_args *a, struct bf_pg *pg, struct bf_error *err)
{
	if (!bf_today_is_needed(&a->since, &a->until))
		return 0;
	int rc = bf_today_resolve(pg, a->pipeline->timezone, a->pipeline->name, &a->since, &a->until, &a->today, err);
	if (rc == 0)
		rc = check_range(&a->since, &a->until, err);
	if (rc < 0)
		return rc;
	a->ask.since = a->since.day;
	a->ask.until = a->until.day;
	return bf_plan_check(&a->ask, err);
}

void bf_run_args_release(struct bf_run_args *a)
{
	for (size_t i = 0; i < a->ask.n_options; i++)
		free(a->option_values[i]);
	bf_keys_release(&a->keys);
	bf_keys_release(&a->picked);
	bf_buf_release(&a->missing);
	free(a->param_values);
	bf_pipeline_free(a->pipeline);
}
