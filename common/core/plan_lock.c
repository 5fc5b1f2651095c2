#include <unistd.h>

#include "base/clock.h"
#include "bf_sql.h"
#include "core/plan.h"

#define LOOK_AGAIN_MS 50

struct holder {
	int64_t pid, since_ms; /* 0: nobody stands still; monotonic, since when */
	char start[40];
};

static int ask_about(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *pipeline, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, pipeline);
	int rc = bf_pg_exec(pg, stmt, &p, out, err);
	bf_pg_params_release(&p);
	return rc;
}

static int try_lock(struct bf_pg *pg, const char *pipeline, bool *locked, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = bf_pg_begin(pg, err);
	if (rc == 0)
		rc = ask_about(pg, &bf_sql_plan_lock, pipeline, &r, err);
	*locked = rc == 0 && bf_pg_bool(r, 0, 0);
	if (!*locked)
		bf_pg_rollback(pg);
	return rc;
}

static int end_holder(struct bf_pg *pg, const struct holder *h, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, h->pid);
	bf_pg_add_text(&p, h->start);
	int rc = bf_pg_exec(pg, &bf_sql_end_backend, &p, &r, err);
	bf_pg_params_release(&p);
	return rc < 0 ? bf_error_prefix(err, "another process has been planning for this pipeline, and has stood still") : 0;
}

/* Between two statements a planner only counts; one that is found waiting for its program at every look has lost it. */
static int watch_holder(struct bf_pg *pg, const char *pipeline, int64_t patience_ms, struct holder *h, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int64_t now = bf_mono_ms();
	int rc = ask_about(pg, &bf_sql_plan_holder, pipeline, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_rows(r) == 0) {
		h->pid = 0;
		return 0;
	}
	if (h->pid != bf_pg_int(r, 0, 0) || strcmp(h->start, bf_pg_text(r, 0, 1)) != 0) {
		*h = (struct holder){.pid = bf_pg_int(r, 0, 0), .since_ms = now};
		snprintf(h->start, sizeof(h->start), "%s", bf_pg_text(r, 0, 1));
	}
	if (now - h->since_ms < patience_ms)
		return 0;
	h->since_ms = now;
	return end_holder(pg, h, err);
}

int bf_plan_begin(struct bf_pg *pg, const char *pipeline, int64_t patience_ms, struct bf_error *err)
{
	struct holder h = {.pid = 0};
	for (;;) {
		bool locked;
		int rc = try_lock(pg, pipeline, &locked, err);
		if (rc == 0 && !locked)
			rc = watch_holder(pg, pipeline, patience_ms, &h, err);
		if (rc < 0 || locked)
			return rc;
		usleep(LOOK_AGAIN_MS * 1000);
	}
}
