/*
 * check: a question, most often to the database, of which the answer is a figure, and a judgement of it that goes into the ledger's
 * history. soak: several checks, again each interval for hours. Each sample is one opening of the job; in between it waits in the ledger as
 * any job that is put off, so that it holds no slot, and a restart of everything loses nothing. Its beginning, its samples and those that
 * failed are the ledger's (record_checks.sql).
 *
 * What a check asks is in check_question.c, what the answer means in check_judge.c. Each has a transaction of its own that can only read;
 * what is asked over HTTP or read from a file is in check_outside.c.
 * What came out is recorded on the same connection, once that is ready again after the script, and then the job ends.
 */
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/ledger.h"
#include "core/sqltext.h"
#include "steps/check_judge.h"
#include "steps/check_outside.h"
#include "steps/check_question.h"
#include "steps/steps.h"
#include "steps/trouble.h"

#define SCRIPT_MAX ((size_t)4 * BF_SQL_FILE_MAX)
#define LATE_MS    5000 /* the server's own limit comes after the worker's, which knows why */

struct check {
	struct bf_job *job;
	uv_prepare_t until_ready;    /* looks at the connection, each turn of the loop */
	struct bf_finding *findings; /* of each of the step's checks */
	size_t n, done;              /* so many there are; so many were asked and judged */
	struct bf_outside outside;   /* the answer that does not come from the database */
	struct bf_buf text;          /* of all that did not pass, for people */
};

/* What the ledger says of a soak, this sample included. */
struct sampled {
	int64_t elapsed_ms; /* since its step was released */
	int64_t samples, failed;
};

static const struct bf_step *step_of(const struct check *k)
{
	return k->job->step;
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct check *k = handle->data;

	for (size_t i = 0; i < k->n; i++)
		bf_finding_release(&k->findings[i]);
	free(k->findings);
	bf_outside_release(&k->outside);
	bf_buf_release(&k->text);
	free(k);
}

/* The job ends after this, by one of the calls of steps.h; the texts of *k live until the loop's next turn. */
static struct bf_job *let_go(struct check *k)
{
	k->job->step_state = NULL;
	uv_close((uv_handle_t *)&k->until_ready, on_closed);
	return k->job;
}

static enum bf_judgement judgement(const struct check *k)
{
	enum bf_judgement worst = BF_PASS;

	for (size_t i = 0; i < k->n; i++)
		worst = k->findings[i].judgement > worst ? k->findings[i].judgement : worst;
	return worst;
}

/* What was found: of a check its one finding; of a soak all that did not pass. */
static const char *found(struct check *k)
{
	if (k->n == 1)
		return k->findings[0].text.data;
	bf_buf_clear(&k->text);
	bf_buf_addstr(&k->text, "");
	for (size_t i = 0; i < k->n; i++)
		if (k->findings[i].judgement != BF_PASS)
			bf_buf_printf(&k->text, "%s%s", k->text.len ? "\n" : "", k->findings[i].text.data);
	return k->text.data;
}

static void say(struct check *k, enum bf_log_level level)
{
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(k->job));

	bf_log_write(level, "check %s: %s", bf_judgement_name(judgement(k)), found(k));
	bf_log_pop(before);
}

/* Of all that failed nothing is sure to fail again. */
static bool may_pass(const struct check *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->findings[i].judgement == BF_FAIL && !k->findings[i].passing)
			return false;
	return true;
}

static void end_judged(struct check *k)
{
	struct bf_job *j = let_go(k);

	switch (judgement(k)) {
	case BF_PASS:
		say(k, BF_LOG_INFO);
		bf_job_done(j, -1);
		break;
	case BF_WARN:
		say(k, BF_LOG_WARN);
		bf_job_progress(j, -1, -1, NULL, found(k));
		bf_job_done(j, -1);
		break;
	case BF_FAIL:
		bf_job_failed(j, "check", !may_pass(k), found(k), NULL, 0);
		break;
	}
}

/* ---- a soak ---- */

static int64_t samples_planned(const struct bf_soak *soak)
{
	return soak->duration_ms / soak->interval_ms + 1; /* one at its beginning, one at its end */
}

/* Samples are due at the beginning and each interval from there; one that was missed is not made up for. */
static int64_t until_next(const struct bf_soak *soak, int64_t elapsed_ms)
{
	int64_t next = (elapsed_ms / soak->interval_ms + 1) * soak->interval_ms;

	return (next < soak->duration_ms ? next : soak->duration_ms) - elapsed_ms;
}

static void end_sampled(struct check *k, const struct sampled *s)
{
	const struct bf_soak *soak = &step_of(k)->soak;
	int64_t planned = samples_planned(soak);
	bool failed = s->failed >= soak->failure_limit, over = s->elapsed_ms >= soak->duration_ms;
	BF_AUTOBUF struct bf_buf note;
	struct bf_job *j;

	bf_buf_init(&note, BF_ERROR_MAX);
	bf_buf_printf(&note, "%lld of %lld samples, %lld failed%s%s", (long long)s->samples, (long long)planned, (long long)s->failed,
				  judgement(k) == BF_PASS ? "" : "; the last one: ", judgement(k) == BF_PASS ? "" : found(k));
	if (judgement(k) != BF_PASS)
		say(k, BF_LOG_WARN);
	j = let_go(k);
	bf_job_progress(j, s->samples, s->samples > planned ? s->samples : planned, NULL, note.data);
	if (failed)
		bf_job_failed(j, "soak", true, note.data, NULL, 0);
	else if (over)
		bf_job_done(j, -1);
	else
		bf_job_again(j, until_next(soak, s->elapsed_ms), note.data);
}

/* ---- an end that was not meant ---- */

static void end_timeout(struct check *k, const char *detail)
{
	struct bf_job *j = let_go(k);
	char limit[BF_DURATION_TEXT], text[128];

	snprintf(text, sizeof(text), "the check ran longer than its timeout of %s", bf_duration_format(j->step->timeout_ms, limit));
	bf_job_failed(j, "timeout", false, text, detail, strlen(detail));
}

/* The server answered with an error, or did not answer. */
static void end_error(struct check *k, const struct bf_error *err, const char *detail, bool raised)
{
	bool cancelled = strcmp(err->sqlstate, "57014") == 0;

	if (err->code != BF_E_SQL)
		bf_open_again_lost(let_go(k), err->text);
	else if (cancelled && k->job->timed_out)
		end_timeout(k, detail);
	else if (cancelled && (k->job->handing_back || k->job->fenced))
		bf_job_returned(let_go(k));
	else if (bf_is_trouble(err, false))
		bf_trouble_wait(let_go(k), err, raised);
	else
		bf_job_failed(let_go(k), "sql", false, err->text, detail, strlen(detail));
}

/* ---- the record ---- */

static void on_recorded(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct check *k = data;
	struct sampled s;

	(void)c;
	if (err) {
		end_error(k, err, "", false);
		return;
	}
	if (step_of(k)->kind == BF_KIND_CHECK) {
		end_judged(k);
		return;
	}
	if (bf_pg_rows(r) == 0) { /* it is another attempt's by now */
		bf_job_returned(let_go(k));
		return;
	}
	s = (struct sampled){.elapsed_ms = bf_pg_int(r, 0, 0), .samples = bf_pg_int(r, 0, 1), .failed = bf_pg_int(r, 0, 2)};
	end_sampled(k, &s);
}

static const char *type_column(const struct check *k, size_t i)
{
	return bf_check_type_name(step_of(k)->checks[i].type);
}

static const char *outcome_column(const struct check *k, size_t i)
{
	return bf_judgement_name(k->findings[i].judgement);
}

static const char *name_column(const struct check *k, size_t i)
{
	return *step_of(k)->checks[i].name ? step_of(k)->checks[i].name : NULL;
}

static const char *wanted_column(const struct check *k, size_t i)
{
	return k->findings[i].wanted.data;
}

static const char *found_column(const struct check *k, size_t i)
{
	return k->findings[i].text.data;
}

static const char *violations_column(const struct check *k, size_t i)
{
	return k->findings[i].violations;
}

/* Texts that were cut where they became too long, or came from outside, may end in half a character. */
static void add_column(const struct check *k, struct bf_pg_params *p, const char *(*column)(const struct check *k, size_t i))
{
	BF_AUTOBUF struct bf_buf clean;

	bf_buf_init(&clean, SIZE_MAX);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < k->n; i++) {
		const char *text = column(k, i);

		bf_buf_clear(&clean);
		if (text)
			bf_utf8_clean(&clean, text, strlen(text));
		bf_pg_array_text(p, !text ? NULL : clean.data ? clean.data : "");
	}
	bf_pg_array_end(p);
}

static void bind_record(const struct check *k, struct bf_pg_params *p)
{
	bf_pg_add_text(p, k->job->run);
	bf_pg_add_text(p, k->job->step_name);
	bf_pg_add_int(p, k->job->seq);
	bf_pg_add_int(p, k->job->epoch);
	add_column(k, p, type_column);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < k->n; i++)
		bf_pg_array_text(p, k->findings[i].figure);
	bf_pg_array_end(p);
	add_column(k, p, wanted_column);
	add_column(k, p, outcome_column);
	add_column(k, p, name_column);
	add_column(k, p, found_column);
	add_column(k, p, violations_column);
}

static void record(struct check *k)
{
	struct bf_pg_params p;

	bf_pg_params_init(&p);
	bind_record(k, &p);
	if (bf_pgc_exec(k->job->lane->conn, &bf_sql_record_checks, &p, on_recorded, k) < 0)
		bf_open_again(let_go(k), "its connection is not ready to record the check");
	bf_pg_params_release(&p);
}

/* ---- the questions ---- */

static void on_answer(struct bf_pgc *c, const struct bf_pgc_script *o, void *data);
static void on_turn(uv_prepare_t *prepare);

static int render(const struct check *k, struct bf_buf *question, struct bf_pgc_transaction *t, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf sql;

	bf_buf_init(&sql, SCRIPT_MAX);
	bf_check_question(k->job, &step_of(k)->checks[k->done], &sql);
	if (sql.overflow)
		return bf_fail(err, BF_E_LIMIT, "the check's SQL is longer than %zu bytes", SCRIPT_MAX);
	return bf_job_render_sql(k->job, sql.data, question, t, err);
}

static void on_outside(const struct bf_outside_answer *a, void *data)
{
	struct check *k = data;

	bf_check_judge_outside(k->job, &step_of(k)->checks[k->done], a, &k->findings[k->done]);
	if (a->retry_after_ms > k->job->not_within_ms)
		k->job->not_within_ms = a->retry_after_ms;
	k->done++;
	uv_prepare_start(&k->until_ready, on_turn);
}

static int ask_database(struct check *k, struct bf_error *err)
{
	int64_t limit = step_of(k)->timeout_ms + LATE_MS;
	BF_AUTOBUF struct bf_buf question;
	char first[120];
	struct bf_pgc_transaction transaction = {
		.first = first, .read_only = true, .keep_rows = 1}; /* every question has one row for an answer */

	bf_buf_init(&question, SCRIPT_MAX);
	snprintf(first, sizeof(first), "SELECT pg_catalog.set_config('statement_timeout', '%lld', true)",
			 (long long)(limit < INT32_MAX ? limit : INT32_MAX));
	int rc = render(k, &question, &transaction, err);
	if (rc < 0)
		return question.overflow ? bf_fail(err, BF_E_LIMIT, "the check's SQL is longer than %zu bytes", SCRIPT_MAX) : rc;
	transaction.sql = question.data;
	if (bf_pgc_transaction_run(k->job->lane->conn, &transaction, on_answer, k) < 0)
		bf_open_again(let_go(k), "its connection is not ready");
	return 0;
}

/* Asks the next of the checks. */
static int ask(struct check *k, struct bf_error *err)
{
	const struct bf_check *c = &step_of(k)->checks[k->done];

	return bf_check_is_outside(c) ? bf_outside_start(&k->outside, k->job, c, on_outside, k, err) : ask_database(k, err);
}

static void go_on(struct check *k)
{
	struct bf_error err;

	if (k->job->fenced)
		bf_job_returned(let_go(k));
	else if (k->done == k->n)
		record(k);
	else if (ask(k, &err) < 0)
		bf_job_failed(let_go(k), "sql", false, err.text, NULL, 0);
}

static void on_turn(uv_prepare_t *prepare)
{
	struct check *k = prepare->data;

	if (k->job->worker->left) { /* with all its connections */
		bf_open_again(let_go(k), "the worker leaves");
		return;
	}
	switch (bf_pgc_state(k->job->lane->conn)) {
	case BF_PGC_BUSY: /* the session is being put back after the script */
		return;
	case BF_PGC_READY:
		uv_prepare_stop(prepare);
		go_on(k);
		return;
	case BF_PGC_CONNECTING:
	case BF_PGC_WAITING:
	case BF_PGC_CLOSING:
		bf_open_again(let_go(k), "its connection was lost");
		return;
	}
}

static void on_answer(struct bf_pgc *c, const struct bf_pgc_script *o, void *data)
{
	struct check *k = data;

	(void)c;
	if (o->err) {
		end_error(k, o->err, o->detail, o->raised);
		return;
	}
	bf_check_judge(k->job, &step_of(k)->checks[k->done], o->last_rows, &k->findings[k->done]);
	k->done++;
	uv_prepare_start(&k->until_ready, on_turn);
}

static struct check *check_new(struct bf_job *j)
{
	struct check *k = bf_alloc(sizeof(*k));

	k->job = j;
	k->n = j->step->n_checks;
	k->findings = bf_alloc(k->n * sizeof(*k->findings));
	for (size_t i = 0; i < k->n; i++)
		bf_finding_init(&k->findings[i]);
	bf_outside_init(&k->outside);
	bf_buf_init(&k->text, BF_ERROR_MAX);
	uv_prepare_init(j->worker->loop, &k->until_ready);
	k->until_ready.data = k;
	return k;
}

static int start(struct bf_job *j, struct bf_error *err)
{
	struct check *k = j->step_state = check_new(j);
	int rc = ask(k, err);

	if (rc < 0)
		let_go(k);
	return rc;
}

/* Between an answer and the next question, or the record, there is nothing to cancel; both are short. So is the reading of a file. */
static void stop(struct bf_job *j)
{
	struct check *k = j->step_state;

	if (!k)
		return;
	if (!bf_outside_cancel(&k->outside))
		bf_pgc_cancel(j->lane->conn);
	else if (j->timed_out && !j->fenced)
		end_timeout(k, "");
	else
		bf_job_returned(let_go(k));
}

const struct bf_step_kind bf_step_check = {.kind = BF_KIND_CHECK, .needs_connection = true, .start = start, .stop = stop};
const struct bf_step_kind bf_step_soak = {.kind = BF_KIND_SOAK, .needs_connection = true, .start = start, .stop = stop};
