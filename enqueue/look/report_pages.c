/* The pages for people, in Markdown. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "look/report.h"
#include "look/report_page.h"

#define FAILURES_SHOWN 50
#define KEYS_SHOWN     1000

static void fact(FILE *out, const char *name, const char *text)
{
	bf_page_row(out);
	bf_page_cell(out, name);
	bf_page_cell(out, text);
	bf_page_row_end(out);
}

static void write_facts(const struct bf_view *v, FILE *out)
{
	BF_AUTOBUF struct bf_buf text;
	char at[BF_TIME_TEXT], took[BF_DURATION_TEXT];
	bf_buf_init(&text, 8192);
	BF_PAGE_HEADER(out, "", "");
	fact(out, "pipeline", v->pipeline);
	if (v->since[0]) {
		bf_look_range(&text, v->since, v->until);
		fact(out, "range", text.data);
	}
	if (strcmp(v->params, "{}") != 0)
		fact(out, "parameters", v->params);
	bf_buf_clear(&text);
	bf_buf_printf(&text, "%s UTC by %s%s%s", bf_page_time(v->created_ms, at), v->requested_by, *v->note ? ": " : "", v->note);
	fact(out, "asked for", text.data);
	bf_buf_clear(&text);
	if (v->finished_ms > 0)
		bf_buf_printf(&text, "%s UTC, after %s", bf_page_time(v->finished_ms, at), bf_duration_human(v->finished_ms - v->created_ms, took));
	fact(out, "ended", v->finished_ms > 0 ? text.data : "not yet");
}

static void write_criteria(const struct bf_report *r, FILE *out)
{
	fputs("\n## Success criteria\n\n", out);
	BF_PAGE_HEADER(out, "met", "criterion", "found");
	for (int i = 0; i < bf_pg_rows(r->criteria); i++) {
		bf_page_row(out);
		bf_page_own_cell(out, bf_pg_bool(r->criteria, i, BF_CRITERIA_MET) ? "yes" : "**no**");
		bf_page_cell(out, bf_pg_text(r->criteria, i, BF_CRITERIA_CRITERION));
		bf_page_cell(out, bf_pg_text(r->criteria, i, BF_CRITERIA_FOUND));
		bf_page_row_end(out);
	}
}

/* What became of jobs that this run has not done and another one has. */
static void write_taken(const struct bf_view *v, FILE *out)
{
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		if (s->jobs.taken > 0)
			fprintf(out, "\n%s: %lld of the jobs not run are taken by run %s, which has their days or keys by now.\n", s->step,
					(long long)s->jobs.taken, s->taken_by);
	}
}

static void write_steps(const struct bf_view *v, FILE *out)
{
	fputs("\n## Steps\n\n", out);
	BF_PAGE_HEADER(out, "step", "kind", "state", "planned", "done", "failed", "not run", "undone", "time");
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		char took[BF_DURATION_TEXT] = "";
		if (s->started_ms > 0 && s->finished_ms >= s->started_ms)
			bf_duration_human(s->finished_ms - s->started_ms, took);
		bf_page_row(out);
		bf_page_cell(out, s->step);
		bf_page_cell(out, s->kind);
		bf_page_cell(out, s->state);
		bf_page_number(out, s->jobs.planned);
		bf_page_number(out, s->jobs.done);
		bf_page_number(out, s->jobs.failed);
		bf_page_number(out, s->jobs.skipped + s->jobs.cancelled + s->jobs.pending);
		bf_page_number(out, s->jobs.undone);
		bf_page_cell(out, took);
		bf_page_row_end(out);
	}
	write_taken(v, out);
}

static void write_key(const struct bf_pg_result *r, int i, FILE *out)
{
	int64_t started = bf_pg_int(r, i, BF_RESULT_STARTED), finished = bf_pg_int(r, i, BF_RESULT_FINISHED);
	const char *said = bf_pg_null(r, i, BF_RESULT_ERROR) ? bf_pg_text(r, i, BF_RESULT_NOTE) : bf_pg_text(r, i, BF_RESULT_ERROR);
	char took[BF_DURATION_TEXT] = "";
	if (started > 0 && finished >= started)
		bf_duration_human(finished - started, took);
	bf_page_row(out);
	bf_page_cell(out, bf_pg_text(r, i, BF_RESULT_CHUNK));
	bf_page_cell(out, bf_pg_text(r, i, BF_RESULT_STEP));
	bf_page_cell(out, bf_pg_text(r, i, BF_RESULT_STATE));
	bf_page_cell(out, bf_pg_text(r, i, BF_RESULT_HTTP_STATUS));
	bf_page_number(out, bf_pg_int(r, i, BF_RESULT_TRIES));
	bf_page_cell(out, took);
	bf_page_cell(out, said);
	bf_page_row_end(out);
}

static int write_keys_of(struct bf_report *r, const char *step, int64_t *shown, FILE *out, struct bf_error *err)
{
	int64_t after = 0;
	for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE && *shown < KEYS_SHOWN;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		int rc = bf_report_jobs(r->look->pg, r->view.run, step, &after, BF_LOOK_PAGE, &page, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(page);
		for (int i = 0; i < rows && *shown < KEYS_SHOWN; i++) {
			if (!bf_pg_bool(page, i, BF_RESULT_KEYED))
				continue;
			if ((*shown)++ == 0) {
				fputs("\n## Each key\n\n", out);
				BF_PAGE_HEADER(out, "key", "step", "state", "HTTP", "tries", "time", "answer, error or note");
			}
			write_key(page, i, out);
		}
	}
	return 0;
}

/* What became of each key, in the order of the plan. */
static int write_keys(struct bf_report *r, FILE *out, struct bf_error *err)
{
	int64_t shown = 0;
	for (int i = 0; i < r->view.n_steps; i++) {
		int rc = write_keys_of(r, r->view.steps[i].step, &shown, out, err);
		if (rc < 0)
			return rc;
	}
	if (shown == KEYS_SHOWN)
		fprintf(out, "\nThe first %d; all of them: `bfstat jobs %s`\n", KEYS_SHOWN, r->view.run);
	return 0;
}

static int write_attempts(struct bf_report *r, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	int rc = bf_report_attempts(r->look->pg, r->view.run, &rows, err);
	if (rc < 0 || bf_pg_rows(rows) == 0)
		return rc;
	fputs("\n## Tries that did not succeed, by category\n\n", out);
	BF_PAGE_HEADER(out, "step", "category", "tries", "jobs", "for example");
	for (int i = 0; i < bf_pg_rows(rows); i++) {
		bf_page_row(out);
		bf_page_cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_STEP));
		bf_page_cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_CATEGORY));
		bf_page_number(out, bf_pg_int(rows, i, BF_ATTEMPTS_TRIES));
		bf_page_number(out, bf_pg_int(rows, i, BF_ATTEMPTS_JOBS));
		bf_page_cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_EXAMPLE));
		bf_page_row_end(out);
	}
	return 0;
}

static int write_failures(struct bf_report *r, FILE *out, struct bf_error *err)
{
	const struct bf_view *v = &r->view;
	int shown = 0;
	if (v->jobs.failed == 0)
		return 0;
	fprintf(out, "\n## What failed\n\n");
	BF_PAGE_HEADER(out, "job", "category", "error", "try it again");
	for (int i = 0; i < v->n_steps && shown < FAILURES_SHOWN; i++) {
		BF_AUTORESULT struct bf_pg_result *rows = NULL;
		int64_t after = 0;
		int rc = bf_stat_failures(r->look->pg, v->run, v->steps[i].step, &after, FAILURES_SHOWN - shown, &rows, err);
		if (rc < 0)
			return rc;
		for (int k = 0; k < bf_pg_rows(rows); k++, shown++) {
			BF_AUTOFREE char *job = bf_asprintf("%s %s", v->steps[i].step, bf_pg_text(rows, k, BF_FAILURES_CHUNK));
			bf_page_row(out);
			bf_page_cell(out, job);
			bf_page_cell(out, bf_pg_text(rows, k, BF_FAILURES_CATEGORY));
			bf_page_cell(out, bf_pg_text(rows, k, BF_FAILURES_ERROR));
			bf_page_command(out, bf_pg_text(rows, k, BF_FAILURES_RETRY));
			bf_page_row_end(out);
		}
	}
	if (v->jobs.failed > shown)
		fprintf(out, "\nand %lld more: `bfstat failures %s`\n", (long long)(v->jobs.failed - shown), v->run);
	return 0;
}

/* What people did with the run. */
int bf_report_decisions(struct bf_report *r, const char *title, bool approvals, FILE *out, struct bf_error *err)
{
	int64_t after = 0;
	bool any = false;
	for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		char at[BF_TIME_TEXT];
		int rc = bf_stat_events(r->look->pg, r->view.run, &after, BF_LOOK_PAGE, &page, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(page);
		for (int i = 0; i < rows; i++) {
			const char *what = bf_pg_text(page, i, BF_EVENTS_WHAT), *who = bf_pg_text(page, i, BF_EVENTS_WHO);
			bool decides = strcmp(what, "approve") == 0 || strcmp(what, "reject") == 0;
			if (strcmp(who, "ledger") == 0 || strcmp(what, "undo") == 0 || (approvals && !decides)) /* "rollback" says what was undone */
				continue;
			if (!any) {
				fprintf(out, "\n## %s\n\n", title);
				BF_PAGE_HEADER(out, "when (UTC)", "who", "what", "step", "note");
			}
			any = true;
			bf_page_row(out);
			bf_page_cell(out, bf_page_time(bf_pg_int(page, i, BF_EVENTS_AT), at));
			bf_page_cell(out, who);
			bf_page_cell(out, what);
			bf_page_cell(out, bf_pg_text(page, i, BF_EVENTS_STEP));
			bf_page_cell(out, bf_pg_text(page, i, BF_EVENTS_NOTE));
			bf_page_row_end(out);
		}
	}
	if (approvals && !any)
		fprintf(out, "\n## %s\n\nNobody has decided anything yet.\n", title);
	return 0;
}

int bf_report_summary(struct bf_report *r, FILE *out, struct bf_error *err)
{
	fprintf(out, "# %s: %s\n\n", r->view.run, r->view.state);
	write_facts(&r->view, out);
	write_criteria(r, out);
	write_steps(&r->view, out);
	int rc = r->view.since[0] ? 0 : write_keys(r, out, err);
	if (rc == 0)
		rc = write_failures(r, out, err);
	if (rc == 0)
		rc = write_attempts(r, out, err);
	return rc < 0 ? rc : bf_report_decisions(r, "Who did what", false, out, err);
}

int bf_report_sign_off(struct bf_report *r, FILE *out, struct bf_error *err)
{
	int unmet = 0;
	for (int i = 0; i < bf_pg_rows(r->criteria); i++)
		unmet += !bf_pg_bool(r->criteria, i, BF_CRITERIA_MET);
	fprintf(out, "# Sign-off: %s\n\n", r->view.run);
	write_facts(&r->view, out);
	if (unmet == 0)
		fputs("\n**All criteria are met.**\n", out);
	else
		fprintf(out, "\n**%d of %d criteria are not met.**\n", unmet, bf_pg_rows(r->criteria));
	write_criteria(r, out);
	return bf_report_decisions(r, "Signatures", true, out, err);
}
