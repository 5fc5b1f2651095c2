#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/vars.h"
#include "steps/steps.h"
#include "worker.h"

#define BODY_RETRY_MS    10000 /* a definition that this program cannot read: another worker may */
#define BODY_PATIENCE_MS 60000 /* for how long another one is given the chance */

struct bf_run_def *bf_run_def_get(struct bf_worker *w, const char *run)
{
	for (struct bf_run_def *d = w->runs; d; d = d->next)
		if (strcmp(d->run, run) == 0)
			return d;
	struct bf_run_def *d = bf_alloc(sizeof(*d));
	snprintf(d->run, sizeof(d->run), "%s", run);
	d->next = w->runs;
	w->runs = d;
	return d;
}

static void free_def(struct bf_run_def *d)
{
	for (size_t i = 0; i < d->n_params; i++) {
		bf_free_ptr(&d->param_names[i]);
		bf_free_ptr(&d->param_values[i]);
	}
	free(d->param_names);
	free(d->param_values);
	bf_pipeline_free(d->pipeline);
	free(d->unreadable);
	free(d);
}

void bf_run_def_trim(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	for (struct bf_run_def **at = &w->runs; *at;) {
		struct bf_run_def *d = *at;
		bool closed = d->closed_ms && now - d->closed_ms < BF_CLOSED_MS;
		bool hoped = !d->unreadable && d->unreadable_since_ms && now - d->unreadable_since_ms < 2 * BODY_PATIENCE_MS;
		if (d->held == 0 && !d->asked && !closed && !hoped) {
			*at = d->next;
			free_def(d);
		} else {
			at = &d->next;
		}
	}
}

void bf_run_def_free_all(struct bf_worker *w)
{
	while (w->runs) {
		struct bf_run_def *d = w->runs;
		w->runs = d->next;
		free_def(d);
	}
}

/* Columns of run_definition.sql. */
enum { DEF_BODY, DEF_DIR, DEF_STATE, DEF_PARAM, DEF_VALUE };

static void read_params(struct bf_run_def *d, const struct bf_pg_result *r)
{
	size_t n = bf_pg_null(r, 0, DEF_PARAM) ? 0 : (size_t)bf_pg_rows(r);
	d->param_names = bf_alloc((n + 1) * sizeof(*d->param_names));
	d->param_values = bf_alloc((n + 1) * sizeof(*d->param_values));
	d->n_params = n;
	for (size_t i = 0; i < n; i++) {
		d->param_names[i] = bf_strdup(bf_pg_text(r, (int)i, DEF_PARAM));
		d->param_values[i] = bf_strdup(bf_pg_text(r, (int)i, DEF_VALUE));
	}
}

/* The lengths of soaks that parameters say; they were checked when the run was planned. */
static int set_soaks(struct bf_run_def *d, struct bf_error *err)
{
	BF_AUTOFREE const char **values = bf_alloc((d->pipeline->n_params + 1) * sizeof(*values));
	for (size_t i = 0; i < d->pipeline->n_params; i++)
		for (size_t k = 0; k < d->n_params; k++)
			if (strcmp(d->param_names[k], d->pipeline->params[i].name) == 0)
				values[i] = d->param_values[k];
	return bf_soak_set(d->pipeline, values, err);
}

/* Jobs of a run that cannot be defined are given up: `ack` says how. */
static void give_up(struct bf_worker *w, struct bf_run_def *d, enum bf_ack ack, int64_t delay_ms)
{
	for (struct bf_job *j = w->at[BF_AT_DEFINE].first, *next; j; j = next) {
		next = j->next;
		if (j->def == d)
			bf_job_acknowledge(j, ack, delay_ms);
	}
}

/* Text that is no JSON for us is none for anybody. What only this version does not know, another worker may: its jobs wait for that one,
 * and fail when it has not come. */
static void note_unreadable(struct bf_worker *w, struct bf_run_def *d, const struct bf_error *why)
{
	int64_t now = bf_mono_ms();
	if (!d->unreadable_since_ms)
		d->unreadable_since_ms = now;
	bool given_up = why->code == BF_E_LIMIT || now - d->unreadable_since_ms >= BODY_PATIENCE_MS;
	bf_err("run %s: this program cannot work with its pipeline%s: %s", d->run, given_up ? "; its jobs fail" : "", why->text);
	if (given_up)
		d->unreadable = bf_asprintf("the run's pinned pipeline cannot be read: %s", why->text);
	else
		give_up(w, d, BF_ACK_LATER, BODY_RETRY_MS);
}

static void on_definition(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct bf_run_def *d = data;
	struct bf_worker *w = d->worker;
	struct bf_error why;
	(void)c;
	d->asked = false;
	if (err) {
		if (err->code == BF_E_SQL) {
			bf_err("run %s: its definition cannot be read: %s", d->run, err->text);
			give_up(w, d, BF_ACK_LATER, BODY_RETRY_MS);
		}
		return; /* asked again when the connection is back */
	}
	if (bf_pg_rows(r) == 0) {
		bf_err("run %s is in the queue but not in the ledger: its jobs are dropped", d->run);
		give_up(w, d, BF_ACK_DROP, 0);
		return;
	}
	const char *body = bf_pg_text(r, 0, DEF_BODY);
	if (bf_pipeline_load_body(body, strlen(body), bf_pg_text(r, 0, DEF_DIR), &d->pipeline, &why) < 0) {
		note_unreadable(w, d, &why);
		return;
	}
	d->unreadable_since_ms = 0;
	read_params(d, r);
	if (set_soaks(d, &why) < 0)
		bf_err("run %s: %s; the default is used", d->run, why.text);
}

static void ask(struct bf_worker *w, struct bf_run_def *d)
{
	bf_pg_params_clear(&w->params);
	bf_pg_add_text(&w->params, d->run);
	d->worker = w;
	if (bf_pgc_exec(w->opener, &bf_sql_run_definition, &w->params, on_definition, d) == 0)
		d->asked = true;
}

/* A job whose run is known goes on to be opened, by way of a connection of its own where its kind needs one. */
static void define(struct bf_job *j)
{
	j->step = bf_pipeline_step(j->def->pipeline, j->step_name);
	if (!j->step) {
		bf_err("job %s: its run's pipeline has no step %s: dropped", j->name, j->step_name);
		bf_job_acknowledge(j, BF_ACK_DROP, 0);
		return;
	}
	bf_job_move(j, bf_step_kind(j->step->kind)->needs_connection ? BF_AT_CONNECT : BF_AT_OPEN, "defined");
}

/* The jobs that are here of a run that nobody can read. */
static void fail_unreadable(struct bf_worker *w, struct bf_run_def *d)
{
	struct bf_job *jobs[BF_BATCH_MAX];
	size_t n = 0;
	for (struct bf_job *j = w->at[BF_AT_DEFINE].first; j && n < BF_BATCH_MAX; j = j->next)
		if (j->def == d)
			jobs[n++] = j;
	bf_fail_unopened(w, jobs, n, "definition", d->unreadable);
}

static struct bf_run_def *unreadable_one(const struct bf_worker *w)
{
	for (struct bf_job *j = w->at[BF_AT_DEFINE].first; j; j = j->next)
		if (j->def->unreadable)
			return j->def;
	return NULL;
}

void bf_run_def_pump(struct bf_worker *w)
{
	struct bf_run_def *unreadable = unreadable_one(w);
	if (unreadable && bf_pgc_state(w->opener) == BF_PGC_READY)
		fail_unreadable(w, unreadable);
	for (struct bf_job *j = w->at[BF_AT_DEFINE].first, *next; j; j = next) {
		next = j->next;
		if (j->def->pipeline)
			define(j);
		else if (!j->def->unreadable && !j->def->asked && bf_pgc_state(w->opener) == BF_PGC_READY)
			ask(w, j->def);
	}
}
