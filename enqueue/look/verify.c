/* `bfstat verify`: compares Redis with the ledger; `--repair` brings Redis to what the ledger says. */
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/reconcile.h"
#include "look/drift.h"
#include "look/look.h"
#include "shared/servers.h"

#define APART_US  300000 /* between two looks */
#define SETTLE_MS 300    /* what was on its way has arrived by then */
#define UPKEEP_MS 8000   /* a worker that lives has been through its upkeep by then, and has put right what it does at each */

struct options {
	bool json, repair;
};

/* Is something among it that may only be on its way? What cannot be read is not. */
static bool may_pass(const struct bf_drift *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->list[i].what, "unreadable") != 0)
			return true;
	return false;
}

/* Looks again and again, for as long as something differs that did each time before. *out: what differs still. */
int bf_drift_until_agreed(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *out, struct bf_error *err)
{
	int64_t began = bf_mono_ms();
	int rc = bf_drift_find(pg, redis, out, err);
	while (rc == 0 && may_pass(out) && bf_mono_ms() - began < (out->alive > 0 ? UPKEEP_MS : SETTLE_MS)) {
		struct bf_drift before = *out;
		usleep(APART_US);
		rc = bf_drift_find(pg, redis, out, err);
		if (rc == 0)
			bf_drift_persists(out, &before);
		bf_drift_release(&before);
	}
	return rc;
}

/* ---- what is shown ---- */

static void print_differences(const struct bf_look *l, const struct bf_drift *d)
{
	static const struct bf_column columns[] = {{.title = "RUN"}, {.title = "STEP"}, {.title = "DIFFERENCE"}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&l->term, columns, BF_COUNT_OF(columns));
	for (size_t i = 0; i < d->n; i++) {
		bf_table_row(table);
		bf_table_cell(table, BF_PLAIN, *d->list[i].run ? d->list[i].run : "-");
		bf_table_cell(table, BF_PLAIN, *d->list[i].step ? d->list[i].step : "-");
		bf_table_cell(table, BF_CARE, d->list[i].text);
	}
	bf_table_print(table, stdout);
}

static const char *runs_word(int64_t n)
{
	return n == 1 ? "run" : "runs";
}

static void print_verdict(const struct bf_look *l, const struct bf_drift *found, const struct bf_drift *left, const struct options *o)
{
	char n[28];
	if (found->n > 0)
		print_differences(l, found);
	if (found->n == 0)
		printf("%sRedis and the ledger agree.%s %s %s under way compared.\n", bf_tone_on(&l->term, BF_GOOD), bf_tone_off(&l->term, BF_GOOD),
			   bf_text_group(found->runs, n), runs_word(found->runs));
	else if (!o->repair)
		printf("\n%zu %s. Workers put such things right by themselves; at once:  bfstat verify --repair\n", found->n,
			   found->n == 1 ? "difference" : "differences");
	else if (left->n == 0)
		printf("\n%sRepaired.%s Redis and the ledger agree.\n", bf_tone_on(&l->term, BF_GOOD), bf_tone_off(&l->term, BF_GOOD));
	if (o->repair && left->n > 0) {
		printf("\n%sAfter the repair there is still:%s\n", bf_tone_on(&l->term, BF_BAD), bf_tone_off(&l->term, BF_BAD));
		print_differences(l, left);
	}
}

static void add_list(struct bf_json *j, const char *key, const struct bf_drift *d)
{
	bf_json_array(j, key);
	for (size_t i = 0; i < d->n; i++) {
		bf_json_object(j, NULL);
		bf_json_text_or_null(j, "run", d->list[i].run);
		bf_json_text_or_null(j, "step", d->list[i].step);
		bf_json_text(j, "what", d->list[i].what);
		bf_json_text(j, "text", d->list[i].text);
		bf_json_close(j);
	}
	bf_json_close(j);
}

static void print_json(const struct bf_look *l, const struct bf_drift *found, const struct bf_drift *left, const struct options *o)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_bool(&j, "agree", found->n == 0);
	bf_json_int(&j, "runs", found->runs);
	add_list(&j, "differences", found);
	if (o->repair)
		add_list(&j, "after_repair", left);
	else
		bf_json_null(&j, "after_repair");
	bf_look_json_end(l, &j);
}

/* ---- the repair: the same calls that workers make ---- */

static int repair_all(struct bf_upkeep *u, struct bf_error *err)
{
	struct bf_error of_a_run = {.code = 0};
	int rc = bf_reconcile_all(u, BF_DEPTH_ALL, NULL, &of_a_run, err);
	if (rc == 0 && of_a_run.code) {
		*err = of_a_run;
		rc = -(int)of_a_run.code;
	}
	return rc;
}

/* Each run that differs; all of them where something differs that is of none. */
static int repair_found(struct bf_upkeep *u, const struct bf_drift *found, struct bf_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < found->n; i++)
		if (!*found->list[i].run)
			return repair_all(u, err);
	for (size_t i = 0; rc == 0 && i < found->n; i++) {
		const char *run = found->list[i].run;
		if (i == 0 || strcmp(run, found->list[i - 1].run) != 0)
			rc = bf_reconcile_run(u, run, BF_DEPTH_ALL, NULL, NULL, err);
		if (rc == -BF_E_NOT_FOUND)
			rc = 0; /* a run that the ledger does not know is shown again below */
	}
	return rc;
}

static int repair(const struct bf_drift *found, struct bf_drift *left, struct bf_error *err)
{
	struct bf_upkeep u;
	int rc = bf_open_both("bfstat", &u, err);
	if (rc == 0)
		rc = bf_reconcile_mend(&u, BF_INSPECT_ALL, err);
	if (rc == 0)
		rc = bf_reconcile_generation(&u, NULL, err);
	if (rc == 0)
		rc = repair_found(&u, found, err);
	if (rc == 0)
		rc = bf_drift_until_agreed(u.pg, u.redis, left, err);
	bf_close_both(&u);
	return rc;
}

static int run_verify(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_drift found = {.n = 0}, left = {.n = 0};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	if (!look.pg || !look.redis) { /* which one has been said */
		bf_look_close(&look);
		return 5;
	}
	int rc = bf_drift_until_agreed(look.pg, look.redis, &found, &err);
	if (rc == 0 && o.repair && found.n > 0)
		rc = repair(&found, &left, &err);
	if (rc == 0 && o.json)
		print_json(&look, &found, &left, &o);
	else if (rc == 0)
		print_verdict(&look, &found, &left, &o);
	exit_code = o.repair ? left.n > 0 : found.n > 0;
	bf_drift_release(&found);
	bf_drift_release(&left);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : exit_code;
}

static const struct bf_opt options[] = {
	{.name = "repair", .type = BF_OPT_FLAG, .offset = offsetof(struct options, repair), .help = "bring Redis to what the ledger says"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat verify", "do Redis and the ledger agree?"},
	{"bfstat verify --repair", "and if not: Redis is brought to what the ledger says"},
	{NULL, NULL},
};

static const struct bf_command command_verify = {
	.name = "verify",
	.synopsis = "bfstat verify [OPTION…]",
	.summary = "compares Redis with the ledger, run by run",
	.details = "Exit code: 0 they agree, 1 they differ (with --repair: still after it), 5 one of them cannot be reached.",
	.examples = examples,
	.options = options};

const struct bf_entry bf_look_verify = {&command_verify, run_verify};
