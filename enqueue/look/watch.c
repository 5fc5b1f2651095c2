/*
 * `bfstat watch`: the same page again and again. On a terminal it is drawn in place, on the alternate screen, so that the screen
 * is as it was when it ends, with the last page left behind; elsewhere it is a line a second. The ledger is asked less often when
 * counting takes long: never for more than a tenth of the time.
 */
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/ledger.h"
#include "look/outlook.h"
#include "look/view.h"
#include "render/keyboard.h"
#include "render/rate.h"

#define TICK_MS  1000
#define RUNS_MAX 20
#define SHARE    10

/* The alternate screen without a cursor, and back. */
#define SCREEN_ON  "\x1b[?1049h\x1b[?25l"
#define SCREEN_OFF "\x1b[?25h\x1b[?1049l"

static volatile sig_atomic_t stop_asked, resized, suspend_asked;

static void on_signal(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else if (number == SIGTSTP)
		suspend_asked = 1;
	else
		stop_asked = 1;
}

struct options {
	bool json;
};

struct watch {
	struct bf_look look;
	const char *run; /* NULL: all that are under way */
	bool json, drawing;
	struct bf_keyboard keyboard;
	struct bf_rate rate;
	char trouble[BF_ERROR_TEXT_MAX]; /* what cannot be read; "" when all can */
	struct bf_error lost;            /* of this look: why a server was given up in its middle; code 0: none was */
};

static void catch_signals(void)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < BF_COUNT_OF(caught); i++)
		sigaction(caught[i], &action, NULL);
}

/* Ctrl-Z has to give the screen back first; where nothing is drawn, it is what it always is. */
static void catch_suspend(bool on)
{
	struct sigaction action = {.sa_handler = on ? on_signal : SIG_DFL};
	sigemptyset(&action.sa_mask);
	sigaction(SIGTSTP, &action, NULL);
}

/* ---- drawing ---- */

/* Rows of the screen that a line takes, which the terminal wraps. */
static int rows_of(const struct bf_term *t, const char *line)
{
	int columns = bf_term_columns(line);
	return columns > t->width && t->width > 0 ? (columns + t->width - 1) / t->width : 1;
}

/* As many whole lines as the screen has room for, each cleared behind. */
static void draw(const struct bf_term *t, const char *page, const char *hint)
{
	BF_AUTOBUF struct bf_buf out;
	int row = 0;
	bf_buf_init(&out, 1u << 20);
	bf_buf_addstr(&out, "\x1b[H");
	while (*page) {
		size_t len = strcspn(page, "\n");
		BF_AUTOFREE char *line = bf_strndup(page, len);
		if (row + rows_of(t, line) > t->height)
			break;
		bf_buf_addstr(&out, row ? "\r\n" : "");
		bf_buf_addstr(&out, line);
		bf_buf_addstr(&out, "\x1b[K");
		row += rows_of(t, line);
		page += len + (page[len] == '\n');
	}
	bf_buf_addstr(&out, "\x1b[J");
	if (row + 1 < t->height)
		bf_buf_printf(&out, "\x1b[%d;1H%s%s%s", t->height, bf_tone_on(t, BF_DIM), hint, bf_tone_off(t, BF_DIM));
	fwrite(out.data, 1, out.len, stdout);
	fflush(stdout);
}

static void screen_begin(struct watch *w)
{
	w->drawing = w->look.term.tty && !w->json;
	if (!w->drawing)
		return;
	fputs(SCREEN_ON, stdout);
	catch_suspend(true);
	bf_keyboard_open(&w->keyboard, STDIN_FILENO, SCREEN_OFF);
}

static void screen_end(struct watch *w, const char *last_page)
{
	if (!w->drawing)
		return;
	bf_keyboard_close(&w->keyboard);
	catch_suspend(false);
	printf(SCREEN_OFF "%s", last_page);
	fflush(stdout);
	w->drawing = false;
}

/* Ctrl-Z: the screen and the terminal as they were, until the shell lets this process go on. */
static void suspend(struct watch *w)
{
	suspend_asked = 0;
	screen_end(w, "");
	(void)raise(SIGTSTP);
	screen_begin(w);
	resized = 1;
}

static const char *hint(const struct watch *w)
{
	return !w->keyboard.open ? "" : w->run ? "q: leave; the run goes on" : "q: leave; the runs go on";
}

static void page_trouble(const struct watch *w, FILE *out)
{
	const struct bf_term *t = &w->look.term;
	if (w->trouble[0])
		fprintf(out, "\n%s%s%s\n", bf_tone_on(t, BF_CARE), w->trouble, bf_tone_off(t, BF_CARE));
}

/* ---- one run ---- */

static void print_line(FILE *out, const struct bf_view *v)
{
	BF_AUTOBUF struct bf_buf line;
	char now[BF_TIME_TEXT], done[28], planned[28], rate[BF_RATE_TEXT];
	bf_buf_init(&line, 4096);
	bf_buf_printf(&line, "%s %s %s ", bf_time_format(v->now_ms, now), v->run, v->state);
	bf_percent_text(&line, v->jobs.done, v->jobs.planned);
	bf_buf_printf(&line, ", %s/%s done", bf_text_group(v->jobs.done, done), bf_text_group(v->jobs.planned, planned));
	if (v->jobs.failed > 0)
		bf_buf_printf(&line, ", %s failed", bf_text_group(v->jobs.failed, done));
	bf_buf_printf(&line, ", %lld running", (long long)v->jobs.running);
	if (v->per_second > 0)
		bf_buf_printf(&line, ", %s", bf_rate_text(v->per_second, rate));
	if (bf_view_eta(v) >= 1000) {
		bf_buf_addstr(&line, ", ");
		bf_view_eta_text(&line, v);
	}
	if (bf_view_stalled(v)) {
		bf_buf_addstr(&line, ", stalled: ");
		bf_unserved_text(&line, v->queue, bf_unserved_since(&v->live, v->queue, v->active_ms), v->now_ms);
	}
	if (*v->held)
		bf_buf_addstr(&line, ", held back");
	if (v->live_known)
		bf_buf_printf(&line, ", %d %s, %lld/%lld slots", v->live.alive, v->live.alive == 1 ? "worker" : "workers", (long long)v->live.busy,
					  (long long)v->live.slots);
	fprintf(out, "%s\n", line.data);
	fflush(out);
}

static void print_json(const struct watch *w, FILE *out, const struct bf_view *v)
{
	struct bf_json j;
	bf_json_begin_line(&j, out);
	bf_view_json(&j, v);
	bf_look_json_end(&w->look, &j);
	fflush(out);
}

/* The state of a run after which nothing moves by itself. */
static bool is_over(const char *state)
{
	return !bf_view_active(state) || strcmp(state, "stopped") == 0 || strcmp(state, "waiting") == 0;
}

/* From the other server where one is lost in the middle. */
static int load_view(struct watch *w, const char *run, struct bf_view *v, struct bf_error *err)
{
	int rc = bf_view_load(&w->look, run, v, err);
	if (rc == 0 || !bf_look_lost(&w->look, err))
		return rc;
	w->lost = *err;
	return bf_view_load(&w->look, run, v, err);
}

/* One look: shows it, and keeps the page. 1: the run is over, with *exit_code. */
static int look_at_run(struct watch *w, char **page, int *exit_code, struct bf_error *err)
{
	struct bf_view v;
	int rc = load_view(w, w->run, &v, err);
	if (rc < 0)
		return rc;
	bf_rate_add(&w->rate, bf_mono_ms(), bf_view_settled(&v.jobs));
	if (w->rate.n > 1)
		v.per_second = bf_rate_per_second(&w->rate);
	bool over = is_over(v.state);
	if (w->drawing) {
		size_t size;
		free(*page);
		FILE *out = open_memstream(page, &size);
		bf_view_print(out, &w->look.term, &v, !over);
		page_trouble(w, out);
		fclose(out);
		draw(&w->look.term, *page, hint(w));
	} else if (w->json) {
		print_json(w, stdout, &v);
	} else {
		print_line(stdout, &v);
	}
	*exit_code = bf_view_exit_code(v.state);
	bf_view_release(&v);
	return over;
}

/* ---- all runs ---- */

static int look_at_each(struct watch *w, const struct bf_pg_result *runs, FILE *out, struct bf_error *err)
{
	for (int i = 0; i < bf_pg_rows(runs); i++) {
		struct bf_view v;
		int rc = load_view(w, bf_pg_text(runs, i, 0), &v, err);
		if (rc < 0)
			return rc;
		if (w->drawing) {
			fputs(i ? "\n" : "", out);
			bf_view_print(out, &w->look.term, &v, true);
		} else if (w->json) {
			print_json(w, out, &v);
		} else {
			print_line(out, &v);
		}
		bf_view_release(&v);
	}
	if (bf_pg_rows(runs) == 0 && !w->json)
		fputs("No run is under way.\n", out);
	return 0;
}

static int look_at_all(struct watch *w, char **page, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *runs = NULL;
	size_t size;
	char *text = NULL;
	if (!w->look.pg)
		return bf_fail(err, BF_E_UNAVAILABLE, "watching all runs needs PostgreSQL; `bfstat watch RUN` watches one of them through Redis");
	int rc = bf_ledger_active_runs(w->look.pg, "", RUNS_MAX, &runs, err);
	if (rc < 0)
		return rc;
	FILE *out = w->drawing ? open_memstream(&text, &size) : stdout;
	rc = look_at_each(w, runs, out, err);
	if (w->drawing) {
		page_trouble(w, out);
		fclose(out);
		free(*page);
		*page = text;
		draw(&w->look.term, text, hint(w));
	}
	fflush(stdout);
	return rc;
}

/* ---- the loop ---- */

/* A server that went away is asked again with each tick; what cannot be read is said once. */
static void mend(struct watch *w, const struct bf_error *failed)
{
	struct bf_error err = {.text = ""};
	char before[BF_ERROR_TEXT_MAX];
	(void)snprintf(before, sizeof(before), "%s", w->trouble);
	(void)bf_look_again(&w->look, &err);
	bool away = !w->look.pg || !w->look.redis;
	(void)snprintf(w->trouble, sizeof(w->trouble), "%s", away ? err.text : failed ? failed->text : "");
	if (w->trouble[0] && !w->drawing && strcmp(before, w->trouble) != 0)
		fprintf(stderr, "bfstat: not read: %s\n", w->trouble);
}

/* Until the next look, or a key, a signal, or another size of the screen. */
static void wait_for_tick(struct watch *w, int64_t ms)
{
	int64_t left = ms, until = bf_mono_ms() + ms;
	if (suspend_asked)
		suspend(w);
	for (; !stop_asked && !resized && left > 0; left = until - bf_mono_ms()) {
		int key = bf_keyboard_wait(&w->keyboard, left);
		if (suspend_asked)
			suspend(w);
		if (key == 'q' || key == 'Q')
			stop_asked = 1;
	}
}

static int watch(struct watch *w, char **page)
{
	struct bf_error err;
	int exit_code = 0;
	while (!stop_asked) {
		int64_t begun = bf_mono_ms();
		w->lost.code = 0;
		int rc = w->run ? look_at_run(w, page, &exit_code, &err) : look_at_all(w, page, &err);
		if (rc == 1)
			return exit_code;
		if (rc < 0 && (err.code == BF_E_NOT_FOUND || err.code == BF_E_INPUT)) {
			screen_end(w, "");
			return bf_program_fail(&err);
		}
		mend(w, rc < 0 ? &err : w->lost.code ? &w->lost : NULL);
		int64_t took = bf_mono_ms() - begun, cost = w->lost.code ? 0 : took; /* waiting for a lock costs nobody anything */
		int64_t pause = cost * SHARE > TICK_MS ? cost * SHARE : TICK_MS;
		if (stop_asked)
			break;
		wait_for_tick(w, pause - took > 0 ? pause - took : 0);
		if (resized) {
			resized = 0;
			bf_term_measure(&w->look.term, STDOUT_FILENO);
		}
	}
	return 0;
}

static int run_watch(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct watch w = {.look = {.pg = NULL}};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	BF_AUTOFREE char *page = NULL;
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&w.look, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	w.run = n_args > 0 ? args[0] : NULL;
	w.json = o.json;
	if (w.run && bf_look_find_run(&w.look, &w.run, &err) < 0) {
		bf_look_close(&w.look);
		return bf_program_fail(&err);
	}
	w.look.quiet = true;
	catch_signals();
	screen_begin(&w);
	exit_code = watch(&w, &page);
	screen_end(&w, page ? page : "");
	bf_look_close(&w.look);
	return exit_code;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print one JSON object a line and second"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat watch daily-sales", "the latest run of a pipeline, until it has ended"},
	{"bfstat watch", "all runs that are under way; q ends it, and no run"},
	{NULL, NULL},
};

static const struct bf_command command_watch = {
	.name = "watch",
	.synopsis = "bfstat watch [RUN]",
	.summary = "live: bars, rate, time left, slots; ends with the run's own exit code",
	.details = "Without RUN: all runs that are under way, until q or Ctrl-C. Without a terminal: a line a second.",
	.examples = examples,
	.options = options,
	.max_args = 1};

const struct bf_entry bf_look_watch = {&command_watch, run_watch};
