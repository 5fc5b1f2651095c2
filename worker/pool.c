#include "base/log.h"
#include "base/mem.h"
#include "steps/prepared.h"
#include "worker.h"

/*
 * Lanes: connections for jobs that run SQL, opened when first needed, at most one for each slot, kept. A job is given to a lane before it
 * is opened, for the ledger keeps the backend that runs it. Where jobs are short several are given to each lane, so that the next one is
 * at hand when one ends.
 */

struct bf_pool {
	int n, max;
	struct bf_lane lane[BF_CONNECTIONS_MAX];
};

void bf_pool_new(struct bf_worker *w)
{
	w->pool = bf_alloc(sizeof(*w->pool));
	w->pool->max = w->opt.slots < BF_CONNECTIONS_MAX ? w->opt.slots : BF_CONNECTIONS_MAX;
}

/* ---- a job and its lane ---- */

bool bf_lane_lost(const struct bf_job *j)
{
	return j->lane && j->lane_session != j->lane->session;
}

bool bf_lane_free(const struct bf_job *j)
{
	return !j->lane || bf_lane_lost(j) || (!j->lane->running && bf_pgc_state(j->lane->conn) == BF_PGC_READY);
}

void bf_lane_leave(struct bf_job *j)
{
	struct bf_lane *l = j->lane;
	j->lane = NULL;
	if (!l || !j->worker->pool) /* none after the worker has closed everything */
		return;
	l->jobs--;
	if (l->running == j)
		l->running = NULL;
}

static void give(struct bf_lane *l, struct bf_job *j)
{
	l->jobs++;
	j->lane = l;
	j->lane_session = l->session;
}

/* ---- all lanes ---- */

static void on_lost(struct bf_pgc *c, const struct bf_error *err, void *data)
{
	struct bf_lane *l = data;
	(void)c;
	l->session++;
	bf_warn("a job's connection to PostgreSQL was lost: %s", err->text);
}

static bool add_lane(struct bf_worker *w)
{
	struct bf_pool *p = w->pool;
	struct bf_lane *l = &p->lane[p->n];
	struct bf_error err;
	struct bf_pgc_options o = {.application_name = "worker (job)",
							   .purpose = BF_PG_JOB,
							   .timeout_ms = BF_SILENCE_LEASES * w->opt.lease_ms,
							   .on_lost = on_lost,
							   .data = l};
	if (bf_pgc_open(w->loop, &o, &l->conn, &err) < 0) {
		bf_err("no connection for a job: %s", err.text);
		return false;
	}
	p->n++;
	return true;
}

static bool is_connected(const struct bf_pgc *c)
{
	return bf_pgc_state(c) == BF_PGC_READY || bf_pgc_state(c) == BF_PGC_BUSY;
}

/* The lane with the fewest jobs, of those that are connected; NULL: each has `depth` already. */
static struct bf_lane *shortest(struct bf_pool *p, int depth)
{
	struct bf_lane *best = NULL;
	for (int i = 0; i < p->n; i++) {
		struct bf_lane *l = &p->lane[i];
		if (is_connected(l->conn) && l->jobs < (best ? best->jobs : depth))
			best = l;
	}
	return best;
}

/* There will soon be another lane: nothing needs to queue up behind a job that runs. */
static bool more_to_come(const struct bf_pool *p)
{
	bool connecting = false;
	for (int i = 0; i < p->n; i++)
		connecting |= bf_pgc_state(p->lane[i].conn) == BF_PGC_CONNECTING;
	return connecting || p->n < p->max;
}

static int without_jobs(const struct bf_pool *p)
{
	int n = 0;
	for (int i = 0; i < p->n; i++)
		n += p->lane[i].jobs == 0;
	return n;
}

/* Where connections are scarce, those that all jobs depend on come first: the lanes must not starve them. */
static bool needed_elsewhere(const struct bf_worker *w)
{
	return !is_connected(w->opener) || !is_connected(w->settler) || bf_steward_without_ledger(w);
}

static void close_lane(struct bf_lane *l)
{
	bf_prepared_free(l);
	bf_pgc_close(l->conn, NULL, NULL);
}

/* From the end: jobs point to the others. */
static void give_up_idle(struct bf_pool *p)
{
	while (p->n > 0 && p->lane[p->n - 1].jobs == 0)
		close_lane(&p->lane[--p->n]);
}

void bf_pool_pump(struct bf_worker *w)
{
	struct bf_pool *p = w->pool;
	bool scarce = needed_elsewhere(w);
	if (scarce)
		give_up_idle(p);
	int waiting = 0, ahead = bf_job_ahead(w), depth = more_to_come(p) ? 1 : 1 + (ahead + p->max - 1) / p->max;
	for (struct bf_job *j = w->at[BF_AT_CONNECT].first, *next; j; j = next) {
		next = j->next;
		struct bf_lane *l = NULL;
		if (bf_lane_lost(j))
			bf_lane_leave(j);
		if (!j->lane && (l = shortest(p, depth)))
			give(l, j);
		if (j->lane)
			bf_job_move(j, BF_AT_OPEN, "has a lane");
		else
			waiting++;
	}
	while (!scarce && waiting > without_jobs(p) && p->n < p->max && add_lane(w))
		;
}

bool bf_pool_has(const struct bf_worker *w, int pid)
{
	for (int i = 0; i < w->pool->n; i++)
		if (bf_pgc_backend_pid(w->pool->lane[i].conn) == pid)
			return true;
	return false;
}

void bf_pool_close(struct bf_worker *w)
{
	for (int i = 0; i < w->pool->n; i++)
		close_lane(&w->pool->lane[i]);
	bf_free_ptr(&w->pool);
}
