#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/pg_loop_internal.h"

#define SCRIPT_ROWS 100

void bf_pgc_request_clear(struct bf_pgc *c)
{
	struct bf_pgc_request *r = &c->request;
	PQclear(r->kept);
	free(r->sql);
	bf_buf_release(&r->detail);
	r->kept = NULL;
	r->sql = NULL;
	r->cb = NULL;
	r->script_cb = NULL;
	r->preparing = NULL;
	r->skip = 0;
	r->affected = 0;
	r->answered = r->keep_rows = 0;
	r->kept_at = -1;
	r->widest = 0;
	r->part = BF_PGC_AROUND;
	r->raised = false;
	r->err.code = 0;
	r->settled = r->transaction = r->read_only = r->plain = r->committed = r->stained = false;
}

/* Sends text in the simple protocol; what was in the request before has been dealt with. */
static void send_text(struct bf_pgc *c, enum bf_pgc_phase phase, const char *sql)
{
	c->phase = phase;
	if (PQsendQuery(c->conn, sql))
		bf_pgc_flush(c);
	else
		bf_pgc_break_soon(c);
}

void bf_pgc_setup(struct bf_pgc *c)
{
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, SIZE_MAX);
	c->session++;
	c->ours.begun = c->ours.complete = false;
	bf_pg_session_begin(&c->ours, PQserverVersion(c->conn), &text);
	send_text(c, PHASE_SETUP, text.data);
}

static void forget_prepared(struct bf_pgc *c)
{
	bf_pg_prepared_clear(&c->prepared);
	c->session++;
}

static void put_back(struct bf_pgc *c)
{
	forget_prepared(c);
	c->was_cancelled = false;
	bf_pgc_limit(c);
	BF_AUTOFREE char *text = bf_asprintf(BF_PG_RESET "; %s" BF_PG_DISCARD, c->ours.again);
	send_text(c, PHASE_RESET, text);
}

static void become_ready(struct bf_pgc *c)
{
	c->phase = PHASE_READY;
	c->tries = 0;
	c->told.code = 0;
	uv_timer_stop(&c->timer);
	if (c->opt.on_ready)
		c->opt.on_ready(c, c->opt.data);
}

/* ---- how a request ends ---- */

/* The callback may start the next request, which uses c->request: so this one is taken out first. */
static void call_back(struct bf_pgc *c)
{
	struct bf_pgc_request r = c->request;
	c->request.kept = NULL;
	c->request.sql = NULL;
	bf_buf_init(&c->request.detail, r.detail.max);
	bf_pgc_request_clear(c);

	const struct bf_error *err = r.err.code ? &r.err : NULL;
	const struct bf_pg_result *kept = err ? NULL : bf_pg_wrap(r.kept);
	if (r.cb) {
		r.cb(c, kept, err, r.data);
	} else if (r.script_cb) {
		const struct bf_pgc_script outcome = {.last_rows = kept,
											  .affected = r.affected,
											  .behind_failed = r.stained,
											  .part = r.part,
											  .raised = r.raised,
											  .err = err,
											  .detail = r.detail.data};
		r.script_cb(c, &outcome, r.data);
	}
	PQclear(r.kept);
	free(r.sql);
	bf_buf_release(&r.detail);
}

void bf_pgc_fail_request(struct bf_pgc *c, const char *reason)
{
	struct bf_pgc_request *r = &c->request;
	if (!r->settled)
		bf_fail(&r->err, BF_E_UNKNOWN_OUTCOME, "%s; whether what had been sent took effect is not known", reason);
	call_back(c);
}

/* A cancel request that is still on its way would hit whatever runs next. */
static void go_on(struct bf_pgc *c)
{
	if (c->phase == PHASE_READY && c->opt.on_ready)
		c->opt.on_ready(c, c->opt.data);
	else if (c->phase == PHASE_PAUSE && !c->cancel)
		put_back(c);
}

/* A server, or a session that began while it was so, that refuses to write: the next connection may lead to one that does not. */
static bool is_read_only(const struct bf_pgc *c)
{
	return strcmp(c->request.err.sqlstate, "25006") == 0 && c->request.err.code == BF_E_SQL && !c->request.raised;
}

static void end_exec(struct bf_pgc *c)
{
	bool leaves = is_read_only(c);
	uv_timer_stop(&c->timer);
	if (c->pipeline && !PQexitPipelineMode(c->conn))
		c->broken = true;
	c->pipeline = false;
	if (c->request.err.code && c->request.detail.len)
		bf_error_add_lines(&c->request.err, c->request.detail.data);
	c->phase = c->broken || leaves ? PHASE_BROKEN : c->was_cancelled ? PHASE_PAUSE : PHASE_READY;
	call_back(c);
	if (leaves && !c->broken && c->phase == PHASE_BROKEN)
		bf_pgc_break_soon(c);
	go_on(c);
}

/* libpq never gives back the memory that it took for a row. */
static bool holds_too_much(struct bf_pgc *c)
{
	if (c->request.widest <= BF_PGC_ROW_MAX)
		return false;
	(void)snprintf(c->last_words, sizeof(c->last_words), "given up after a row of %zu MB, for the memory that it took",
				   c->request.widest >> 20);
	return true;
}

static void end_script(struct bf_pgc *c)
{
	const struct bf_pgc_request *r = &c->request;
	uv_timer_stop(&c->timer);
	bool leaves = holds_too_much(c) || (is_read_only(c) && !c->request.read_only);
	bool is_back = r->committed && !r->stained && !r->err.code && !c->was_cancelled && !c->cancel;
	if (is_back && !r->plain)
		forget_prepared(c);
	c->phase = c->broken || leaves ? PHASE_BROKEN : is_back ? PHASE_READY : PHASE_PAUSE;
	call_back(c);
	if (leaves && !c->broken && c->phase == PHASE_BROKEN)
		bf_pgc_break_soon(c);
	go_on(c);
}

/* A script that failed, or forgot its COMMIT, has left a transaction behind: its locks go before anyone is told. */
static void end_transaction(struct bf_pgc *c)
{
	struct bf_pgc_request *r = &c->request;
	bool open = PQtransactionStatus(c->conn) != PQTRANS_IDLE;
	if (open && r->err.code == 0)
		bf_fail(&r->err, BF_E_SQL, "the SQL left its transaction open; it was rolled back");
	if (!open || c->broken) {
		end_script(c);
		return;
	}
	r->settled = true;
	bf_pgc_limit(c);
	send_text(c, PHASE_ROLLBACK, "ROLLBACK");
}

static void end_own(struct bf_pgc *c)
{
	if (c->phase == PHASE_SETUP && c->request.err.code == 0 && !c->broken)
		(void)bf_pg_session_check(&c->ours, c->where, &c->request.err);
	if (c->request.err.code == 0 && !c->broken) {
		bf_pgc_request_clear(c);
		become_ready(c);
		return;
	}
	struct bf_error why = c->request.err;
	bf_pgc_request_clear(c);
	if (why.code == 0)
		return; /* broken: the caller deals with it */
	bf_error_prefix(&why, "PostgreSQL (%s) refuses what a session begins with", c->where);
	bf_pgc_lost(c, &why);
}

static void request_ended(struct bf_pgc *c)
{
	switch (c->phase) {
	case PHASE_EXEC:
		end_exec(c);
		return;
	case PHASE_SCRIPT:
		end_transaction(c);
		return;
	case PHASE_ROLLBACK:
		end_script(c);
		return;
	case PHASE_SETUP:
	case PHASE_RESET:
		end_own(c);
		return;
	case PHASE_WAIT:
	case PHASE_CONNECT:
	case PHASE_READY:
	case PHASE_PAUSE:
	case PHASE_BROKEN:
	case PHASE_CLOSE:
		return;
	}
}

/* ---- results ---- */

static void take_error(struct bf_pgc *c, const PGresult *res)
{
	struct bf_pgc_request *r = &c->request;
	bf_pg_note_last_words(res, c->last_words);
	if (r->committed) {
		r->stained = true;
		return;
	}
	if (c->phase == PHASE_ROLLBACK || r->err.code)
		return;
	r->part = bf_pgc_part_of(r);
	r->raised = bf_pgc_is_raised(res);
	bf_pg_fail_result(res, &r->err);
	bf_pg_detail(res, r->sql ? r->sql + r->before : NULL, r->before, &r->detail);
}

static void take_success(struct bf_pgc *c, PGresult *res)
{
	struct bf_pgc_request *r = &c->request;
	if (r->skip > 0) {
		r->skip--;
	} else if (r->preparing) {
		bf_pg_prepared_add(&c->prepared, r->preparing);
		r->preparing = NULL;
	} else if (c->phase == PHASE_SETUP) {
		bf_pg_session_take(&c->ours, res);
	} else if (c->phase == PHASE_SCRIPT) {
		bf_pgc_take_end(r, res);
		return;
	} else if (c->phase == PHASE_EXEC) {
		r->affected += bf_pg_affected(bf_pg_wrap(res));
		PQclear(r->kept);
		r->kept = res;
		return;
	}
	PQclear(res);
}

static void take_result(struct bf_pgc *c, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	if (bf_pg_succeeded(res)) {
		take_success(c, res);
		return;
	}
	if (status == PGRES_SINGLE_TUPLE) {
		bf_pgc_take_row(&c->request, res);
	} else if (status == PGRES_COPY_IN) {
		(void)PQputCopyEnd(c->conn, "COPY FROM STDIN is not possible here");
		bf_pgc_flush(c);
	} else if (status == PGRES_COPY_OUT) {
		c->copy_out = true;
	} else if (status != PGRES_PIPELINE_ABORTED && status != PGRES_PIPELINE_SYNC) {
		take_error(c, res);
	}
	PQclear(res);
}

/* Rows that nobody asked to see. False: more will come. */
static bool drop_copied_rows(struct bf_pgc *c)
{
	char *row;
	int n;
	while ((n = PQgetCopyData(c->conn, &row, 1)) > 0)
		PQfreemem(row);
	c->copy_out = n == 0;
	return n != 0;
}

static bool waiting_for_results(const struct bf_pgc *c)
{
	return c->phase == PHASE_EXEC || c->phase == PHASE_SCRIPT || c->phase == PHASE_ROLLBACK || c->phase == PHASE_SETUP ||
		   c->phase == PHASE_RESET;
}

/* After a connection broke, libpq puts an error of its own where the rest of the answer would have been. */
static bool is_made_by_libpq(const PGresult *res)
{
	return PQresultStatus(res) == PGRES_FATAL_ERROR && res && !PQresultErrorField(res, PG_DIAG_SQLSTATE);
}

/* A callback in here may close the connection or start the next request: the loop looks at the phase anew each time. */
void bf_pgc_results(struct bf_pgc *c)
{
	while (waiting_for_results(c) && !PQisBusy(c->conn)) {
		if (c->copy_out && !drop_copied_rows(c))
			break;
		PGresult *res = PQgetResult(c->conn);
		bool ended = c->pipeline ? PQresultStatus(res) == PGRES_PIPELINE_SYNC : res == NULL;
		if (c->broken && is_made_by_libpq(res)) {
			PQclear(res);
			break;
		}
		if (res)
			take_result(c, res);
		else if (c->pipeline && c->broken)
			break;
		if (ended)
			request_ended(c);
	}
	if (c->broken && c->conn)
		bf_pgc_broke(c);
}

/* ---- requests ---- */

/* A server that ended the connection while it was idle is noticed here, before anything is sent. */
static int check_ready(struct bf_pgc *c)
{
	if (c->phase != PHASE_READY)
		return -BF_E_UNAVAILABLE;
	if (bf_pg_still_open(c->conn, c->last_words))
		return 0;
	bf_pgc_break_soon(c);
	return -BF_E_UNAVAILABLE;
}

/* A session for jobs sees the search_path of the database; for a statement of ours it is ours until the pipeline ends. */
static bool send_path(struct bf_pgc *c)
{
	static const char path[] = "SELECT pg_catalog.set_config('search_path', '" BF_PG_OUR_PATH "', true)";
	if (c->opt.purpose != BF_PG_JOB)
		return true;
	c->request.skip = 1;
	return PQsendQueryParams(c->conn, path, 0, NULL, NULL, NULL, NULL, 0);
}

/* The first use prepares in the same round trip. */
static bool send_prepared(struct bf_pgc *c, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params)
{
	const char *values[BF_PG_PARAMS_MAX];
	int n = params ? params->count : 0;
	bf_pg_param_values(params, values);
	bool is_prepared = bf_pg_prepared_has(&c->prepared, stmt->name);
	if (is_prepared && c->opt.purpose != BF_PG_JOB)
		return PQsendQueryPrepared(c->conn, stmt->name, n, values, NULL, NULL, 0);
	c->pipeline = true;
	c->request.preparing = is_prepared ? NULL : stmt->name;
	return PQenterPipelineMode(c->conn) && send_path(c) && (is_prepared || PQsendPrepare(c->conn, stmt->name, stmt->sql, 0, NULL)) &&
		   PQsendQueryPrepared(c->conn, stmt->name, n, values, NULL, NULL, 0) && PQpipelineSync(c->conn);
}

int bf_pgc_exec(struct bf_pgc *c, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, bf_pgc_cb cb, void *data)
{
	if (params && params->text.overflow)
		return -BF_E_LIMIT;
	int rc = check_ready(c);
	if (rc)
		return rc;
	if (!send_prepared(c, stmt, params)) {
		bf_pgc_break_soon(c);
		return -BF_E_UNAVAILABLE;
	}
	c->request.cb = cb;
	c->request.data = data;
	c->phase = PHASE_EXEC;
	bf_pgc_limit(c);
	bf_pgc_flush(c);
	return 0;
}

static int send_script(struct bf_pgc *c, char *text /* taken over */, bf_pgc_script_cb cb, void *data)
{
	if (!PQsendQuery(c->conn, text) || !PQsetSingleRowMode(c->conn)) {
		free(text);
		bf_pgc_break_soon(c);
		return -BF_E_UNAVAILABLE;
	}
	c->request.script_cb = cb;
	c->request.data = data;
	c->request.sql = text;
	c->phase = PHASE_SCRIPT;
	bf_pgc_flush(c);
	return 0;
}

int bf_pgc_script_run(struct bf_pgc *c, const char *sql, bf_pgc_script_cb cb, void *data)
{
	int rc = check_ready(c);
	if (rc)
		return rc;
	c->request.before = 0;
	c->request.place = bf_pgc_script_places();
	c->request.keep_rows = SCRIPT_ROWS;
	return send_script(c, bf_strdup(sql), cb, data);
}

unsigned bf_pgc_session(const struct bf_pgc *c)
{
	return c->session;
}

int bf_pgc_transaction_run(struct bf_pgc *c, const struct bf_pgc_transaction *t, bf_pgc_script_cb cb, void *data)
{
	int rc = check_ready(c);
	return rc ? rc : send_script(c, bf_pgc_transaction_text(c, t), cb, data);
}

/* ---- cancelling ---- */

/* PQcancel blocks, so it runs in the thread pool, on a copy of what it needs: the connection may be closed meanwhile. */
struct bf_pgc_cancel {
	uv_work_t work;
	PGcancel *handle;
	struct bf_pgc *owner; /* NULL: that connection is gone */
};

static void cancel_in_thread(uv_work_t *work)
{
	struct bf_pgc_cancel *cancel = work->data;
	char ignored[256];
	(void)PQcancel(cancel->handle, ignored, sizeof(ignored));
}

static void cancel_sent(uv_work_t *work, int status)
{
	struct bf_pgc_cancel *cancel = work->data;
	struct bf_pgc *c = cancel->owner;
	(void)status;
	PQfreeCancel(cancel->handle);
	free(cancel);
	if (!c)
		return;
	c->cancel = NULL;
	go_on(c);
}

void bf_pgc_forget_cancel(struct bf_pgc *c)
{
	if (c->cancel)
		c->cancel->owner = NULL;
	c->cancel = NULL;
}

void bf_pgc_cancel(struct bf_pgc *c)
{
	if (c->cancel || (c->phase != PHASE_EXEC && c->phase != PHASE_SCRIPT))
		return;
	PGcancel *handle = PQgetCancel(c->conn);
	if (!handle)
		return;
	c->cancel = bf_alloc(sizeof(*c->cancel));
	c->cancel->handle = handle;
	c->cancel->owner = c;
	c->cancel->work.data = c->cancel;
	if (!c->was_cancelled) /* asked again and again, it has as long as asked once */
		bf_pgc_limit(c);
	c->was_cancelled = true;
	if (uv_queue_work(c->loop, &c->cancel->work, cancel_in_thread, cancel_sent)) {
		PQfreeCancel(handle);
		free(c->cancel);
		c->cancel = NULL;
	}
}
