/*
 * Asks the throttles that are due, each in a transaction of its own that is rolled back, and notes in the ledger
 * what came of it. The query is the pipeline's: an error of it holds its run, and no other.
 */
#include "core/throttle.h"

#include "base/mem.h"
#include "bf_sql.h"
#include "core/pipeline_query.h"

#define SQL_MAX    ((size_t)4 << 20)
#define REASON_MAX 500
#define LIMIT      "SET LOCAL statement_timeout = '5s';\n"

enum { DUE_RUN, DUE_SQL, DUE_FILE };

static bool holds(const char *value)
{
	static const char *const nots[] = {"", "f", "false", "0", "no", "off"};
	for (size_t i = 0; i < BF_COUNT_OF(nots); i++)
		if (strcmp(value, nots[i]) == 0)
			return false;
	return value[0] != '-';
}

/* Appends why the run is held; nothing: it is not. */
static void judge(const struct bf_pg_result *r, const char *file, struct bf_buf *why)
{
	if (!r || bf_pg_rows(r) == 0 || bf_pg_null(r, 0, 0) || !holds(bf_pg_text(r, 0, 0)))
		return;
	if (bf_pg_cols(r) > 1 && *bf_pg_text(r, 0, 1))
		bf_buf_printf(why, "%.*s", REASON_MAX, bf_pg_text(r, 0, 1));
	else
		bf_buf_printf(why, "%s yields %.*s", file, REASON_MAX, bf_pg_text(r, 0, 0));
}

/* The connection is broken: the caller's trouble. Everything else the query says is about the run. */
static int ask(struct bf_pg *pg, const char *run, const char *sql, const char *file, struct bf_buf *why, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	BF_AUTOBUF struct bf_buf script;
	bf_buf_init(&script, SQL_MAX);
	bf_buf_addstr(&script, "SET TRANSACTION READ ONLY;\n" LIMIT);
	int rc = bf_run_query(pg, run, sql, &script, err);
	if (rc == 0)
		rc = bf_pg_step_begin(pg, err);
	if (rc == 0) {
		rc = bf_pg_script(pg, script.data, &r, err);
		bf_pg_step_rollback(pg);
	}
	if (rc < 0 && !bf_pg_alive(pg))
		return rc;
	if (rc < 0)
		bf_buf_printf(why, "%s cannot be asked: %.*s", file, REASON_MAX, err->text);
	else
		judge(r, file, why);
	return 0;
}

static int note(struct bf_pg *pg, const char *run, const char *why, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, why);
	int rc = bf_pg_exec(pg, &bf_sql_throttle_note, &p, &r, err);
	bf_pg_params_release(&p);
	return rc;
}

static int look_at(struct bf_pg *pg, const struct bf_pg_result *due, int row, struct bf_error *err)
{
	const char *run = bf_pg_text(due, row, DUE_RUN);
	BF_AUTOBUF struct bf_buf why;
	BF_AUTOBUF struct bf_buf clean;
	bf_buf_init(&why, (size_t)4 * REASON_MAX);
	bf_buf_init(&clean, (size_t)16 * REASON_MAX);
	int rc = ask(pg, run, bf_pg_text(due, row, DUE_SQL), bf_pg_text(due, row, DUE_FILE), &why, err);
	if (rc < 0)
		return rc;
	bf_utf8_clean(&clean, why.data, why.len);
	return note(pg, run, clean.len > 0 ? clean.data : NULL, err);
}

int bf_throttle_look(struct bf_pg *pg, const char *const *queues, int n, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *due = NULL;
	bf_pg_params_init(&p);
	bf_pg_array_begin(&p);
	for (int i = 0; i < n; i++)
		bf_pg_array_text(&p, queues[i]);
	bf_pg_array_end(&p);
	int rc = bf_pg_exec(pg, &bf_sql_throttles_due, &p, &due, err);
	bf_pg_params_release(&p);
	for (int i = 0; rc == 0 && i < bf_pg_rows(due); i++)
		rc = look_at(pg, due, i, err);
	return rc;
}
