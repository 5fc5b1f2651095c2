/*
 * Prints a plan: the steps with their jobs, what is not planned and why, what the workers need, and what to type
 * next; or the same as JSON.
 */
#include "change/plan_view.h"

#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "render/json.h"
#include "render/table.h"

#define GROUPED      32
#define LINE_COLUMNS 80
#define LEFT_OUT     "  left out by --only or --skip: "

static const char *count_text(int64_t n, const char *what, char out[static 48])
{
	char number[GROUPED];
	snprintf(out, 48, "%s %s%s", bf_text_group(n, number), what, n == 1 ? "" : "s");
	return out;
}

static const char *what_of(const struct bf_plan_view *v)
{
	return v->ask->keys ? "key" : "day";
}

/* "2012-01-01..2015-12-31 (1,461 days)", or "39 keys" */
static void range_text(const struct bf_plan_view *v, struct bf_buf *out)
{
	char range[BF_RANGE_TEXT], count[48];
	int64_t n = v->ask->keys ? (int64_t)v->ask->keys->count : v->ask->until - v->ask->since + 1;
	if (!v->ask->keys)
		bf_buf_printf(out, "%s (", bf_range_format(v->ask->since, v->ask->until, range));
	bf_buf_printf(out, "%s%s", count_text(n, what_of(v), count), v->ask->keys ? "" : ")");
}

/* ---- the steps ---- */

static const char *short_guarantee(const struct bf_step *s)
{
	if (s->kind == BF_KIND_APPROVAL)
		return bf_guarantee(s);
	return s->kind == BF_KIND_SQL ? "exactly once" : "at least once";
}

static void chunk_cell(struct bf_table *table, const char *chunk)
{
	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, 1024);
	bf_term_one_line(&line, chunk);
	bf_table_cell(table, BF_PLAIN, line.data);
}

static void print_steps(const struct bf_plan_view *v, const struct bf_term *t)
{
	static const struct bf_column columns[] = {{"STEP", false, 0, false}, {"KIND", false, 3, false}, {"GUARANTEE", false, 2, false},
											   {"JOBS", true, 0, false},  {"FIRST", false, 1, true}, {"LAST", false, 1, true}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(t, columns, BF_COUNT_OF(columns));
	for (int i = 0; i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (s->left_out)
			continue;
		bf_table_row(table);
		bf_table_cell(table, BF_STRONG, s->step->name);
		bf_table_cell(table, BF_PLAIN, bf_kind_name(s->step->kind));
		bf_table_cell(table, BF_PLAIN, short_guarantee(s->step));
		bf_table_number(table, BF_PLAIN, s->jobs);
		chunk_cell(table, s->first);
		chunk_cell(table, s->last);
	}
	bf_table_indent(table, 2);
	bf_table_print(table, stdout);
}

/* ---- what is not planned ---- */

/* Why something before it is not there, and what is to be typed. */
static void print_cause(const struct bf_plan_view *v, const struct bf_skip *skip)
{
	const char *step = skip->origin->name;
	switch (skip->why) {
	case BF_SKIP_FAILED:
		printf(": %s failed in run %s; `enqueue retry %s --step=%s` tries it again", step, skip->run, skip->run, step);
		break;
	case BF_SKIP_HELD:
		printf(": %s is held by run %s; once that is finished, this command plans them", step, skip->run);
		break;
	case BF_SKIP_OPEN:
		printf(": run %s was asked for %s, and has not done it; `enqueue run %s --only=%s` does those first", skip->run, step,
			   v->ask->pipeline->name, step);
		break;
	case BF_SKIP_LIMIT:
		printf(": --limit leaves them out of %s", step);
		break;
	case BF_SKIP_DONE:
	case BF_SKIP_PRESENT:
	case BF_SKIP_BLOCKED:
	case BF_SKIP_STALE:
		break;
	}
}

static void print_skip(const struct bf_plan_view *v, const struct bf_step_plan *s, const struct bf_skip *skip)
{
	char count[48], within[BF_RANGE_TEXT];
	printf("  %s: %s ", s->step->name, count_text(skip->count, what_of(v), count));
	switch (skip->reason) {
	case BF_SKIP_DONE:
		printf("done already");
		break;
	case BF_SKIP_FAILED:
		printf("failed in run %s", skip->run);
		break;
	case BF_SKIP_HELD:
		printf("held by run %s, which is not finished", skip->run);
		break;
	case BF_SKIP_PRESENT:
		printf("there already, according to %s", s->step->present.name);
		break;
	case BF_SKIP_BLOCKED:
		if (strcmp(skip->lacking, s->step->name) == 0)
			printf("behind what is not there, and it goes in order");
		else
			printf("not there in %s, for which it would wait", skip->lacking);
		break;
	case BF_SKIP_OPEN:
	case BF_SKIP_LIMIT:
	case BF_SKIP_STALE: /* none of these is skipped */
		break;
	}
	if (!v->ask->keys)
		printf(" (%s)", bf_range_format(skip->within.first, skip->within.last, within));
	if (skip->reason == BF_SKIP_BLOCKED)
		print_cause(v, skip);
	if (skip->reason == BF_SKIP_FAILED)
		printf("; `enqueue retry %s` tries them again there, --reprocess=failed here", skip->run);
	putchar('\n');
}

/* Days that are no days of this step's: none is a fault, but who looks for them should know. */
static int64_t not_expected(const struct bf_plan_view *v, const struct bf_step_plan *s)
{
	int64_t asked = v->ask->keys ? (int64_t)v->ask->keys->count : v->ask->until - v->ask->since + 1;
	return s->has_expected ? asked - s->expected : 0;
}

static void print_not_expected(const struct bf_plan_view *v, const struct bf_step_plan *s)
{
	char count[48];
	if (not_expected(v, s) > 0)
		printf("  %s: %s not expected, according to %s\n", s->step->name, count_text(not_expected(v, s), what_of(v), count),
			   s->step->expected.name);
}

static void print_gone(const struct bf_plan_view *v)
{
	char count[48];
	bool first = true;
	for (int i = 0; i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (s->gone == 0)
			continue;
		printf("%s  %s: %s done according to the ledger, and missing according to %s\n", first ? "\nPlanned again:\n" : "", s->step->name,
			   count_text(s->gone, what_of(v), count), s->step->present.name);
		first = false;
	}
}

/* The steps that --only or --skip leaves out, some names a line. */
static void print_left_out(const struct bf_plan_view *v)
{
	int column = 0;
	for (int i = 0; i < v->plan->n_steps; i++) {
		const char *name = v->ask->pipeline->steps[i].name;
		if (!v->plan->steps[i].left_out)
			continue;
		if (column == 0)
			column = printf(LEFT_OUT "%s", name);
		else if (column + 2 + (int)strlen(name) < LINE_COLUMNS)
			column += printf(", %s", name);
		else
			column = printf(",\n%*s%s", (int)strlen(LEFT_OUT), "", name) - 2;
	}
	if (column > 0)
		putchar('\n');
}

static void print_not_planned(const struct bf_plan_view *v)
{
	bool any = false;
	for (int i = 0; i < v->plan->n_steps; i++)
		any = any || v->plan->steps[i].left_out || v->plan->steps[i].n_skips || not_expected(v, &v->plan->steps[i]) > 0;
	if (!any)
		return;
	printf("\nNot planned:\n");
	print_left_out(v);
	for (int i = 0; i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (!s->left_out)
			print_not_expected(v, s);
		for (size_t k = 0; k < s->n_skips; k++)
			print_skip(v, s, &s->skips[k]);
	}
}

static bool is_limited(const struct bf_step_plan *s)
{
	return !s->left_out && s->planned < s->asked;
}

/* What --limit leaves for later stays asked for. Steps that leave the same are said once. */
static void print_limited(const struct bf_plan_view *v)
{
	const struct bf_step_plan *first = NULL;
	char planned[GROUPED], asked[48];
	bool same = true;
	for (int i = 0; i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (is_limited(s) && !first)
			first = s;
		same = same && (!is_limited(s) || (s->planned == first->planned && s->asked == first->asked));
	}
	for (int i = first ? first->step->ordinal : v->plan->n_steps; i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (!is_limited(s) || (same && s != first))
			continue;
		printf("%s%s%slimited: %s of %s; the rest stays missing until a run takes it\n", s == first ? "\n" : "", same ? "" : s->step->name,
			   same ? "" : ": ", bf_text_group(s->planned, planned), count_text(s->asked, what_of(v), asked));
	}
}

static void print_trial(const struct bf_plan_view *v)
{
	const struct bf_pipeline *p = v->ask->pipeline;
	for (size_t i = 0; i < p->n_params; i++)
		if (p->params[i].trial && strcmp(p->params[i].default_value, v->ask->param_values[i]) != 0)
			printf("\nA trial: %s is %s instead of %s, so what it does does not count as done.\n", p->params[i].name,
				   v->ask->param_values[i], p->params[i].default_value);
}

/* ---- the rest ---- */

static void print_settings(const struct bf_plan_view *v)
{
	const struct bf_pipeline *p = v->ask->pipeline;
	char time[BF_DURATION_TEXT];
	printf("\nAt most %d at a time (the pipeline allows %d), queue %s", v->ask->concurrency, p->concurrency_max, v->ask->queue);
	if (p->rate_interval_ms > 0)
		printf(", rate: one start in %s", bf_duration_human((int64_t)(p->rate_interval_ms + 0.5), time));
	if (p->pause_ms > 0)
		printf(", pause %s", bf_duration_human(p->pause_ms, time));
	printf(".\n");
}

/* How long it may take, where earlier runs tell. */
static void print_estimate(const struct bf_plan_view *v)
{
	const struct bf_estimate *e = v->estimate;
	char time[BF_DURATION_TEXT], jobs[48];
	bool person = false, first = true;
	if (!e || e->total_ms < 0)
		return;
	for (int i = 0; i < v->plan->n_steps; i++)
		person = person || (!v->plan->steps[i].left_out && v->plan->steps[i].step->kind == BF_KIND_APPROVAL);
	printf("About %s, by what %s of earlier runs took%s.\n", bf_duration_human(e->total_ms, time), count_text(e->measured, "job", jobs),
		   person ? "; without the time that people take" : "");
	for (int i = 0; e->unknown > 0 && i < v->plan->n_steps; i++) {
		const struct bf_step_plan *s = &v->plan->steps[i];
		if (s->left_out || s->jobs == 0 || e->step_ms[i] >= 0)
			continue;
		printf("%s%s", first ? "Not measured yet, and not in it: " : ", ", s->step->name);
		first = false;
	}
	if (!first)
		printf(".\n");
}

static void print_files(const struct bf_plan_view *v)
{
	if (!v->files[0])
		return;
	printf("Files checked:");
	for (size_t i = 0; v->files[i]; i++)
		printf("%s %s", i ? "," : "", v->files[i]);
	printf(".\n");
}

/* The workers' environment is theirs; here it can only be said what is not set where this runs. */
static void print_env(const struct bf_plan_view *v)
{
	if (!v->env[0])
		return;
	printf("Needed in the environment of the workers:");
	for (size_t i = 0; v->env[i]; i++)
		printf("%s %s%s", i ? "," : "", v->env[i], getenv(v->env[i]) ? "" : " (not set here)");
	printf(".\n");
}

static bool all_done(const struct bf_plan *p)
{
	for (int i = 0; i < p->n_steps; i++)
		for (size_t k = 0; k < p->steps[i].n_skips; k++)
			if (p->steps[i].skips[k].reason != BF_SKIP_DONE && p->steps[i].skips[k].reason != BF_SKIP_PRESENT)
				return false;
	return true;
}

/* A check is no day: who asks for what failed has to name it. */
static void print_failed_checks(const struct bf_plan_view *v)
{
	int n = v->failed_checks ? bf_pg_rows(v->failed_checks) : 0;
	for (int i = 0; i < n; i++)
		printf("%s  %s: failed in run %s; --only=%s asks it again\n", i ? "" : "\nChecks that failed, which are no part of --reprocess:\n",
			   bf_pg_text(v->failed_checks, i, 0), bf_pg_text(v->failed_checks, i, 1), bf_pg_text(v->failed_checks, i, 0));
}

static void print_today(const struct bf_plan_view *v)
{
	char today[BF_DATE_TEXT];
	if (v->today)
		printf("Today is %s in %s, by PostgreSQL's clock.\n\n", bf_date_format(v->today->day, today), v->today->zone);
}

static void print_nothing(const struct bf_plan_view *v)
{
	BF_AUTOBUF struct bf_buf range;
	bf_buf_init(&range, 128);
	range_text(v, &range);
	printf("Nothing to do: pipeline %s, %s, has nothing missing%s No run %s made.\n", v->ask->pipeline->name, range.data,
		   all_done(v->plan) ? "; everything is done." : " that this run could plan.", v->dry_run ? "would be" : "was");
	print_not_planned(v);
	print_today(v);
	print_failed_checks(v);
	if (all_done(v->plan))
		printf("\n--reprocess=completed does it again.\n");
}

static void print_next(const struct bf_plan_view *v)
{
	const char *run = v->plan->run;
	printf("\nSee it:   bfstat %s\nWatch it: bfstat watch %s\nStop it:  enqueue stop %s\n", run, run, run);
	if (v->workers != 0)
		return;
	if (strcmp(v->ask->queue, "default") == 0)
		printf("\nNo worker is running. Start one: worker\n");
	else
		printf("\nNo worker is running. Start one: worker --queues=%s\n", v->ask->queue);
}

static int steps_with_jobs(const struct bf_plan *p)
{
	int n = 0;
	for (int i = 0; i < p->n_steps; i++)
		n += p->steps[i].jobs > 0;
	return n;
}

static void print_plan(const struct bf_plan_view *v, const struct bf_term *t)
{
	BF_AUTOBUF struct bf_buf range;
	char jobs[48], steps[48];
	bf_buf_init(&range, 128);
	range_text(v, &range);
	count_text(v->plan->jobs, "job", jobs);
	count_text(steps_with_jobs(v->plan), "step", steps);
	if (v->dry_run)
		printf("Dry run: %s in %s would be planned for pipeline %s, %s. Nothing was written.\n\n", jobs, steps, v->ask->pipeline->name,
			   range.data);
	else
		printf("Run %s is planned: %s in %s, pipeline %s, %s.\n\n", v->plan->run, jobs, steps, v->ask->pipeline->name, range.data);
	print_today(v);
	print_steps(v, t);
	print_not_planned(v);
	print_gone(v);
	print_limited(v);
	print_trial(v);
	print_settings(v);
	print_estimate(v);
	print_env(v);
	if (v->dry_run) {
		print_files(v);
		printf("The same command without --dry-run plans it.\n");
	} else {
		print_next(v);
	}
}

void bf_plan_print(const struct bf_plan_view *v)
{
	struct bf_term t;
	char jobs[48];
	bf_term_init(&t, STDOUT_FILENO);
	switch (v->outcome) {
	case BF_PLANNED:
		print_plan(v, &t);
		break;
	case BF_PLANNED_BEFORE:
		printf("Run %s exists already: %s, %s. No second one %s planned; it keeps its options.\n", v->plan->run,
			   count_text(v->plan->jobs, "job", jobs), *v->state ? v->state : "see bfstat", v->dry_run ? "would be" : "was");
		if (!v->dry_run)
			print_next(v);
		break;
	case BF_PLANNED_NOTHING:
		print_nothing(v);
		break;
	}
}

/* ---- JSON ---- */

static void json_span(struct bf_json *j, const struct bf_plan_view *v, struct bf_span span)
{
	char text[BF_CHUNK_MAX + 1];
	struct bf_span first = {span.first, span.first}, last = {span.last, span.last};
	bf_json_text(j, "first", bf_plan_chunk_text(v->ask, first, text));
	bf_json_text(j, "last", bf_plan_chunk_text(v->ask, last, text));
}

static void json_ms(struct bf_json *j, int64_t ms)
{
	if (ms >= 0)
		bf_json_int(j, "estimate_ms", ms);
	else
		bf_json_null(j, "estimate_ms");
}

static void json_step(struct bf_json *j, const struct bf_plan_view *v, const struct bf_step_plan *s)
{
	bf_json_object(j, NULL);
	bf_json_text(j, "step", s->step->name);
	bf_json_text(j, "kind", bf_kind_name(s->step->kind));
	bf_json_text(j, "per", s->step->per == BF_PER_RUN ? "run" : "chunk");
	bf_json_text(j, "guarantee", bf_guarantee(s->step));
	bf_json_text(j, "order", s->order == BF_ORDER_DESC ? "desc" : "asc");
	bf_json_array(j, "needs");
	for (size_t i = 0; i < s->n_needs; i++)
		bf_json_text(j, NULL, v->ask->pipeline->steps[s->needs[i]].name);
	bf_json_close(j);
	bf_json_int(j, "jobs", s->jobs);
	json_ms(j, v->estimate ? v->estimate->step_ms[s->step->ordinal] : -1);
	if (s->has_expected)
		bf_json_int(j, "expected", s->expected);
	else
		bf_json_null(j, "expected");
	bf_json_int(j, "gone", s->gone);
	bf_json_int(j, "missing", s->asked);
	bf_json_int(j, "planned", s->planned);
	bf_json_text_or_null(j, "first", s->first);
	bf_json_text_or_null(j, "last", s->last);
	bf_json_array(j, "skipped");
	for (size_t i = 0; i < s->n_skips; i++) {
		bf_json_object(j, NULL);
		bf_json_text(j, "reason", bf_skip_reason_name(s->skips[i].reason));
		bf_json_text_or_null(j, "run", s->skips[i].run);
		bf_json_text_or_null(j, "lacking", s->skips[i].lacking ? s->skips[i].lacking : "");
		bf_json_text_or_null(j, "cause", s->skips[i].origin ? bf_skip_reason_name(s->skips[i].why) : "");
		bf_json_text_or_null(j, "origin", s->skips[i].origin ? s->skips[i].origin->name : "");
		bf_json_int(j, "count", s->skips[i].count);
		json_span(j, v, s->skips[i].within);
		bf_json_close(j);
	}
	bf_json_close(j);
	bf_json_close(j);
}

static void json_ask(struct bf_json *j, const struct bf_plan_view *v)
{
	char day[BF_DATE_TEXT];
	const struct bf_pipeline *p = v->ask->pipeline;
	bf_json_text(j, "pipeline", p->name);
	bf_json_text(j, "since", v->ask->keys ? NULL : bf_date_format(v->ask->since, day));
	bf_json_text(j, "until", v->ask->keys ? NULL : bf_date_format(v->ask->until, day));
	if (v->today) {
		bf_json_object(j, "today");
		bf_json_text(j, "day", bf_date_format(v->today->day, day));
		bf_json_text(j, "timezone", v->today->zone);
		bf_json_close(j);
	} else {
		bf_json_null(j, "today");
	}
	bf_json_object(j, "params");
	for (size_t i = 0; i < p->n_params; i++)
		bf_json_text(j, p->params[i].name, v->ask->param_values[i]);
	bf_json_close(j);
	bf_json_text(j, "queue", v->ask->queue);
	bf_json_int(j, "concurrency", v->ask->concurrency);
	bf_json_int(j, "concurrency_max", p->concurrency_max);
	bf_json_number(j, "interval_ms", p->rate_interval_ms > (double)p->pause_ms ? p->rate_interval_ms : (double)p->pause_ms);
	bf_json_text(j, "reprocess", bf_reprocess_name(v->ask->reprocess));
	bf_json_bool(j, "trial", bf_plan_is_trial(v->ask));
	bf_json_array(j, "failed_checks");
	for (int i = 0; v->failed_checks && i < bf_pg_rows(v->failed_checks); i++) {
		bf_json_object(j, NULL);
		bf_json_text(j, "step", bf_pg_text(v->failed_checks, i, 0));
		bf_json_text(j, "run", bf_pg_text(v->failed_checks, i, 1));
		bf_json_close(j);
	}
	bf_json_close(j);
	bf_json_array(j, "files");
	for (size_t i = 0; v->files[i]; i++)
		bf_json_text(j, NULL, v->files[i]);
	bf_json_close(j);
	bf_json_array(j, "environment");
	for (size_t i = 0; v->env[i]; i++) {
		bf_json_object(j, NULL);
		bf_json_text(j, "name", v->env[i]);
		bf_json_bool(j, "set_here", getenv(v->env[i]));
		bf_json_close(j);
	}
	bf_json_close(j);
}

static const char *outcome_name(enum bf_planned outcome)
{
	static const char *const names[] = {[BF_PLANNED] = "planned", [BF_PLANNED_BEFORE] = "exists", [BF_PLANNED_NOTHING] = "nothing"};
	return names[outcome];
}

void bf_plan_print_json(const struct bf_plan_view *v, bool one_line)
{
	struct bf_json j;
	if (one_line)
		bf_json_begin_line(&j, stdout);
	else
		bf_json_begin(&j, stdout);
	bf_json_bool(&j, "dry_run", v->dry_run);
	bf_json_text(&j, "outcome", outcome_name(v->outcome));
	bf_json_text(&j, "run", v->outcome == BF_PLANNED_NOTHING || (v->dry_run && !v->ask->run) ? NULL : v->plan->run);
	bf_json_text_or_null(&j, "state", v->state);
	bf_json_int(&j, "jobs", v->plan->jobs);
	json_ms(&j, v->estimate ? v->estimate->total_ms : -1);
	bf_json_int(&j, "measured_jobs", v->estimate ? v->estimate->measured : 0);
	json_ask(&j, v);
	bf_json_array(&j, "steps");
	for (int i = 0; i < v->plan->n_steps; i++)
		if (!v->plan->steps[i].left_out)
			json_step(&j, v, &v->plan->steps[i]);
	bf_json_close(&j);
	bf_json_end(&j);
}
