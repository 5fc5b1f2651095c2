/* `bfstat failures RUN`: what failed for good, why, and the command that tries it again. The same error many times over is shown once. */
#include "base/mem.h"
#include "base/text.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/stat.h"
#include "look/look.h"
#include "shared/find.h"

#define INDENT 4

struct options {
	bool json;
	const char *step;
};

struct report {
	struct bf_look *look;
	const struct options *options;
	const char *run;
	struct bf_json *json; /* NULL: text */
	int64_t shown;
	/* the error that is being repeated */
	char *step, *category, *error;
	char *last_chunk;
	int64_t repeated;
};

static void print_lines(const struct bf_term *t, const char *text, const char *lead, int most)
{
	const char *at = text;
	int lines = 0;
	for (const char *c = text; *c; c++)
		lines += *c == '\n' && c[1];
	for (; lines >= most; lines--)
		at = strchr(at, '\n') + 1; /* the end of it says most */
	while (*at) {
		size_t len = strcspn(at, "\n");
		BF_AUTOFREE char *piece = bf_strndup(at, len);
		BF_AUTOFREE char *clean = bf_term_shown(piece);
		printf("%*s%s%s%s%s\n", INDENT, "", bf_tone_on(t, BF_DIM), lead, bf_tone_off(t, BF_DIM), clean);
		at += len + (at[len] == '\n');
	}
}

/* ---- text ---- */

static void end_group(struct report *p)
{
	const struct bf_term *t = &p->look->term;
	char n[28];
	BF_AUTOFREE char *last = bf_term_shown(p->last_chunk ? p->last_chunk : "");
	if (p->repeated > 0)
		printf("%*s%sand %s more of step %s with this error, up to %s:%s\n%*senqueue retry %s --step=%s\n", INDENT, "",
			   bf_tone_on(t, BF_DIM), bf_text_group(p->repeated, n), p->step, last, bf_tone_off(t, BF_DIM), INDENT, "", p->run, p->step);
	p->repeated = 0;
}

static bool same_error(const struct report *p, const struct bf_pg_result *r, int i)
{
	return p->step && strcmp(p->step, bf_pg_text(r, i, BF_FAILURES_STEP)) == 0 &&
		   strcmp(p->category, bf_pg_text(r, i, BF_FAILURES_CATEGORY)) == 0 && strcmp(p->error, bf_pg_text(r, i, BF_FAILURES_ERROR)) == 0;
}

static void keep(char **to, const char *text)
{
	free(*to);
	*to = bf_strdup(text);
}

static void print_head(const struct bf_term *t, const struct bf_pg_result *r, int i)
{
	BF_AUTOFREE char *chunk = bf_term_shown(bf_pg_text(r, i, BF_FAILURES_CHUNK));
	BF_AUTOFREE char *worker = bf_term_shown(bf_pg_text(r, i, BF_FAILURES_WORKER));
	int64_t tries = bf_pg_int(r, i, BF_FAILURES_ATTEMPTS);
	printf("%s%s %s%s  %s%s", bf_tone_on(t, BF_STRONG), bf_pg_text(r, i, BF_FAILURES_STEP), chunk, bf_tone_off(t, BF_STRONG),
		   bf_tone_on(t, BF_BAD), bf_pg_text(r, i, BF_FAILURES_CATEGORY));
	printf("%s%s, %lld %s", bf_tone_off(t, BF_BAD), bf_tone_on(t, BF_DIM), (long long)tries, tries == 1 ? "try" : "tries");
	if (*worker)
		printf(", worker %s", worker);
	printf("%s\n", bf_tone_off(t, BF_DIM));
}

static void print_failure(struct report *p, const struct bf_pg_result *r, int i)
{
	const struct bf_term *t = &p->look->term;
	if (same_error(p, r, i)) {
		p->repeated++;
		keep(&p->last_chunk, bf_pg_text(r, i, BF_FAILURES_CHUNK));
		return;
	}
	end_group(p);
	keep(&p->step, bf_pg_text(r, i, BF_FAILURES_STEP));
	keep(&p->category, bf_pg_text(r, i, BF_FAILURES_CATEGORY));
	keep(&p->error, bf_pg_text(r, i, BF_FAILURES_ERROR));
	if (p->shown > 0)
		putchar('\n');
	print_head(t, r, i);
	print_lines(t, p->error, "", 20);
	print_lines(t, bf_pg_text(r, i, BF_FAILURES_TAIL), t->utf8 ? "│ " : "| ", 20);
	BF_AUTOFREE char *again = bf_term_shown(bf_pg_text(r, i, BF_FAILURES_RETRY));
	printf("%*s%s\n", INDENT, "", again); /* the whole command, however long: it is pasted */
}

/* ---- JSON ---- */

static void add_json(struct bf_json *j, const struct bf_pg_result *r, int i)
{
	bf_json_object(j, NULL);
	bf_json_text(j, "step", bf_pg_text(r, i, BF_FAILURES_STEP));
	bf_json_int(j, "seq", bf_pg_int(r, i, BF_FAILURES_SEQ));
	bf_json_text(j, "chunk", bf_pg_text(r, i, BF_FAILURES_CHUNK));
	bf_json_int(j, "failed_tries", bf_pg_int(r, i, BF_FAILURES_ATTEMPTS));
	bf_json_text_or_null(j, "category", bf_pg_text(r, i, BF_FAILURES_CATEGORY));
	bf_json_text_or_null(j, "error", bf_pg_text(r, i, BF_FAILURES_ERROR));
	bf_json_text_or_null(j, "output_tail", bf_pg_text(r, i, BF_FAILURES_TAIL));
	bf_json_text_or_null(j, "worker", bf_pg_text(r, i, BF_FAILURES_WORKER));
	bf_json_time(j, "finished_at", bf_pg_int(r, i, BF_FAILURES_FINISHED));
	bf_json_text(j, "retry_with", bf_pg_text(r, i, BF_FAILURES_RETRY));
	bf_json_close(j);
}

/* ---- the command ---- */

static int each_of_step(struct report *p, const char *step, struct bf_error *err)
{
	int64_t after = 0;
	for (int rows = BF_LOOK_PAGE; rows == BF_LOOK_PAGE && !ferror(stdout);) {
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		int rc = bf_stat_failures(p->look->pg, p->run, step, &after, BF_LOOK_PAGE, &r, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(r);
		for (int i = 0; i < rows; i++, p->shown++) {
			if (p->json)
				add_json(p->json, r, i);
			else
				print_failure(p, r, i);
		}
	}
	return 0;
}

static int each_failure(struct report *p, struct bf_error *err)
{
	struct bf_step_row steps[BF_STEPS_MAX];
	int n = 0;
	int rc = bf_ledger_run_steps(p->look->pg, p->run, steps, BF_STEPS_MAX, &n, err);
	for (int i = 0; rc == 0 && i < n; i++)
		if (!p->options->step || strcmp(p->options->step, steps[i].step) == 0)
			rc = each_of_step(p, steps[i].step, err);
	return rc;
}

static int show_text(struct report *p, struct bf_error *err)
{
	char n[28];
	int rc = each_failure(p, err);
	if (rc < 0)
		return rc;
	end_group(p);
	if (p->shown == 0)
		printf("No job of %s has failed for good.\n", p->run);
	else if (p->shown > 1)
		printf("\n%s jobs failed. All of them again:  enqueue retry %s%s%s\n", bf_text_group(p->shown, n), p->run,
			   p->options->step ? " --step=" : "", p->options->step ? p->options->step : "");
	return 0;
}

static int show_json(struct report *p, struct bf_error *err)
{
	struct bf_json j;
	p->json = &j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "run", p->run);
	bf_json_array(&j, "failures");
	int rc = each_failure(p, err);
	bf_json_close(&j);
	bf_json_int(&j, "failed", p->shown);
	bf_look_json_end(p->look, &j);
	return rc;
}

static int run_failures(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	struct report p = {.look = &look, .options = &o, .run = args[0]};
	int rc = bf_look_find_run_and_say(&look, &p.run, &err);
	if (rc == 0)
		rc = bf_find_job(look.pg, p.run, o.step, NULL, &err);
	if (rc == 0)
		rc = o.json ? show_json(&p, &err) : show_text(&p, &err);
	free(p.step);
	free(p.category);
	free(p.error);
	free(p.last_chunk);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "step", .type = BF_OPT_TEXT, .offset = offsetof(struct options, step), .value = "STEP", .help = "only those of this step"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat failures daily-sales", "what failed in the latest run"},
	{"bfstat failures daily-sales.k3v9qa --json | jq -r '.failures[].retry'", "the commands that try each of them again"},
	{NULL, NULL},
};

static const struct bf_command command_failures = {.name = "failures",
												   .synopsis = "bfstat failures RUN [OPTION…]",
												   .summary = "what failed for good, why, and the command that tries it again",
												   .examples = examples,
												   .options = options,
												   .min_args = 1,
												   .max_args = 1};

const struct bf_entry bf_look_failures = {&command_failures, run_failures};
