#include <stddef.h>

#include "base/mem.h"
#include "change/commands.h"
#include "change/decider.h"
#include "core/decide.h"
#include "render/json.h"
#include "render/term.h"
#include "shared/find.h"

#define BY_MAX   100 /* bytes of a name */
#define NOTE_MAX 4000

struct options {
	const char *by, *note;
	bool json;
};

#define OPTION(field) offsetof(struct options, field)

static const struct bf_opt options[] = {
	{"by", NULL, BF_OPT_TEXT, OPTION(by), "NAME", "who decides; by default the user at this host", 0, 0, NULL},
	{"note", NULL, BF_OPT_TEXT, OPTION(note), "TEXT", "why; kept with the decision", 0, 0, NULL},
	{"json", NULL, BF_OPT_FLAG, OPTION(json), NULL, "print the outcome as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example approve_examples[] = {
	{"enqueue approve daily-sales.k3v9qa sign-off --note='figures are right'", "the run goes on"},
	{NULL, NULL},
};
static const struct bf_example reject_examples[] = {
	{"enqueue reject daily-sales.k3v9qa sign-off --note='March is too low'", "it does not go on"},
	{NULL, NULL},
};

const struct bf_command bf_command_approve = {
	.name = "approve",
	.synopsis = "enqueue approve RUN STEP [OPTION…]",
	.summary = "let a run go on that waits for a person",
	.details = "What the run waits for, and what to look at before, is on its page: `bfstat RUN`. `bfstat waiting` lists the runs "
			   "that wait.",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.examples = approve_examples,
};
const struct bf_command bf_command_reject = {
	.name = "reject",
	.synopsis = "enqueue reject RUN STEP [OPTION…]",
	.summary = "decide that it must not go on",
	.details = "What needs the approval is not run. `enqueue retry RUN` asks again.",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.examples = reject_examples,
};

/* The columns of decide_approval.sql. */
enum { OUTCOME, JOB_STATE, SAID, WANTING, KIND };

static int check_text(const char *option, const char *text, size_t max, struct bf_error *err)
{
	size_t len = text ? strlen(text) : 0;
	if (text && len == 0)
		return bf_fail(err, BF_E_INPUT, "%s: found nothing, expected a text", option);
	if (len > max)
		return bf_fail(err, BF_E_INPUT, "%s: found %zu bytes, expected at most %zu", option, len, max);
	return !text || bf_utf8_valid(text, len) ? 0 : bf_fail(err, BF_E_INPUT, "%s: expected UTF-8 text", option);
}

/* The ledger's answer: 0 when it is decided as asked for, by this call or before. */
static int judge(const struct bf_pg_result *r, const struct bf_decision *d, bool approved, bool *before, struct bf_error *err)
{
	const char *outcome = bf_pg_text(r, 0, OUTCOME);
	*before = strcmp(outcome, "decided") == 0;
	if (*before && strcmp(bf_pg_text(r, 0, JOB_STATE), approved ? "done" : "failed") == 0)
		return 0;
	if (*before)
		return bf_fail(err, BF_E_CONFLICT, "step %s of run %s is decided already: %s%s", d->step, d->run,
					   *bf_pg_text(r, 0, SAID) ? bf_pg_text(r, 0, SAID) : bf_pg_text(r, 0, JOB_STATE),
					   approved ? "; `enqueue retry` asks again" : "");
	if (strcmp(outcome, "over") == 0)
		return bf_fail(err, BF_E_CONFLICT, "run %s is over: nobody is asked any more", d->run);
	if (strcmp(outcome, "not asked") == 0)
		return bf_fail(err, BF_E_CONFLICT, "step %s of run %s is not asked for yet: %s", d->step, d->run,
					   *bf_pg_text(r, 0, WANTING) ? bf_pg_text(r, 0, WANTING) : "the run has not come to it");
	if (strcmp(outcome, "another kind") == 0)
		return bf_fail(err, BF_E_INPUT, "step %s of run %s is of kind %s, expected an approval", d->step, d->run, bf_pg_text(r, 0, KIND));
	return 0;
}

static void print_json(const struct bf_command *command, const struct bf_decision *d, bool before, const char *said, const char *state)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "command", command->name);
	bf_json_text(&j, "run", d->run);
	bf_json_text(&j, "step", d->step);
	bf_json_text(&j, "outcome", command == &bf_command_approve ? "approved" : "rejected");
	bf_json_bool(&j, "before", before);
	bf_json_text_or_null(&j, "by", before ? NULL : d->who);
	bf_json_text_or_null(&j, "said", said);
	bf_json_text(&j, "state", state);
	bf_json_end(&j);
}

static int decide(const struct bf_command *command, struct bf_decider *s, const struct bf_decision *d, bool json, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	char state[16] = "";
	bool before = false, approved = command == &bf_command_approve;
	int rc = bf_find_job(s->upkeep.pg, d->run, d->step, NULL, err);
	if (rc == 0)
		rc = bf_decide_approval(s->upkeep.pg, d, approved, &r, err);
	if (rc == 0)
		rc = judge(r, d, approved, &before, err);
	if (rc == 0)
		rc = bf_decider_carry_out(s, d->run, BF_DEPTH_STATE, state, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE char *said = bf_term_shown(bf_pg_text(r, 0, SAID)), *who = bf_term_shown(d->who);
	if (json)
		print_json(command, d, before, bf_pg_text(r, 0, SAID), state);
	else if (before)
		printf("Step %s was decided before: %s. Run %s is %s.\n", d->step, said, d->run, state);
	else
		printf("Step %s is %s by %s. Run %s is %s.\n", d->step, approved ? "approved" : "rejected", who, d->run, state);
	return 0;
}

int bf_approve_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_decider s;
	struct bf_error err;
	char who[BF_WHO_MAX];
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	if (check_text("--by", o.by, BY_MAX, &err) < 0 || check_text("--note", o.note, NOTE_MAX, &err) < 0)
		return bf_program_fail(&err);
	struct bf_decision d = {.run = args[0], .step = args[1], .who = o.by ? o.by : bf_who(who), .note = o.note};
	int rc = bf_decider_open(&s, &err);
	if (rc == 0)
		rc = decide(command, &s, &d, o.json, &err);
	return bf_decider_close(&s, rc, &err);
}
