/* The pages about checks and soaks: what they found, what it means, and what to do about it. */
#include "base/duration.h"
#include "base/mem.h"
#include "look/report_page.h"

/* ---- checks ---- */

/* The file that has the rows which a check has found; NULL: none has. */
static const char *rows_file(const struct bf_report *r, const char *step)
{
	for (int i = 0; i < bf_pg_rows(r->named); i++)
		if (strcmp(bf_pg_text(r->named, i, BF_ARTIFACTS_WHAT), "violations") == 0 &&
			strcmp(bf_pg_text(r->named, i, BF_ARTIFACTS_STEP), step) == 0)
			return bf_pg_text(r->named, i, BF_ARTIFACTS_FILE);
	return NULL;
}

static void recommend(const struct bf_report *r, const struct bf_pg_result *last, int i, FILE *out)
{
	const char *step = bf_pg_text(last, i, BF_CHECKS_STEP), *file = rows_file(r, step);
	bool failed = strcmp(bf_pg_text(last, i, BF_CHECKS_OUTCOME), "fail") == 0;
	fprintf(out, "- **%s** %s: ", step, failed ? "has failed; mend it before anything goes on" : "warns; look at it, and decide");
	bf_page_text(out, bf_pg_text(last, i, BF_CHECKS_FOUND));
	if (file && !bf_pg_null(last, i, BF_CHECKS_VIOLATIONS)) {
		fputs(". The rows that it found are in ", out);
		bf_page_code(out, file);
	}
	if (failed) {
		BF_AUTOFREE char *again = bf_asprintf("enqueue retry %s --step=%s", r->view.run, step);
		fputs(". Then ", out);
		bf_page_code(out, again);
	}
	fputs(".\n", out);
}

static void write_recommendations(const struct bf_report *r, const struct bf_pg_result *last, FILE *out)
{
	bool any = false;
	fputs("\n## Recommendations\n\n", out);
	for (int i = 0; i < bf_pg_rows(last); i++) {
		if (strcmp(bf_pg_text(last, i, BF_CHECKS_OUTCOME), "pass") == 0)
			continue;
		any = true;
		recommend(r, last, i, out);
	}
	if (!any)
		fputs("Nothing is to be done: each check has passed.\n", out);
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
	BF_PAGE_HEADER(out, "check", "outcome", "figure", "expected", "found", "when (UTC)");
	for (int i = 0; i < bf_pg_rows(last); i++) {
		const char *name = bf_pg_text(last, i, BF_CHECKS_NAME);
		BF_AUTOFREE char *check = bf_asprintf("%s%s%s", bf_pg_text(last, i, BF_CHECKS_STEP), *name ? "/" : "", name);
		char at[BF_TIME_TEXT];
		bf_page_row(out);
		bf_page_cell(out, check);
		bf_page_cell(out, bf_pg_text(last, i, BF_CHECKS_OUTCOME));
		bf_page_cell(out, bf_pg_text(last, i, BF_CHECKS_ACTUAL));
		bf_page_cell(out, bf_pg_text(last, i, BF_CHECKS_EXPECTED));
		bf_page_cell(out, bf_pg_text(last, i, BF_CHECKS_FOUND));
		bf_page_cell(out, bf_page_time(bf_pg_int(last, i, BF_CHECKS_AT), at));
		bf_page_row_end(out);
	}
	if (bf_pg_rows(last) == 0)
		fputs("\nNone of them has run.\n", out);
	else
		write_recommendations(r, last, out);
	return bf_report_decisions(r, "Decisions", true, out, err);
}

/* ---- a soak ---- */

static void write_last_failure(const struct bf_pg_result *rows, int i, FILE *out)
{
	fprintf(out, "\nThe last failure of %s: ", bf_pg_text(rows, i, BF_SOAK_NAME));
	bf_page_text(out, bf_pg_text(rows, i, BF_SOAK_LAST_FAILURE));
	fputc('\n', out);
}

static const char *verdict_word(const struct bf_pg_result *v)
{
	const char *state = bf_pg_text(v, 0, BF_VERDICT_STATE);
	if (strcmp(state, "done") == 0)
		return bf_pg_int(v, 0, BF_VERDICT_FAILED) + bf_pg_int(v, 0, BF_VERDICT_WARNED) > 0 ? "Held out, not without trouble" : "Passed";
	if (strcmp(state, "failed") == 0)
		return "Failed";
	return strcmp(state, "released") == 0 ? "Under way" : "Not decided";
}

static int write_verdict(struct bf_report *r, const char *step, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *v = NULL;
	char begin[BF_TIME_TEXT], end[BF_TIME_TEXT], took[BF_DURATION_TEXT];
	int rc = bf_report_verdict(r->look->pg, r->view.run, step, &v, err);
	if (rc < 0 || bf_pg_rows(v) == 0)
		return rc;
	int64_t from = bf_pg_int(v, 0, BF_VERDICT_BEGIN), to = bf_pg_int(v, 0, BF_VERDICT_END);
	fprintf(out, "\n**%s.** %lld samples: %lld with a check that failed, %lld with one that warned.", verdict_word(v),
			(long long)bf_pg_int(v, 0, BF_VERDICT_SAMPLES), (long long)bf_pg_int(v, 0, BF_VERDICT_FAILED),
			(long long)bf_pg_int(v, 0, BF_VERDICT_WARNED));
	fputs(*bf_pg_text(v, 0, BF_VERDICT_SAID) ? " " : "", out);
	bf_page_text(out, bf_pg_text(v, 0, BF_VERDICT_SAID));
	fprintf(out, "\n\n- begin: %s UTC\n- end: %s%s%s\n", bf_page_time(from, begin), to > 0 ? bf_page_time(to, end) : "not yet",
			to > 0 ? " UTC, after " : "", to > 0 ? bf_duration_human(to - from, took) : "");
	return 0;
}

static int write_samples(struct bf_report *r, const char *step, FILE *out, struct bf_error *err)
{
	int64_t after = 0, number = 0;
	fputs("\n## Each sample\n\n", out);
	BF_PAGE_HEADER(out, "sample", "when (UTC)", "outcome", "figures");
	for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		char at[BF_TIME_TEXT];
		int rc = bf_report_samples(r->look->pg, r->view.run, step, &after, BF_LOOK_PAGE, &page, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(page);
		for (int i = 0; i < rows; i++) {
			bf_page_row(out);
			bf_page_number(out, ++number);
			bf_page_cell(out, bf_page_time(bf_pg_int(page, i, BF_SAMPLES_AT), at));
			bf_page_cell(out, bf_pg_text(page, i, BF_SAMPLES_OUTCOME));
			bf_page_cell(out, bf_pg_text(page, i, BF_SAMPLES_FIGURES));
			bf_page_row_end(out);
		}
	}
	return 0;
}

int bf_report_soak_page(struct bf_report *r, const char *step, FILE *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	int rc = bf_report_soak(r->look->pg, r->view.run, step, &rows, err);
	fprintf(out, "# %s of %s\n", step, r->view.run);
	if (rc == 0)
		rc = write_verdict(r, step, out, err);
	if (rc < 0)
		return rc;
	fputs("\n## Each check over all samples\n\n", out);
	BF_PAGE_HEADER(out, "check", "type", "samples", "passed", "warned", "failed", "least", "most", "expected", "last word");
	for (int i = 0; i < bf_pg_rows(rows); i++) {
		bf_page_row(out);
		for (int col = BF_SOAK_NAME; col <= BF_SOAK_LAST_WORD; col++)
			bf_page_cell(out, bf_pg_text(rows, i, col));
		bf_page_row_end(out);
	}
	for (int i = 0; i < bf_pg_rows(rows); i++)
		if (*bf_pg_text(rows, i, BF_SOAK_LAST_FAILURE))
			write_last_failure(rows, i, out);
	return write_samples(r, step, out, err);
}
