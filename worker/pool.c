#include "base/log.h"
#include "base/mem.h"
#include "worker.h"

/* Connections for jobs that run SQL: opened when first needed, at most one for each slot and one for each job opened ahead, kept. */

#define JOB_SETTINGS "-c synchronous_commit=on -c idle_in_transaction_session_timeout=60s -c client_connection_check_interval=10s"

struct bf_pool {
	size_t n, max;
	struct {
		struct bf_pgc *c;
		bool taken;
	} slot[BF_CONNECTIONS_MAX];
};

int bf_pool_new(struct bf_worker *w, struct bf_error *err)
{
	(void)err;
	w->pool = bf_alloc(sizeof(*w->pool));
	w->pool->max = 2 * w->opt.slots < BF_CONNECTIONS_MAX ? 2 * (size_t)w->opt.slots : BF_CONNECTIONS_MAX;
	return 0;
}

static void on_lost(struct bf_pgc *c, const struct bf_error *err, void *data)
{
	(void)c;
	(void)data;
	bf_warn("a job's connection to PostgreSQL was lost: %s", err->text);
}

static struct bf_pgc *take(struct bf_pool *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->slot[i].taken && bf_pgc_state(p->slot[i].c) == BF_PGC_READY) {
			p->slot[i].taken = true;
			return p->slot[i].c;
		}
	}
	return NULL;
}

static size_t not_taken(const struct bf_pool *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += !p->slot[i].taken;
	return n;
}

static void add_connection(struct bf_worker *w)
{
	struct bf_pool *p = w->pool;
	struct bf_error err;
	struct bf_pgc_options o = {.application_name = "worker (job)", .startup = JOB_SETTINGS, .on_lost = on_lost, .data = w};
	if (bf_pgc_open(w->loop, &o, &p->slot[p->n].c, &err) < 0) {
		bf_err("no connection for a job: %s", err.text);
		return;
	}
	p->slot[p->n].taken = false;
	p->n++;
}

void bf_pool_pump(struct bf_worker *w)
{
	struct bf_pool *p = w->pool;
	size_t waiting = 0;
	for (struct bf_job *j = w->at[BF_AT_CONNECT].first, *next; j; j = next) {
		next = j->next;
		if (j->conn && bf_pgc_state(j->conn) != BF_PGC_READY)
			bf_pool_give_back(w, bf_steal(&j->conn));
		if (!j->conn)
			j->conn = take(p);
		if (j->conn)
			bf_job_move(j, BF_AT_OPEN, "connected");
		else
			waiting++;
	}
	while (waiting > not_taken(p) && p->n < p->max) {
		size_t before = p->n;
		add_connection(w);
		if (p->n == before)
			return;
	}
}

void bf_pool_give_back(struct bf_worker *w, struct bf_pgc *c)
{
	for (size_t i = 0; w->pool && i < w->pool->n; i++) /* none after the worker has closed everything */
		if (w->pool->slot[i].c == c)
			w->pool->slot[i].taken = false;
}

void bf_pool_close(struct bf_worker *w)
{
	for (size_t i = 0; i < w->pool->n; i++)
		bf_pgc_close(w->pool->slot[i].c, NULL, NULL);
	bf_free_ptr(&w->pool);
}
