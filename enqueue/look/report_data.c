/* The files for programs, in JSON. */
#include "base/mem.h"
#include "look/report.h"

static void number_or_null(struct bf_json *j, const char *key, const struct bf_pg_result *r, int row, int col)
{
	if (bf_pg_null(r, row, col))
		bf_json_null(j, key);
	else
		bf_json_int(j, key, bf_pg_int(r, row, col));
}

static void add_job(struct bf_json *j, const struct bf_pg_result *r, int i)
{
	int64_t started = bf_pg_int(r, i, BF_RESULT_STARTED), finished = bf_pg_int(r, i, BF_RESULT_FINISHED);
	bf_json_object(j, NULL);
	bf_json_text(j, "step", bf_pg_text(r, i, BF_RESULT_STEP));
	bf_json_text(j, "chunk", bf_pg_text(r, i, BF_RESULT_CHUNK));
	bf_json_text(j, "state", bf_pg_text(r, i, BF_RESULT_STATE));
	bf_json_int(j, "tries", bf_pg_int(r, i, BF_RESULT_TRIES));
	bf_json_int(j, "failed_tries", bf_pg_int(r, i, BF_RESULT_FAILED_TRIES));
	number_or_null(j, "http_status", r, i, BF_RESULT_HTTP_STATUS);
	bf_json_time(j, "started_at", started);
	bf_json_time(j, "finished_at", finished);
	if (started > 0 && finished >= started)
		bf_json_int(j, "duration_ms", finished - started);
	else
		bf_json_null(j, "duration_ms");
	number_or_null(j, "rows", r, i, BF_RESULT_ROWS);
	bf_json_text_or_null(j, "checkpoint", bf_pg_text(r, i, BF_RESULT_CHECKPOINT));
	bf_json_text_or_null(j, "note", bf_pg_text(r, i, BF_RESULT_NOTE));
	bf_json_text_or_null(j, "error_category", bf_pg_text(r, i, BF_RESULT_CATEGORY));
	bf_json_text_or_null(j, "error", bf_pg_text(r, i, BF_RESULT_ERROR));
	bf_json_close(j);
}

static int add_jobs(struct bf_report *r, struct bf_json *j, struct bf_error *err)
{
	for (int i = 0; i < r->view.n_steps; i++) {
		int64_t after = 0;
		for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE;) {
			BF_AUTORESULT struct bf_pg_result *page = NULL;
			int rc = bf_report_jobs(r->look->pg, r->view.run, r->view.steps[i].step, &after, BF_LOOK_PAGE, &page, err);
			if (rc < 0)
				return rc;
			rows = bf_pg_rows(page);
			for (int k = 0; k < rows; k++)
				add_job(j, page, k);
		}
	}
	return 0;
}

static void add_run(const struct bf_report *r, struct bf_json *j)
{
	const struct bf_view *v = &r->view;
	bf_json_text(j, "run", v->run);
	bf_json_text(j, "pipeline", v->pipeline);
	bf_json_text_or_null(j, "since", v->since);
	bf_json_text_or_null(j, "until", v->until);
	bf_json_raw(j, "params", v->params);
	bf_json_text(j, "state", v->state);
	bf_json_text(j, "requested_by", v->requested_by);
	bf_json_text_or_null(j, "note", v->note);
	bf_json_time(j, "created_at", v->created_ms);
	bf_json_time(j, "finished_at", v->finished_ms);
}

void bf_report_add_criteria(struct bf_json *j, const struct bf_report *r)
{
	bf_json_array(j, "criteria");
	for (int i = 0; i < bf_pg_rows(r->criteria); i++) {
		bf_json_object(j, NULL);
		bf_json_text(j, "criterion", bf_pg_text(r->criteria, i, BF_CRITERIA_CRITERION));
		bf_json_bool(j, "met", bf_pg_bool(r->criteria, i, BF_CRITERIA_MET));
		bf_json_text(j, "found", bf_pg_text(r->criteria, i, BF_CRITERIA_FOUND));
		bf_json_close(j);
	}
	bf_json_close(j);
}

int bf_report_results(struct bf_report *r, FILE *out, struct bf_error *err)
{
	struct bf_json j;
	bf_json_begin(&j, out);
	add_run(r, &j);
	bf_report_add_criteria(&j, r);
	bf_json_array(&j, "jobs");
	int rc = add_jobs(r, &j, err);
	bf_json_close(&j);
	bf_json_end(&j);
	return rc;
}

static void add_check(struct bf_json *j, const struct bf_pg_result *r, int i)
{
	const char *violations = bf_pg_text(r, i, BF_CHECKS_VIOLATIONS);
	bf_json_object(j, NULL);
	bf_json_time(j, "at", bf_pg_int(r, i, BF_CHECKS_AT));
	bf_json_text(j, "step", bf_pg_text(r, i, BF_CHECKS_STEP));
	bf_json_text_or_null(j, "check", bf_pg_text(r, i, BF_CHECKS_NAME));
	bf_json_bool(j, "gate", bf_pg_bool(r, i, BF_CHECKS_GATE));
	bf_json_text(j, "type", bf_pg_text(r, i, BF_CHECKS_TYPE));
	bf_json_raw(j, "figure", bf_pg_null(r, i, BF_CHECKS_ACTUAL) ? "null" : bf_pg_text(r, i, BF_CHECKS_ACTUAL));
	bf_json_text(j, "expected", bf_pg_text(r, i, BF_CHECKS_EXPECTED));
	bf_json_text(j, "outcome", bf_pg_text(r, i, BF_CHECKS_OUTCOME));
	bf_json_text_or_null(j, "found", bf_pg_text(r, i, BF_CHECKS_FOUND));
	bf_json_raw(j, "violations", *violations ? violations : "null");
	bf_json_close(j);
}

int bf_report_all_checks(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err)
{
	struct bf_json j;
	int64_t after = 0;
	int rc = 0;
	bf_json_begin(&j, out);
	bf_json_text(&j, "run", r->view.run);
	bf_json_array(&j, "checks");
	for (int rows = BF_LOOK_PAGE; rc == 0 && rows == BF_LOOK_PAGE;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		rc = bf_report_checks(r->look->pg, r->view.run, a->steps, &after, BF_LOOK_PAGE, &page, err);
		rows = rc < 0 ? 0 : bf_pg_rows(page);
		for (int i = 0; i < rows; i++)
			add_check(&j, page, i);
	}
	bf_json_close(&j);
	bf_json_end(&j);
	return rc;
}

/* ---- batches ---- */

/* batch_*.json -> batch_0001.json */
static char *batch_name(const char *name, int number)
{
	const char *star = strchr(name, '*');
	return bf_asprintf("%.*s%04d%s", (int)(star - name), name, number, star + 1);
}

static int write_batch(struct bf_report *r, const char *name, int number, const struct bf_pg_result *jobs, struct bf_error *err)
{
	BF_AUTOFREE char *file_name = batch_name(name, number);
	struct bf_report_file file;
	struct bf_json j;
	int rc = bf_report_open(r, file_name, &file, err);
	if (rc < 0)
		return rc;
	bf_json_begin(&j, file.out);
	bf_json_text(&j, "run", r->view.run);
	bf_json_int(&j, "batch", number);
	bf_json_array(&j, "jobs");
	for (int i = 0; i < bf_pg_rows(jobs); i++)
		add_job(&j, jobs, i);
	bf_json_close(&j);
	bf_json_end(&j);
	return bf_report_close(r, &file, 0, err);
}

int bf_report_batches(struct bf_report *r, const struct bf_report_ask *a, struct bf_error *err)
{
	int number = 0;
	for (int i = 0; i < r->view.n_steps; i++) {
		int64_t after = 0;
		if (!bf_report_about(a, r->view.steps[i].step))
			continue;
		for (int rows = a->size; rows == a->size;) {
			BF_AUTORESULT struct bf_pg_result *page = NULL;
			int rc = bf_report_jobs(r->look->pg, r->view.run, r->view.steps[i].step, &after, a->size, &page, err);
			rows = rc < 0 ? 0 : bf_pg_rows(page);
			if (rc == 0 && rows > 0)
				rc = write_batch(r, a->file, ++number, page, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* ---- what a check has found ---- */

/* The last answer of a check step, which has only one check. */
static int last_of(struct bf_report *r, const char *steps, struct bf_pg_result **last, struct bf_error *err)
{
	int rc = bf_report_last_checks(r->look->pg, r->view.run, steps, last, err);
	if (rc == 0 && bf_pg_rows(*last) == 0)
		bf_pg_result_free(bf_steal(last));
	return rc;
}

int bf_report_violations(struct bf_report *r, const struct bf_report_ask *a, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *last = NULL;
	struct bf_report_file file;
	struct bf_json j;
	int rc = last_of(r, a->steps, &last, err);
	if (rc < 0 || !last || bf_pg_null(last, 0, BF_CHECKS_VIOLATIONS))
		return rc;
	rc = bf_report_open(r, a->file, &file, err);
	if (rc < 0)
		return rc;
	bf_json_begin(&j, file.out);
	bf_json_text(&j, "pipeline", r->view.pipeline);
	bf_json_text(&j, "run", r->view.run);
	bf_json_text(&j, "check", a->step);
	bf_json_time(&j, "at", bf_pg_int(last, 0, BF_CHECKS_AT));
	bf_json_raw(&j, "figure", bf_pg_null(last, 0, BF_CHECKS_ACTUAL) ? "null" : bf_pg_text(last, 0, BF_CHECKS_ACTUAL));
	bf_json_text(&j, "found", bf_pg_text(last, 0, BF_CHECKS_FOUND));
	bf_json_raw(&j, a->array, bf_pg_text(last, 0, BF_CHECKS_VIOLATIONS));
	bf_json_end(&j);
	return bf_report_close(r, &file, 0, err);
}
