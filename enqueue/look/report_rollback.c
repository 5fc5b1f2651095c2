/* The rollback script: what `enqueue rollback` would execute, for psql and for whoever wants to read it first. */
#include "base/mem.h"
#include "core/undo.h"
#include "look/report.h"

#define SCRIPT_MAX ((size_t)8 << 20)

static void write_head(const struct bf_report *r, int64_t jobs, FILE *out)
{
	fprintf(
		out,
		"-- Undoes what run %s of pipeline %s has done: %lld job%s, newest first, each in one transaction with the ledger's row.\n"
		"-- A job that was undone or done again, that another run has done since, or that another writer has changed stays, and the\n"
		"-- script goes on; an error of the undo itself ends it. Its last line counts both. The same as a command: enqueue rollback %s\n"
		"--\n"
		"--   psql -X \"$BF_DATABASE_URL\" -f this_file\n"
		"\\set ON_ERROR_STOP on\n\\set undone 0\n\\set stays 0\n",
		r->view.run, r->view.pipeline, (long long)jobs, jobs == 1 ? "" : "s", r->view.run);
}

/* As one word of psql's \echo. */
static void put_echo(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		fprintf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
	fputs("' ", out);
}

static int write_job(struct bf_report *r, const struct bf_undo *u, const struct bf_undo_job *j, int64_t number, FILE *out,
					 struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf script, chunk;
	bf_buf_init(&script, SCRIPT_MAX);
	bf_buf_init(&chunk, 4096);
	bf_term_one_line(&chunk, j->chunk);
	int rc = bf_undo_psql(r->look->pg, u, j, "rollback script", &script, err);
	if (rc < 0)
		return rc;
	fprintf(out, "\n-- %lld: %s %s, %s %s\n%s\\echo ", (long long)number, j->files->step, chunk.data,
			j->unknown ? "unknown: it did not succeed, and may have been carried out," : "done", j->finished_at, script.data);
	put_echo(out, j->files->step);
	put_echo(out, chunk.data);
	fputs("stays: :why\n\\endif\n", out);
	return 0;
}

struct walk {
	struct bf_report *r;
	const struct bf_report_ask *ask;
	const struct bf_undo *undo;
	FILE *out; /* NULL: only count */
	int64_t jobs;
};

/* Nothing says whether it was carried out: the script leaves it to whoever reads it. */
static void name_unknown(const struct walk *w, const struct bf_undo_job *j)
{
	BF_AUTOBUF struct bf_buf chunk;
	bf_buf_init(&chunk, 4096);
	bf_term_one_line(&chunk, j->chunk);
	if (w->out)
		fprintf(w->out, "\n-- unknown, and not undone here: %s %s did not succeed %s, and may have been carried out; look for yourself\n",
				j->files->step, chunk.data, j->finished_at);
}

static int walk_page(struct walk *w, const struct bf_pg_result *page, struct bf_error *err)
{
	for (int i = 0; i < bf_pg_rows(page); i++) {
		struct bf_undo_job j;
		bf_undo_job_read(w->undo, page, i, &j);
		if (!bf_report_about(w->ask, j.files->step) || j.taken)
			continue;
		if (j.unknown && !bf_undo_can_tell(&j)) {
			name_unknown(w, &j);
			continue;
		}
		w->jobs++;
		int rc = w->out ? write_job(w->r, w->undo, &j, w->jobs, w->out, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int walk(struct walk *w, struct bf_error *err)
{
	struct bf_pg_result *page = NULL, *before = NULL;
	struct bf_undo_job last;
	const struct bf_undo_pick all = {.step = NULL};
	int rc = 0;
	w->jobs = 0;
	do {
		rc = bf_undo_page(w->r->look->pg, w->undo, &all, before ? &last : NULL, &page, err);
		if (rc == 0)
			rc = walk_page(w, page, err);
		bf_pg_result_free(before);
		before = bf_steal(&page);
		if (rc == 0 && bf_pg_rows(before) > 0)
			bf_undo_job_read(w->undo, before, bf_pg_rows(before) - 1, &last);
	} while (rc == 0 && bf_pg_rows(before) == BF_UNDO_PAGE);
	bf_pg_result_free(before);
	return rc;
}

int bf_report_rollback(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err)
{
	struct bf_undo undo;
	int rc = bf_undo_load(r->look->pg, r->view.run, &undo, err);
	if (rc < 0)
		return rc;
	struct walk w = {.r = r, .ask = a, .undo = &undo};
	rc = walk(&w, err);
	if (rc == 0) {
		write_head(r, w.jobs, out);
		w.out = out;
		rc = walk(&w, err);
		if (rc == 0)
			fputs("\n\\echo :undone jobs undone, :stays stay as they are\n", out);
	}
	bf_undo_release(&undo);
	return rc;
}
