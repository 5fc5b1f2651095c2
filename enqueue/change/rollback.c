/*
 * enqueue rollback: page by page, newest first, each job in one transaction; what cannot be undone stays, is named
 * with its reason, and keeps what was done before it where the step goes in order.
 */
#include <stddef.h>

#include "base/mem.h"
#include "change/commands.h"
#include "change/decider.h"
#include "core/decide.h"
#include "core/states.h"
#include "core/undo.h"
#include "render/json.h"
#include "render/term.h"
#include "shared/find.h"
#include "shared/today.h"

#define NOTE_MAX   4000
#define LEFT_SHOWN 20 /* jobs that stay, with the reason */
#define WHY_MAX    300

struct options {
	const char *step, *note;
	struct bf_opt_list chunk;
	struct bf_opt_date since, until;
	bool dry_run, json;
};

#define OPTION(field) offsetof(struct options, field)

static const struct bf_opt options[] = {
	{"step", NULL, BF_OPT_TEXT, OPTION(step), "STEP", "only jobs of this step", 0, 0, NULL},
	{"chunk", NULL, BF_OPT_LIST, OPTION(chunk), "CHUNK", "only this chunk: 2024-01-01..2024-01-03, or a key; may be given again", 0, 0,
	 NULL},
	{"since", NULL, BF_OPT_DATE, OPTION(since), "DATE", "only chunks from this day on: 2024-01-01, yesterday, -7d", 0, 0, NULL},
	{"until", NULL, BF_OPT_DATE, OPTION(until), "DATE", "only chunks up to this day; one that is only partly within stays", 0, 0, NULL},
	{"note", NULL, BF_OPT_TEXT, OPTION(note), "TEXT", "why; kept with the event", 0, 0, NULL},
	{"dry-run", NULL, BF_OPT_FLAG, OPTION(dry_run), NULL, "show what would be undone and what would stay; write nothing", 0, 0, NULL},
	{"json", NULL, BF_OPT_FLAG, OPTION(json), NULL, "print the outcome as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example examples[] = {
	{"enqueue rollback daily-sales.k3v9qa --dry-run", "what would be undone, and what would stay"},
	{"enqueue rollback daily-sales.k3v9qa --since=2024-05-01 --until=2024-05-31", "only the chunks of one month"},
	{"enqueue rollback daily-sales.k3v9qa", "all of it, for real; the run has to be over, or stopped"},
	{NULL, NULL},
};

const struct bf_command bf_command_rollback = {
	.name = "rollback",
	.synopsis = "enqueue rollback RUN [OPTION…]",
	.summary = "undo what a run has done, newest first, by its steps' rollback files",
	.details = "Each job in one transaction with its row in the ledger, which is `undone` then: a new run takes it again. What "
			   "another run has done since stays; so does what another writer has changed, where the rollback file says how to "
			   "tell. Look first: --dry-run. Exit code 1: something stays.",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
};

/* ---- what comes of it ---- */

enum outcome { UNDONE, CHANGED, TAKEN, BEHIND, BEYOND, FAILED, UNKNOWN, ABSENT, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = {"undone", "changed", "taken", "behind", "beyond", "failed", "unknown", "absent"};
static const char *const reasons[OUTCOMES] = {
	NULL,
	"another writer has changed it since",
	"another run has done it since, or is about to",
	"one after it stays, and this step goes in order",
	"only a part of it is within --since and --until",
	NULL,
	"it did not succeed, and may have been carried out; neither \"present\" nor \"changed\" tells",
	"it did not succeed, and what it makes is not there"};

/* What is left as it is, and should not be. */
static bool stays(enum outcome o)
{
	return o != UNDONE && o != ABSENT;
}

struct tally {
	int64_t jobs[OUTCOMES];
	int64_t unknown;                                         /* of those that are undone: that may not have been carried out */
	char newest[BF_CHUNK_MAX + 1], oldest[BF_CHUNK_MAX + 1]; /* of those that are undone */
	bool blocked;                                            /* a chronological step, of which a newer job stays */
};

struct rollback {
	struct bf_decider *s;
	const struct options *o;
	const char *run, *who;
	struct bf_undo undo;
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT]; /* of --since and --until; "": not given */
	struct tally *of;                              /* of each of undo.steps */
	struct bf_json *json;
	int64_t shown, left;
};

static struct tally *tally_of(const struct rollback *b, const struct bf_undo_job *j)
{
	return &b->of[j->files - b->undo.steps];
}

static void print_left(struct rollback *b, const struct bf_undo_job *j, const char *why)
{
	BF_AUTOBUF struct bf_buf chunk, reason, cut;
	bf_buf_init(&chunk, 4096);
	bf_buf_init(&reason, 8192);
	bf_buf_init(&cut, 8192);
	if (b->shown++ >= LEFT_SHOWN)
		return;
	bf_term_one_line(&chunk, j->chunk);
	bf_term_one_line(&reason, why);
	if (b->shown == 1)
		printf("Stays as it is:\n");
	bf_term_cut(&cut, &(struct bf_term){.utf8 = true}, reason.data, WHY_MAX);
	printf("  %s %s: %s\n", j->files->step, chunk.data, cut.data);
}

static void note(struct rollback *b, const struct bf_undo_job *j, enum outcome outcome, const char *why)
{
	struct tally *t = tally_of(b, j);
	t->jobs[outcome]++;
	t->blocked = t->blocked || (stays(outcome) && j->files->chronological);
	t->unknown += j->unknown && outcome == UNDONE;
	b->left += stays(outcome);
	if (outcome == UNDONE) {
		if (!t->newest[0])
			snprintf(t->newest, sizeof(t->newest), "%s", j->chunk);
		snprintf(t->oldest, sizeof(t->oldest), "%s", j->chunk);
	}
	if (b->json) {
		bf_json_object(b->json, NULL);
		bf_json_text(b->json, "step", j->files->step);
		bf_json_text(b->json, "chunk", j->chunk);
		bf_json_text(b->json, "outcome", outcome_names[outcome]);
		bf_json_bool(b->json, "unknown", j->unknown);
		bf_json_text_or_null(b->json, "why", why ? why : "");
		bf_json_close(b->json);
	} else if (stays(outcome)) {
		print_left(b, j, why);
	}
}

/* ---- one job ---- */

static char *changed_text(const char *rows)
{
	return bf_asprintf("%s: %s", reasons[CHANGED], rows);
}

static int look_at(struct rollback *b, const struct bf_undo_job *j, struct bf_error *err)
{
	BF_AUTOFREE char *rows = NULL;
	bool there = true;
	int rc = j->unknown ? bf_undo_is_there(b->s->upkeep.pg, &b->undo, j, &there, err) : 0;
	if (rc == 0 && !there) {
		note(b, j, ABSENT, reasons[ABSENT]);
		return 0;
	}
	if (rc == 0)
		rc = bf_undo_changed(b->s->upkeep.pg, &b->undo, j, &rows, err);
	if (rc < 0)
		return bf_error_prefix(err, "the query for what was changed since, of step %s for %s", j->files->step, j->chunk);
	BF_AUTOFREE char *why = rows ? changed_text(rows) : NULL;
	note(b, j, rows ? CHANGED : UNDONE, why);
	return 0;
}

static bool has_state(const struct bf_error *err, const char *sqlstate)
{
	return err->code == BF_E_SQL && strcmp(err->sqlstate, sqlstate) == 0;
}

static int undo(struct rollback *b, const struct bf_undo_job *j, struct bf_error *err)
{
	int rc = bf_undo_execute(b->s->upkeep.pg, &b->undo, j, b->who, b->o->note, err);
	if (rc == 0) {
		note(b, j, UNDONE, NULL);
	} else if (has_state(err, "BF002")) {
		note(b, j, CHANGED, err->text);
	} else if (has_state(err, "BF006")) {
		note(b, j, ABSENT, reasons[ABSENT]);
	} else if (has_state(err, "BF001")) {
		note(b, j, TAKEN, err->text);
	} else {
		note(b, j, FAILED, err->text);
		return bf_error_prefix(err, "undoing %s %s", j->files->step, j->chunk);
	}
	return 0;
}

static int one(struct rollback *b, const struct bf_undo_job *j, struct bf_error *err)
{
	if (tally_of(b, j)->blocked)
		note(b, j, BEHIND, reasons[BEHIND]);
	else if (j->beyond)
		note(b, j, BEYOND, reasons[BEYOND]);
	else if (j->taken)
		note(b, j, TAKEN, reasons[TAKEN]);
	else if (j->unknown && !bf_undo_can_tell(j))
		note(b, j, UNKNOWN, reasons[UNKNOWN]);
	else
		return b->o->dry_run ? look_at(b, j, err) : undo(b, j, err);
	return 0;
}

static int all(struct rollback *b, struct bf_error *err)
{
	struct bf_pg_result *page = NULL, *before = NULL;
	struct bf_undo_job last;
	const struct bf_undo_pick pick = {.step = b->o->step,
									  .chunks = b->o->chunk.items,
									  .n_chunks = b->o->chunk.count,
									  .since = *b->since ? b->since : NULL,
									  .until = *b->until ? b->until : NULL};
	int rc, rows;
	do {
		rc = bf_undo_page(b->s->upkeep.pg, &b->undo, &pick, before ? &last : NULL, &page, err);
		rows = rc < 0 ? 0 : bf_pg_rows(page);
		for (int i = 0; rc == 0 && i < rows; i++) {
			bf_undo_job_read(&b->undo, page, i, &last);
			rc = one(b, &last, err);
		}
		bf_pg_result_free(before);
		before = bf_steal(&page);
	} while (rc == 0 && rows == BF_UNDO_PAGE);
	bf_pg_result_free(before);
	return rc;
}

/* ---- may it ---- */

static int no_file(const struct rollback *b, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf known;
	bf_buf_init(&known, 4096);
	for (size_t i = 0; i < b->undo.n_steps; i++)
		bf_buf_printf(&known, "%s%s", i ? ", " : "", b->undo.steps[i].step);
	if (b->undo.n_steps == 0)
		return bf_fail(err, BF_E_INPUT, "run %s cannot be undone: no step of its pipeline had a \"rollback\" file when it was planned",
					   b->run);
	return bf_fail(err, BF_E_INPUT, "--step: step %s has no \"rollback\" file; expected one of: %s", b->o->step, known.data);
}

static int find_chunks(const struct rollback *b, struct bf_error *err)
{
	int rc = bf_find_job(b->s->upkeep.pg, b->run, b->o->step, NULL, err);
	for (size_t i = 0; rc == 0 && i < b->o->chunk.count; i++)
		rc = bf_find_job(b->s->upkeep.pg, b->run, b->o->step, b->o->chunk.items[i], err);
	return rc;
}

static int find_days(struct rollback *b, const char *pipeline, struct bf_error *err)
{
	struct bf_opt_date since = b->o->since, until = b->o->until;
	struct bf_today today;
	int rc = bf_today_resolve(b->s->upkeep.pg, NULL, pipeline, &since, &until, &today, err);
	if (rc == 0 && since.given)
		bf_date_format(since.day, b->since);
	if (rc == 0 && until.given)
		bf_date_format(until.day, b->until);
	return rc;
}

static int check(struct rollback *b, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *row = NULL;
	enum bf_run_state state;
	int rc = find_chunks(b, err);
	if (rc == 0)
		rc = bf_find_run_row(b->s->upkeep.pg, b->run, &row, err);
	if (rc == 0)
		rc = find_days(b, bf_pg_text(row, 0, 1), err);
	if (rc == 0)
		rc = bf_undo_load(b->s->upkeep.pg, b->run, &b->undo, err);
	if (rc < 0)
		return rc;
	b->of = bf_alloc((b->undo.n_steps + 1) * sizeof(*b->of));
	if (b->undo.n_steps == 0 || (b->o->step && !bf_undo_step_of(&b->undo, b->o->step)))
		return no_file(b, err);
	const char *text = bf_pg_text(row, 0, 2);
	if (bf_run_state_parse(text, &state) && (bf_run_state_ended(state) || state == BF_RUN_STOPPED))
		return 0;
	return bf_fail(err, BF_E_CONFLICT, "run %s is %s, and would go on beside it; first: %s %s", b->run, text,
				   state == BF_RUN_WAITING ? "enqueue reject, or enqueue cancel" : "enqueue stop", b->run);
}

/* ---- the command ---- */

/* What did not succeed, and was asked about all the same. */
static void print_unknown(const struct rollback *b, size_t i)
{
	const struct tally *t = &b->of[i];
	char n[28];
	if (t->unknown > 0)
		printf("%s: %s of them did not succeed, and had been carried out all the same, as far as can be told\n", b->undo.steps[i].step,
			   bf_text_group(t->unknown, n));
	if (t->jobs[ABSENT] > 0)
		printf("%s: %s more did not succeed, and what they make is not there\n", b->undo.steps[i].step, bf_text_group(t->jobs[ABSENT], n));
}

static void print_steps(const struct rollback *b)
{
	int64_t sum[OUTCOMES] = {0};
	char n[28];
	for (size_t i = 0; i < b->undo.n_steps; i++)
		for (int k = 0; k < OUTCOMES; k++)
			sum[k] += b->of[i].jobs[k];
	if (b->shown > LEFT_SHOWN)
		printf("  and %s more\n", bf_text_group(b->shown - LEFT_SHOWN, n));
	for (size_t i = 0; i < b->undo.n_steps; i++) {
		const struct tally *t = &b->of[i];
		BF_AUTOFREE char *newest = bf_term_shown(t->newest), *oldest = bf_term_shown(t->oldest);
		if (t->jobs[UNDONE] > 0)
			printf("%s: %s job%s %s, from %s back to %s\n", b->undo.steps[i].step, bf_text_group(t->jobs[UNDONE], n),
				   t->jobs[UNDONE] == 1 ? "" : "s", b->o->dry_run ? "would be undone" : "undone", newest, oldest);
	}
	for (size_t i = 0; i < b->undo.n_steps; i++)
		print_unknown(b, i);
	if (sum[UNDONE] == 0)
		printf("Nothing %s.\n", b->o->dry_run ? "would be undone" : "was undone");
	else if (b->o->dry_run)
		printf("Nothing was written (--dry-run).\n");
}

static int print_without_file(const struct rollback *b, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *left = NULL;
	char n[28];
	int rc = b->o->step ? 0 : bf_undo_left(b->s->upkeep.pg, b->run, &left, err);
	for (int i = 0; rc == 0 && left && i < bf_pg_rows(left); i++)
		printf("%s: what its %s %s did stays; the step has no \"rollback\" file\n", bf_pg_text(left, i, 0),
			   bf_text_group(bf_pg_int(left, i, 2), n), bf_pg_int(left, i, 2) == 1 ? "job" : "jobs");
	return rc;
}

static void begin_json(struct rollback *b, struct bf_json *j)
{
	bf_json_begin(j, stdout);
	bf_json_text(j, "command", "rollback");
	bf_json_text(j, "run", b->run);
	bf_json_text(j, "step", b->o->step);
	bf_json_text(j, "chunk", b->o->chunk.count == 1 ? b->o->chunk.items[0] : NULL);
	bf_json_array(j, "chunks");
	for (size_t i = 0; i < b->o->chunk.count; i++)
		bf_json_text(j, NULL, b->o->chunk.items[i]);
	bf_json_close(j);
	bf_json_text_or_null(j, "since", b->since);
	bf_json_text_or_null(j, "until", b->until);
	bf_json_bool(j, "dry_run", b->o->dry_run);
	bf_json_array(j, "jobs");
	b->json = j;
}

/* Who undoes what, an event for each chunk that was named. Of a range, its days. */
static int record(const struct rollback *b, struct bf_error *err)
{
	BF_AUTOFREE char *range = *b->since || *b->until ? bf_asprintf("%s..%s", b->since, b->until) : NULL;
	size_t n = b->o->chunk.count;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < (n ? n : 1); i++)
		rc = bf_undo_note(b->s->upkeep.pg, b->run, b->o->step, n ? b->o->chunk.items[i] : range, b->who, b->o->note, err);
	return rc;
}

static int rollback(struct rollback *b, struct bf_error *err)
{
	struct bf_json json;
	char state[16] = "";
	int rc = check(b, err);
	if (rc == 0 && !b->o->dry_run)
		rc = record(b, err);
	if (rc < 0)
		return rc;
	if (b->o->json)
		begin_json(b, &json);
	rc = all(b, err);
	if (b->json) {
		bf_json_close(b->json);
		bf_json_end(b->json);
	} else {
		print_steps(b);
	}
	if (rc == 0 && !b->json)
		rc = print_without_file(b, err);
	return rc == 0 && !b->o->dry_run ? bf_decider_carry_out(b->s, b->run, BF_DEPTH_ALL, state, err) : rc;
}

int bf_rollback_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_decider s = {.redis_away = false};
	struct bf_error err;
	char who[BF_WHO_MAX];
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	struct rollback b = {.s = &s, .o = &o, .run = args[0], .who = bf_who(who)};
	int rc = o.note && strlen(o.note) > NOTE_MAX
				 ? bf_fail(&err, BF_E_INPUT, "--note: found %zu bytes, expected at most %d", strlen(o.note), NOTE_MAX)
				 : 0;
	if (rc == 0)
		rc = o.dry_run ? bf_open_ledger_to_look(BF_PROGRAM, &s.upkeep.pg, &err) : bf_decider_open(&s, &err);
	if (rc == 0)
		rc = rollback(&b, &err);
	bf_undo_release(&b.undo);
	free(b.of);
	code = bf_decider_close(&s, rc, &err);
	return code == 0 && b.left > 0 ? 1 : code;
}
