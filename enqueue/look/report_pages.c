/* The pages for people, in Markdown. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "look/report.h"

#define FAILURES_SHOWN 50

/* A cell of a table: on one line, without what would end it. */
static void cell(FILE *out, const char *text)
{
	fputc(' ', out);
	for (; *text; text++) {
		if (*text == '|')
			fputs("\\|", out);
		else if (*text == '\n')
			fputs("<br>", out);
		else if (*text != '\r')
			fputc(*text, out);
	}
	fputs(" |", out);
}

static void number_cell(FILE *out, int64_t n)
{
	char text[28];
	cell(out, bf_text_group(n, text));
}

static void header(FILE *out, const char *const *titles, size_t n)
{
	fputc('|', out);
	for (size_t i = 0; i < n; i++)
		cell(out, titles[i]);
	fputs("\n|", out);
	for (size_t i = 0; i < n; i++)
		fputs("---|", out);
	fputc('\n', out);
}
#define HEADER(out, ...)                                    \
	do {                                                    \
		static const char *const titles_[] = {__VA_ARGS__}; \
		header(out, titles_, BF_COUNT_OF(titles_));         \
	} while (0)

static void begin_row(FILE *out)
{
	fputc('|', out);
}

static void end_row(FILE *out)
{
	fputc('\n', out);
}

static void fact(FILE *out, const char *name, const char *text)
{
	begin_row(out);
	cell(out, name);
	cell(out, text);
	end_row(out);
}

static const char *time_text(int64_t ms, char out[static BF_TIME_TEXT])
{
	if (ms == 0)
		return "";
	bf_time_format(ms, out);
	out[10] = ' ';
	out[19] = '\0';
	return out;
}

static void write_facts(const struct bf_view *v, FILE *out)
{
	BF_AUTOBUF struct bf_buf text;
	char at[BF_TIME_TEXT], took[BF_DURATION_TEXT];
	bf_buf_init(&text, 8192);
	HEADER(out, "", "");
	fact(out, "pipeline", v->pipeline);
	if (v->since[0]) {
		bf_look_range(&text, v->since, v->until);
		fact(out, "range", text.data);
	}
	if (strcmp(v->params, "{}") != 0)
		fact(out, "parameters", v->params);
	bf_buf_clear(&text);
	bf_buf_printf(&text, "%s UTC by %s%s%s", time_text(v->created_ms, at), v->requested_by, *v->note ? ": " : "", v->note);
	fact(out, "asked for", text.data);
	bf_buf_clear(&text);
	if (v->finished_ms > 0)
		bf_buf_printf(&text, "%s UTC, after %s", time_text(v->finished_ms, at), bf_duration_human(v->finished_ms - v->created_ms, took));
	fact(out, "ended", v->finished_ms > 0 ? text.data : "not yet");
}

static void write_criteria(const struct bf_report *r, FILE *out)
{
	fputs("\n## Success criteria\n\n", out);
	HEADER(out, "met", "criterion", "found");
	for (int i = 0; i < bf_pg_rows(r->criteria); i++) {
		begin_row(out);
		cell(out, bf_pg_bool(r->criteria, i, BF_CRITERIA_MET) ? "yes" : "**no**");
		cell(out, bf_pg_text(r->criteria, i, BF_CRITERIA_CRITERION));
		cell(out, bf_pg_text(r->criteria, i, BF_CRITERIA_FOUND));
		end_row(out);
	}
}

static void write_steps(const struct bf_view *v, FILE *out)
{
	fputs("\n## Steps\n\n", out);
	HEADER(out, "step", "kind", "state", "planned", "done", "failed", "not run", "undone", "time");
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		char took[BF_DURATION_TEXT] = "";
		if (s->started_ms > 0 && s->finished_ms >= s->started_ms)
			bf_duration_human(s->finished_ms - s->started_ms, took);
		begin_row(out);
		cell(out, s->step);
		cell(out, s->kind);
		cell(out, s->state);
		number_cell(out, s->jobs.planned);
		number_cell(out, s->jobs.done);
		number_cell(out, s->jobs.failed);
		number_cell(out, s->jobs.skipped + s->jobs.cancelled + s->jobs.pending);
		number_cell(out, s->jobs.undone);
		cell(out, took);
		end_row(out);
	}
}

static int write_attempts(struct bf_report *r, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	int rc = bf_report_attempts(r->look->pg, r->view.run, &rows, err);
	if (rc < 0 || bf_pg_rows(rows) == 0)
		return rc;
	fputs("\n## Tries that did not succeed, by category\n\n", out);
	HEADER(out, "step", "category", "tries", "jobs", "for example");
	for (int i = 0; i < bf_pg_rows(rows); i++) {
		begin_row(out);
		cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_STEP));
		cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_CATEGORY));
		number_cell(out, bf_pg_int(rows, i, BF_ATTEMPTS_TRIES));
		number_cell(out, bf_pg_int(rows, i, BF_ATTEMPTS_JOBS));
		cell(out, bf_pg_text(rows, i, BF_ATTEMPTS_EXAMPLE));
		end_row(out);
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
	HEADER(out, "job", "category", "error", "try it again");
	for (int i = 0; i < v->n_steps && shown < FAILURES_SHOWN; i++) {
		BF_AUTORESULT struct bf_pg_result *rows = NULL;
		int64_t after = 0;
		int rc = bf_stat_failures(r->look->pg, v->run, v->steps[i].step, &after, FAILURES_SHOWN - shown, &rows, err);
		if (rc < 0)
			return rc;
		for (int k = 0; k < bf_pg_rows(rows); k++, shown++) {
			BF_AUTOFREE char *job = bf_asprintf("%s %s", v->steps[i].step, bf_pg_text(rows, k, BF_FAILURES_CHUNK));
			BF_AUTOFREE char *again = bf_asprintf("`%s`", bf_pg_text(rows, k, BF_FAILURES_RETRY));
			begin_row(out);
			cell(out, job);
			cell(out, bf_pg_text(rows, k, BF_FAILURES_CATEGORY));
			cell(out, bf_pg_text(rows, k, BF_FAILURES_ERROR));
			cell(out, again);
			end_row(out);
		}
	}
	if (v->jobs.failed > shown)
		fprintf(out, "\nand %lld more: `bfstat failures %s`\n", (long long)(v->jobs.failed - shown), v->run);
	return 0;
}

/* What people did with the run. */
static int write_decisions(struct bf_report *r, const char *title, bool approvals, FILE *out, struct bf_error *err)
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
				HEADER(out, "when (UTC)", "who", "what", "step", "note");
			}
			any = true;
			begin_row(out);
			cell(out, time_text(bf_pg_int(page, i, BF_EVENTS_AT), at));
			cell(out, who);
			cell(out, what);
			cell(out, bf_pg_text(page, i, BF_EVENTS_STEP));
			cell(out, bf_pg_text(page, i, BF_EVENTS_NOTE));
			end_row(out);
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
	int rc = write_failures(r, out, err);
	if (rc == 0)
		rc = write_attempts(r, out, err);
	return rc < 0 ? rc : write_decisions(r, "Who did what", false, out, err);
}

int bf_report_check_page(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *last = NULL;
	int wrong[3] = {0};
	int rc = bf_report_last_checks(r->look->pg, r->view.run, a->steps, &last, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < bf_pg_rows(last); i++) {
		const char *outcome = bf_pg_text(last, i, BF_CHECKS_OUTCOME);
		wrong[strcmp(outcome, "fail") == 0 ? 2 : strcmp(outcome, "warn") == 0 ? 1 : 0]++;
	}
	fprintf(out, "# Checks of %s\n\n**%d passed, %d warned, %d failed.**\n\n", r->view.run, wrong[0], wrong[1], wrong[2]);
	HEADER(out, "check", "outcome", "figure", "expected", "found", "when (UTC)");
	for (int i = 0; i < bf_pg_rows(last); i++) {
		const char *name = bf_pg_text(last, i, BF_CHECKS_NAME);
		BF_AUTOFREE char *check = bf_asprintf("%s%s%s", bf_pg_text(last, i, BF_CHECKS_STEP), *name ? "/" : "", name);
		char at[BF_TIME_TEXT];
		begin_row(out);
		cell(out, check);
		cell(out, bf_pg_text(last, i, BF_CHECKS_OUTCOME));
		cell(out, bf_pg_text(last, i, BF_CHECKS_ACTUAL));
		cell(out, bf_pg_text(last, i, BF_CHECKS_EXPECTED));
		cell(out, bf_pg_text(last, i, BF_CHECKS_FOUND));
		cell(out, time_text(bf_pg_int(last, i, BF_CHECKS_AT), at));
		end_row(out);
	}
	if (bf_pg_rows(last) == 0)
		fputs("\nNone of them has run.\n", out);
	return write_decisions(r, "Decisions", true, out, err);
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
	return write_decisions(r, "Signatures", true, out, err);
}

int bf_report_soak_page(struct bf_report *r, const char *step, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	int rc = bf_report_soak(r->look->pg, r->view.run, step, &rows, err);
	if (rc < 0)
		return rc;
	fprintf(out, "# %s of %s\n", step, r->view.run);
	for (int i = 0; i < r->view.n_steps; i++)
		if (strcmp(r->view.steps[i].step, step) == 0)
			fprintf(out, "\nThe step is %s.\n", r->view.steps[i].state);
	fputs("\n## Each check over all samples\n\n", out);
	HEADER(out, "check", "type", "samples", "passed", "warned", "failed", "least", "most", "expected", "last word");
	for (int i = 0; i < bf_pg_rows(rows); i++) {
		begin_row(out);
		for (int col = BF_SOAK_NAME; col <= BF_SOAK_LAST_WORD; col++)
			cell(out, bf_pg_text(rows, i, col));
		end_row(out);
	}
	for (int i = 0; i < bf_pg_rows(rows); i++)
		if (*bf_pg_text(rows, i, BF_SOAK_LAST_FAILURE))
			fprintf(out, "\nThe last failure of %s: %s\n", bf_pg_text(rows, i, BF_SOAK_NAME), bf_pg_text(rows, i, BF_SOAK_LAST_FAILURE));
	return 0;
}
