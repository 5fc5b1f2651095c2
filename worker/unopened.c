/*
 * Fails jobs that nobody can open, so that they keep no other job waiting and no run unfinished in silence: jobs of a
 * run whose definition cannot be read (runs.c), a job whose row the ledger cannot work with (open.c). The reason is in
 * the ledger, where `bfstat` shows it, and a retry tries them again.
 */
#include "base/log.h"
#include "base/mem.h"
#include "worker.h"

#define LATER_MS 30000 /* where failing them fails, too */

struct failing {
	struct bf_worker *worker;
	size_t n;
	struct bf_job *jobs[];
};

/* Columns of fail_unopened.sql. */
enum { FAIL_ORD, FAIL_STATE };

static enum bf_ack ack_of(const char *state)
{
	static const struct {
		const char *state;
		enum bf_ack ack;
	} acks[] = {{"done", BF_ACK_DONE}, {"failed", BF_ACK_FAILED}, {"skipped", BF_ACK_SKIPPED}, {"cancelled", BF_ACK_CANCELLED}};
	for (size_t i = 0; i < BF_COUNT_OF(acks); i++)
		if (strcmp(state, acks[i].state) == 0)
			return acks[i].ack;
	return BF_ACK_DROP;
}

static void on_failed(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct failing *f = data;
	bool refused = err && err->code == BF_E_SQL;
	(void)c;
	if (refused)
		bf_err("jobs that cannot be opened cannot be failed either: %s", err->text);
	for (size_t i = 0; i < f->n; i++) {
		if (refused)
			bf_job_acknowledge(f->jobs[i], BF_ACK_LATER, LATER_MS);
		else if (err) /* the answer was lost; failing them again is safe */
			bf_job_move(f->jobs[i], BF_AT_DEFINE, "not answered");
		else
			bf_job_acknowledge(f->jobs[i], ack_of(bf_pg_text(r, (int)i, FAIL_STATE)), 0);
	}
	free(f);
}

static void bind_jobs(struct bf_worker *w, struct failing *f, const char *category, const char *error)
{
	struct bf_open_ask asks[BF_BATCH_MAX];
	for (size_t i = 0; i < f->n; i++)
		asks[i] = (struct bf_open_ask){.run = f->jobs[i]->run, .step = f->jobs[i]->step_name, .seq = f->jobs[i]->seq};
	bf_pg_params_clear(&w->params);
	bf_ledger_fail_bind(&w->params, asks, f->n, category, error, w->id);
}

void bf_fail_unopened(struct bf_worker *w, struct bf_job **jobs, size_t n, const char *category, const char *error)
{
	struct failing *f = bf_alloc(sizeof(*f) + n * sizeof(f->jobs[0]));
	enum bf_job_place place = jobs[0]->place;
	f->worker = w;
	f->n = n;
	memcpy(f->jobs, jobs, n * sizeof(f->jobs[0]));
	bf_job_sort(f->jobs, n);
	bind_jobs(w, f, category, error);
	for (size_t i = 0; i < n; i++)
		bf_job_move(f->jobs[i], BF_AT_OPENING, "cannot be opened");
	if (bf_pgc_exec(w->opener, &bf_sql_fail_unopened, &w->params, on_failed, f) < 0) {
		for (size_t i = 0; i < n; i++)
			bf_job_move(f->jobs[i], place, "not sent");
		free(f);
	}
}
