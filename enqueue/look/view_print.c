/* The page of one run: its state first, then its steps, what is running and where, the last error, and what to type next. */
#include <stdarg.h>

#include "base/duration.h"
#include "base/mem.h"
#include "look/outlook.h"
#include "look/view.h"
#include "render/rate.h"

#define RUNNING_SHOWN 8
#define RUNNING_BRIEF 4
#define ERROR_LINES   3
#define LABEL_WIDTH   13
#define SILENT_MS     4000 /* a worker that lives is heard of each second */
#define SEPARATOR     (t->utf8 ? " · " : " - ")

static void tone(FILE *out, const struct bf_term *t, enum bf_tone tone_of, const char *text)
{
	fprintf(out, "%s%s%s", bf_tone_on(t, tone_of), text, bf_tone_off(t, tone_of));
}

static const char *jobs_word(int64_t n)
{
	return n == 1 ? "job" : "jobs";
}

/* ---- the first lines ---- */

/* The first step names the runs: the others' are the same, but for unusual ones. */
static void add_taken(struct bf_buf *out, const struct bf_view *v)
{
	char n[28];
	int first = 0;
	while (first < v->n_steps - 1 && v->steps[first].jobs.taken == 0)
		first++;
	bf_buf_printf(out, ", %s taken by run %s", bf_text_group(v->jobs.taken, n), v->steps[first].taken_by ? v->steps[first].taken_by : "");
}

static void add_rest(struct bf_buf *out, const struct bf_view *v)
{
	char n[28];
	int64_t skipped = v->jobs.skipped - v->jobs.taken - v->jobs.split;
	if (v->jobs.failed > 0)
		bf_buf_printf(out, ", %s failed", bf_text_group(v->jobs.failed, n));
	if (v->jobs.undone > 0)
		bf_buf_printf(out, ", %s undone", bf_text_group(v->jobs.undone, n));
	if (v->jobs.cancelled > 0 && !bf_view_active(v->state))
		bf_buf_printf(out, ", %s cancelled", bf_text_group(v->jobs.cancelled, n));
	if (skipped > 0 && !bf_view_active(v->state))
		bf_buf_printf(out, ", %s skipped", bf_text_group(skipped, n));
	if (v->jobs.split > 0 && !bf_view_active(v->state))
		bf_buf_printf(out, ", %s done in parts", bf_text_group(v->jobs.split, n));
	if (v->jobs.taken > 0)
		add_taken(out, v);
}

static void print_head(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf line;
	char done[28], planned[28];
	bf_buf_init(&line, 1024);
	bf_percent_text(&line, v->jobs.done, v->jobs.planned);
	bf_buf_printf(&line, ": %s of %s %s done", bf_text_group(v->jobs.done, done), bf_text_group(v->jobs.planned, planned),
				  jobs_word(v->jobs.planned));
	add_rest(&line, v);
	tone(out, t, BF_STRONG, v->run);
	fputs("  ", out);
	tone(out, t, bf_tone_of_state(v->state), v->state);
	fprintf(out, "  %s\n", line.data);
}

static void print_bar(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf text;
	BF_AUTOBUF struct bf_buf painted;
	struct bf_bar bar = bf_view_bar(&v->jobs);
	bf_buf_init(&text, 4096);
	bf_buf_init(&painted, 8192);
	bf_bar_text(&text, t, &bar, t->width > 0 && t->width < 78 ? t->width : 78);
	bf_bar_paint(&painted, t, text.data);
	fprintf(out, "%s\n", painted.data);
}

/* Facts about the run, dim, as many a line as fit. */
static void print_facts(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf facts;
	BF_AUTOBUF struct bf_buf cut;
	char took[BF_DURATION_TEXT];
	bf_buf_init(&facts, 8192);
	bf_buf_init(&cut, 8192);
	bf_buf_addstr(&facts, v->pipeline);
	if (v->since[0]) {
		bf_buf_addstr(&facts, SEPARATOR);
		bf_look_range(&facts, v->since, v->until);
	}
	if (strcmp(v->queue, "default") != 0)
		bf_buf_printf(&facts, "%squeue %s", SEPARATOR, v->queue);
	if (v->created_ms > 0) {
		bf_buf_printf(&facts, "%sasked for ", SEPARATOR);
		bf_look_ago(&facts, v->now_ms, v->created_ms);
		bf_buf_addstr(&facts, " by ");
		bf_term_one_line(&facts, v->requested_by);
	}
	if (v->started_ms > 0 && v->finished_ms > v->started_ms)
		bf_buf_printf(&facts, "%stook %s", SEPARATOR, bf_duration_human(v->finished_ms - v->started_ms, took));
	if (*v->note) {
		bf_buf_addstr(&facts, SEPARATOR);
		bf_term_one_line(&facts, v->note);
	}
	bf_term_cut(&cut, t, facts.data, t->width);
	tone(out, t, BF_DIM, cut.data);
	fputc('\n', out);
}

/* What failed, and needs nobody any more. */
static void print_closed(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, 16384);
	if (*v->superseded_by) {
		tone(out, t, BF_CARE, "superseded:");
		fprintf(out, " run %s has done since what failed here\n", v->superseded_by);
	}
	if (v->closed_ms == 0)
		return;
	bf_look_ago(&line, v->now_ms, v->closed_ms);
	bf_buf_addstr(&line, " by ");
	bf_term_one_line(&line, v->closed_by);
	bf_buf_addstr(&line, ": ");
	bf_term_one_line(&line, v->closed_note);
	tone(out, t, BF_CARE, "closed:");
	fprintf(out, " %s\n", line.data);
}

/* Steps of which a limit has left the same are said once. */
static void print_limited(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	const struct bf_view_step *first = bf_view_limited(v);
	const char *what = v->since[0] ? "days" : "keys";
	char planned[28], asked[28];
	bool same = true;
	for (int i = 0; i < v->n_steps; i++)
		same = same && (v->steps[i].asked == 0 || (v->steps[i].asked == first->asked && v->steps[i].limited == first->limited));
	for (int i = 0; first && i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		if (s->asked == 0 || (same && s != first))
			continue;
		tone(out, t, BF_CARE, "limited:");
		fprintf(out, " %s%s%s of %s %s\n", same ? "" : s->step, same ? "" : ": ", bf_text_group(s->limited, planned),
				bf_text_group(s->asked, asked), what);
	}
	if (v->trial) {
		tone(out, t, BF_CARE, "a trial:");
		fputs(" what it does does not count as done\n", out);
	}
}

static void print_speed(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf line;
	BF_AUTOBUF struct bf_buf left;
	char text[BF_RATE_TEXT], slots[28], busy[28];
	bf_buf_init(&line, 1024);
	bf_buf_init(&left, 512);
	bf_buf_addstr(&line, "");
	if (v->per_second > 0)
		bf_buf_addstr(&line, bf_rate_text(v->per_second, text));
	bf_view_eta_text(&left, v);
	if (left.len > 0)
		bf_buf_printf(&line, "%s%s", line.len ? SEPARATOR : "", left.data);
	if (v->live_known) {
		bf_buf_printf(&line, "%s%d %s alive", line.len ? SEPARATOR : "", v->live.alive, v->live.alive == 1 ? "worker" : "workers");
		bf_buf_printf(&line, ", %s of %s slots busy", bf_text_group(v->live.busy, busy), bf_text_group(v->live.slots, slots));
	}
	if (line.len > 0)
		fprintf(out, "%s\n", line.data);
}

/* Nothing of it will move until somebody comes; or for a while, until what a silent worker holds is given to others. */
static void print_stalled(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, 1024);
	if (!bf_view_stalled(v))
		return;
	bf_buf_addstr(&line, "stalled: ");
	bf_unserved_text(&line, v->queue, bf_unserved_since(&v->live, v->queue, v->active_ms), v->now_ms);
	tone(out, t, BF_CARE, line.data);
	fputc('\n', out);
}

static int64_t held_by(const struct bf_view *v, const struct bf_live_worker *w)
{
	int64_t n = 0;
	for (size_t i = 0; i < v->n_running; i++)
		n += strcmp(v->running[i].worker, w->id) == 0;
	return n;
}

static void print_silent(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	for (size_t i = 0; v->live_known && i < v->live.n; i++) {
		const struct bf_live_worker *w = &v->live.workers[i];
		int64_t held = w->alive && w->silent_ms >= SILENT_MS ? held_by(v, w) : 0;
		char silent[BF_DURATION_TEXT], left[BF_DURATION_TEXT];
		if (held == 0)
			continue;
		tone(out, t, BF_CARE, "waits for a lease to end: ");
		fprintf(out, "worker %s has not been heard of for %s; its %lld %s go to others in %s\n", w->id,
				bf_duration_human(w->silent_ms, silent), (long long)held, jobs_word(held), bf_duration_human(w->lease_ms, left));
	}
}

/* ---- steps ---- */

/* The first of the steps that it needs and that is not over yet. */
static const char *waits_for(const struct bf_view *v, const struct bf_view_step *s)
{
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *other = &v->steps[i];
		size_t len = strlen(other->step);
		bool open = strcmp(other->state, "waiting") == 0 || strcmp(other->state, "released") == 0;
		for (const char *at = s->needs; open && *at; at += strspn(at, " ")) {
			size_t word = strcspn(at, " ");
			if (word == len && strncmp(at, other->step, len) == 0)
				return other->step;
			at += word;
		}
	}
	return NULL;
}

static void step_state(struct bf_table *table, const struct bf_view *v, const struct bf_view_step *s)
{
	bool released = strcmp(s->state, "released") == 0;
	const char *needs = strcmp(s->state, "waiting") == 0 ? waits_for(v, s) : NULL;
	if (needs)
		bf_table_cellf(table, BF_DIM, "after %s", needs);
	else if (s->asked_ms > 0)
		bf_table_cell(table, BF_CARE, "asked");
	else if (released && strcmp(v->state, "running") != 0)
		bf_table_cell(table, bf_tone_of_state(v->state), v->state);
	else if (released && s->jobs.running == 0 && s->jobs.recent == 0)
		bf_table_cell(table, BF_PLAIN, "ready");
	else
		bf_table_cell(table, bf_tone_of_state(s->state), released ? "running" : s->state);
}

static void step_row(struct bf_table *table, const struct bf_term *t, const struct bf_view *v, const struct bf_view_step *s, int bar_width)
{
	BF_AUTOBUF struct bf_buf text;
	struct bf_bar bar = bf_view_bar(&s->jobs);
	char done[28], planned[28], time[BF_DURATION_TEXT] = "";
	bf_buf_init(&text, 4096);
	bf_bar_text(&text, t, &bar, bar_width);
	if (s->started_ms > 0 && (s->finished_ms > 0 || strcmp(s->state, "released") == 0))
		bf_duration_human((s->finished_ms > 0 ? s->finished_ms : v->now_ms) - s->started_ms, time);
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, s->step);
	step_state(table, v, s);
	bf_table_cell(table, t->utf8 ? BF_PLAIN : bf_tone_of_state(s->state), text.data);
	bf_table_cellf(table, BF_PLAIN, "%s/%s", bf_text_group(s->jobs.done, done), bf_text_group(s->jobs.planned, planned));
	bf_table_number(table, BF_BAD, s->jobs.failed);
	bf_table_number(table, BF_BUSY, s->jobs.running);
	bf_table_number(table, BF_PLAIN, s->jobs.pending);
	bf_table_number(table, BF_PLAIN, s->jobs.skipped + s->jobs.cancelled);
	bf_table_number(table, BF_CARE, s->jobs.undone);
	bf_table_cell(table, BF_DIM, time);
}

static void print_steps(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	bool undone = v->jobs.undone > 0;
	const struct bf_column columns[] = {{.title = "STEP", .elastic = true},
										{.title = "STATE"},
										{.title = "PROGRESS", .rank = 1},
										{.title = "DONE", .right = true},
										{.title = "FAILED", .right = true},
										{.title = "RUNNING", .right = true},
										{.title = "PENDING", .right = true, .rank = 3},
										{.title = "NOT RUN", .right = true, .rank = 4},
										{.title = "UNDONE", .right = true, .rank = undone ? 0 : 5},
										{.title = "TIME", .right = true, .rank = 2}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(t, columns, BF_COUNT_OF(columns));
	int bar_width = t->width >= 140 ? 40 : t->width >= 110 ? 24 : 14;
	for (int i = 0; i < v->n_steps; i++)
		step_row(table, t, v, &v->steps[i], bar_width);
	fputc('\n', out);
	bf_table_print(table, out);
}

/* ---- running now ---- */

static void running_where(struct bf_table *table, const struct bf_view_running *r)
{
	if (r->lost)
		bf_table_cell(table, BF_BAD, "lost; another takes it over");
	else if (r->at && *r->at->host)
		bf_table_cellf(table, BF_PLAIN, "%s, process %lld", r->at->host, (long long)r->at->pid);
	else
		bf_table_cell(table, BF_PLAIN, r->worker);
}

static void running_row(struct bf_table *table, const struct bf_view *v, const struct bf_view_running *r)
{
	char time[BF_DURATION_TEXT], done[28], total[28];
	int64_t ms = v->now_ms - r->started_ms;
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, r->step);
	bf_table_cell(table, BF_PLAIN, r->chunk);
	bf_table_cell(table, BF_PLAIN, bf_duration_human(ms > 0 ? ms : 0, time));
	if (r->progress_total > 0)
		bf_table_cellf(table, BF_PLAIN, "%s/%s", bf_text_group(r->progress_done, done), bf_text_group(r->progress_total, total));
	else
		bf_table_cell(table, BF_PLAIN, "");
	running_where(table, r);
	bf_table_cell(table, BF_DIM, r->note);
}

static void print_running(FILE *out, const struct bf_term *t, const struct bf_view *v, bool brief)
{
	static const struct bf_column columns[] = {{.title = "RUNNING NOW"},
											   {.title = "CHUNK", .elastic = true},
											   {.title = "FOR", .right = true},
											   {.title = "PROGRESS", .right = true, .rank = 1},
											   {.title = "WHERE", .elastic = true},
											   {.title = "NOTE", .rank = 2, .elastic = true}};
	size_t shown = brief ? RUNNING_BRIEF : RUNNING_SHOWN;
	if (v->n_running == 0)
		return;
	if (shown > v->n_running)
		shown = v->n_running;
	BF_AUTOTABLE struct bf_table *table = bf_table_new(t, columns, BF_COUNT_OF(columns));
	for (size_t i = 0; i < shown; i++)
		running_row(table, v, &v->running[i]);
	fputc('\n', out);
	bf_table_print(table, out);
	if (shown < v->n_running)
		fprintf(out, "%sand %zu more: bfstat jobs %s --state=running%s\n", bf_tone_on(t, BF_DIM), v->n_running - shown, v->run,
				bf_tone_off(t, BF_DIM));
}

/* ---- what a person is asked ---- */

/* Below a label, never cut: it may hold a command, and the terminal wraps it so that it can be copied as one line. */
static void print_line(FILE *out, const char *text, size_t len)
{
	BF_AUTOFREE char *piece = bf_strndup(text, len);
	BF_AUTOFREE char *shown = bf_term_shown(piece);
	fprintf(out, "%*s%s\n", LABEL_WIDTH, "", shown);
}

static void print_lines(FILE *out, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		print_line(out, at, len);
		at += len + (at[len] == '\n');
	}
}

/* A run that its throttle holds back. */
static void print_held(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	char since[BF_DURATION_TEXT], every[BF_DURATION_TEXT];
	if (!*v->held)
		return;
	fputc('\n', out);
	tone(out, t, BF_CARE, "HELD BACK");
	fprintf(out, "%*sfor %s by its throttle, which is asked each %s:\n", LABEL_WIDTH - 9, "",
			bf_duration_human(v->now_ms - v->held_since_ms, since), bf_duration_format(v->throttle_ms, every));
	print_lines(out, v->held);
}

static void print_asked(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	bool first = true;
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		char time[BF_DURATION_TEXT];
		int64_t left = s->deadline_ms - v->now_ms;
		if (s->asked_ms == 0)
			continue;
		fprintf(out, "%s", first ? "\n" : "");
		first = false;
		tone(out, t, BF_CARE, "ASKED");
		fprintf(out, "%*s%s, for %s", LABEL_WIDTH - 5, "", s->step, bf_duration_human(v->now_ms - s->asked_ms, time));
		if (s->deadline_ms > 0)
			fprintf(out, "; %s in %s if nobody decides", s->approve_on_timeout ? "approved" : "rejected",
					bf_duration_human(left > 0 ? left : 0, time));
		fputc('\n', out);
		print_lines(out, s->review);
	}
}

/* ---- the last error ---- */

static bool any_over_hole(const struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++)
		if (v->steps[i].over_hole > 0)
			return true;
	return false;
}

/* What was done without something that it is made of. */
static void print_over_hole(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	if (!any_over_hole(v))
		return;
	fputc('\n', out);
	tone(out, t, BF_CARE, "OVER A HOLE");
	fprintf(out, "%*sdone although something before was not there\n", LABEL_WIDTH - 11, "");
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		char n[28];
		if (s->over_hole == 0)
			continue;
		BF_AUTOFREE char *first = bf_term_shown(s->hole_first), *last = bf_term_shown(s->hole_last);
		fprintf(out, "%*s%s: %s %s, %s", LABEL_WIDTH, "", s->step, bf_text_group(s->over_hole, n), jobs_word(s->over_hole), first);
		if (strcmp(first, last) != 0)
			fprintf(out, " to %s", last);
		fputc('\n', out);
	}
}

/* Jobs that are put off, and tried again and again, without a try being counted: nothing else on the page tells of them. */
static void print_put_off(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	const struct bf_view_put_off *p = &v->put_off;
	if (p->jobs == 0)
		return;
	BF_AUTOBUF struct bf_buf head;
	bf_buf_init(&head, 4096);
	bf_buf_printf(&head, "%s ", p->step);
	bf_term_one_line(&head, p->chunk);
	bf_buf_printf(&head, ", put off %lld time%s, first ", (long long)p->times, p->times == 1 ? "" : "s");
	bf_look_ago(&head, v->now_ms, p->since_ms);
	bf_buf_addstr(&head, "; it counts as no try");
	if (p->jobs > 1)
		bf_buf_printf(&head, "; %lld more job%s so", (long long)p->jobs - 1, p->jobs == 2 ? " waits" : "s wait");
	fputc('\n', out);
	tone(out, t, BF_CARE, "WAITS");
	fprintf(out, "%*s%s\n", LABEL_WIDTH - 5, "", head.data);
	print_line(out, p->why, strcspn(p->why, "\n"));
}

static void print_last_error(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	const struct bf_view_error *e = &v->last_error;
	BF_AUTOBUF struct bf_buf head;
	bf_buf_init(&head, 4096);
	if (!e->step || strcmp(e->job_state, "done") == 0 || (v->jobs.failed == 0 && !bf_view_active(v->state)))
		return;
	bf_buf_printf(&head, "%s ", e->step);
	bf_term_one_line(&head, e->chunk);
	bf_buf_printf(&head, " (%s), ", e->category);
	bf_look_ago(&head, v->now_ms, e->at_ms);
	if (strcmp(e->job_state, "failed") != 0)
		bf_buf_printf(&head, "; now %s", strcmp(e->job_state, "pending") == 0 ? "waiting for its next try" : e->job_state);
	fputc('\n', out);
	tone(out, t, strcmp(e->job_state, "failed") == 0 ? BF_BAD : BF_CARE, "LAST ERROR");
	fprintf(out, "%*s%s\n", LABEL_WIDTH - 10, "", head.data);
	const char *at = e->text;
	for (int line = 0; *at && line < ERROR_LINES; line++) {
		size_t len = strcspn(at, "\n");
		print_line(out, at, len);
		at += len + (at[len] == '\n');
	}
	if (*e->said)
		print_line(out, e->said, strlen(e->said));
}

/* ---- what to type next ---- */

#define HINTS_MAX 4

struct hints {
	char *command[HINTS_MAX];
	const char *why[HINTS_MAX];
	int n;
};

__attribute__((format(printf, 3, 4))) static void hint(struct hints *h, const char *why, const char *fmt, ...)
{
	va_list ap;
	if (h->n == HINTS_MAX)
		return;
	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	h->command[h->n] = bf_alloc((size_t)len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(h->command[h->n], (size_t)len + 1, fmt, ap);
	va_end(ap);
	h->why[h->n++] = why;
}

static void hint_decision(struct hints *h, const struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++) {
		if (v->steps[i].asked_ms == 0)
			continue;
		hint(h, "lets it go on; who and why are kept", "enqueue approve %s %s --note=…", v->run, v->steps[i].step);
		hint(h, "what needs it is not run", "enqueue reject %s %s --note=…", v->run, v->steps[i].step);
	}
}

/* One run that has what is taken, where there is only one. */
static void hint_taken(struct hints *h, const struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		if (s->jobs.taken == 0 || strchr(s->taken_by, ','))
			continue;
		hint(h, "has what is taken", "bfstat %s", s->taken_by);
		return;
	}
}

static void find_hints(struct hints *h, const struct bf_view *v)
{
	hint_decision(h, v);
	bool running = strcmp(v->state, "running") == 0 || strcmp(v->state, "queued") == 0;
	bool usual = strcmp(v->queue, "default") == 0;
	if (v->live_known && running && bf_view_left(&v->jobs) > 0 && bf_live_serving(&v->live, v->queue) == 0)
		hint(h, "no worker is alive for this queue: start one", "worker%s%s", usual ? "" : " --queues=", usual ? "" : v->queue);
	if (v->jobs.failed > 0)
		hint(h, "what failed, and why", "bfstat failures %s", v->run);
	bool over = v->closed_ms > 0 || *v->superseded_by;
	if (v->jobs.failed > 0 && !running && !over)
		hint(h, "once the cause is gone", "enqueue retry %s", v->run);
	if (strcmp(v->state, "failed") == 0 && !over)
		hint(h, "or nothing more comes of it", "enqueue close %s --note=TEXT", v->run);
	if (v->jobs.undone > 0 && !bf_view_active(v->state) && *v->again)
		hint(h, "takes again what was undone", "%s", v->again);
	if (v->cancelling)
		hint(h, "cancels the rest, where no worker does", "enqueue cancel %s", v->run);
	else if (strcmp(v->state, "stopped") == 0 || strcmp(v->state, "stopping") == 0)
		hint(h, "carries on where it stopped", "enqueue resume %s", v->run);
	if (v->jobs.cancelled > 0 && v->jobs.failed == 0 && !bf_view_active(v->state))
		hint(h, "runs after all what was cancelled", "enqueue retry %s", v->run);
	else if (v->jobs.failed == 0 && strcmp(v->state, "failed") == 0)
		hint(h, "runs what was skipped", "enqueue retry %s", v->run);
	hint_taken(h, v);
	if (!running && any_over_hole(v))
		hint(h, v->jobs.failed > 0 ? "and what was done without it" : "again what was done over a hole", "enqueue retry %s --downstream",
			 v->run);
	if (running && h->n < 2)
		hint(h, "the same, live", "bfstat watch %s", v->run);
	if (strcmp(v->state, "done") == 0 && v->since[0])
		hint(h, "all days of this pipeline", "bfstat coverage %s", v->pipeline);
}

static void print_next(FILE *out, const struct bf_term *t, const struct bf_view *v)
{
	struct hints h = {.n = 0};
	int width = 0;
	find_hints(&h, v);
	for (int i = 0; i < h.n; i++)
		width = bf_term_columns(h.command[i]) > width ? bf_term_columns(h.command[i]) : width;
	for (int i = 0; i < h.n; i++) {
		bool room = t->width == 0 || LABEL_WIDTH + width + 3 + (int)strlen(h.why[i]) <= t->width;
		fprintf(out, "%s%s%-*s%s", i ? "" : "\n", bf_tone_on(t, BF_DIM), LABEL_WIDTH, i ? "" : "NEXT", bf_tone_off(t, BF_DIM));
		if (room)
			fprintf(out, "%s%*s%s%s%s\n", h.command[i], width - bf_term_columns(h.command[i]) + 3, "", bf_tone_on(t, BF_DIM), h.why[i],
					bf_tone_off(t, BF_DIM));
		else
			fprintf(out, "%s\n", h.command[i]);
		free(h.command[i]);
	}
}

void bf_view_print(FILE *out, const struct bf_term *t, const struct bf_view *v, bool brief)
{
	print_head(out, t, v);
	print_bar(out, t, v);
	print_facts(out, t, v);
	print_closed(out, t, v);
	print_limited(out, t, v);
	print_speed(out, t, v);
	print_stalled(out, t, v);
	print_silent(out, t, v);
	print_steps(out, t, v);
	print_running(out, t, v, brief);
	print_held(out, t, v);
	print_asked(out, t, v);
	print_over_hole(out, t, v);
	print_put_off(out, t, v);
	print_last_error(out, t, v);
	if (!brief)
		print_next(out, t, v);
}
