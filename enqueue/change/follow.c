#include "change/follow.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "change/commands.h"
#include "core/decide.h"
#include "core/states.h"
#include "render/bar.h"
#include "render/json.h"
#include "render/rate.h"
#include "shared/servers.h"

#define LOOK_EVERY_MS 500
#define LOOK_SHARE    5     /* at most a fifth of the ledger's time */
#define PATIENCE_MS   60000 /* for a ledger that is away */
#define BAR_MIN       10
#define BAR_MAX       40

/* Columns of follow_run.sql. */
enum { RUN_STATE, STEP, STATE, PLANNED, PENDING, RUNNING, DONE, FAILED, SKIPPED, CANCELLED, UNDONE, GATE };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

struct follower {
	struct bf_upkeep *u;
	const char *run;
	bool json;
	struct bf_term term;
	struct bf_rate rate;
	struct bf_buf before; /* what was shown last, without the figures that always change */
	int lines;            /* on the terminal, to be drawn over */
	enum bf_run_state state;
};

/* ---- what is shown ---- */

static int64_t settled(const struct bf_pg_result *r, int row)
{
	return bf_pg_int(r, row, DONE) + bf_pg_int(r, row, FAILED) + bf_pg_int(r, row, SKIPPED) + bf_pg_int(r, row, CANCELLED) +
		   bf_pg_int(r, row, UNDONE);
}

static void totals(const struct bf_pg_result *r, int64_t *all, int64_t *over)
{
	*all = *over = 0;
	for (int i = 0; i < bf_pg_rows(r); i++) {
		*all += bf_pg_int(r, i, PLANNED);
		*over += settled(r, i);
	}
}

/* Is a person still to be asked, or a soak to be sat out? Then the rate of jobs tells nothing of the end. */
static bool is_gated(const struct bf_pg_result *r)
{
	for (int i = 0; i < bf_pg_rows(r); i++)
		if (bf_pg_bool(r, i, GATE))
			return true;
	return false;
}

static void add_head(struct follower *f, const struct bf_pg_result *r, struct bf_buf *out)
{
	char rate[BF_RATE_TEXT], eta[BF_DURATION_TEXT], done[32], of[32];
	int64_t all, over;
	double per_second = bf_rate_per_second(&f->rate);
	totals(r, &all, &over);
	int64_t left = bf_eta_ms(all - over, per_second);
	bf_buf_printf(out, "%s %s: %s of %s jobs settled", f->run, bf_run_state_name(f->state), bf_text_group(over, done),
				  bf_text_group(all, of));
	if (per_second > 0)
		bf_buf_printf(out, ", %s", bf_rate_text(per_second, rate));
	if (left >= 1000 && !is_gated(r))
		bf_buf_printf(out, ", about %s left", bf_duration_human(left, eta));
	bf_buf_addch(out, '\n');
}

static void add_figures(const struct bf_pg_result *r, int row, struct bf_buf *out)
{
	char done[32], of[32];
	bf_buf_printf(out, "%s/%s", bf_text_group(bf_pg_int(r, row, DONE), done), bf_text_group(bf_pg_int(r, row, PLANNED), of));
	if (bf_pg_int(r, row, RUNNING))
		bf_buf_printf(out, ", %s running", bf_pg_text(r, row, RUNNING));
	if (bf_pg_int(r, row, FAILED))
		bf_buf_printf(out, ", %s failed", bf_pg_text(r, row, FAILED));
	if (bf_pg_int(r, row, SKIPPED))
		bf_buf_printf(out, ", %s skipped", bf_pg_text(r, row, SKIPPED));
	if (bf_pg_int(r, row, CANCELLED))
		bf_buf_printf(out, ", %s cancelled", bf_pg_text(r, row, CANCELLED));
	if (bf_pg_int(r, row, UNDONE))
		bf_buf_printf(out, ", %s undone", bf_pg_text(r, row, UNDONE));
}

static int widest_step(const struct bf_pg_result *r)
{
	int widest = 0;
	for (int i = 0; i < bf_pg_rows(r); i++) {
		int n = (int)strlen(bf_pg_text(r, i, STEP));
		widest = n > widest ? n : widest;
	}
	return widest;
}

static void add_bar_line(const struct follower *f, const struct bf_pg_result *r, int row, int name_width, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf line;
	struct bf_bar bar = {.planned = bf_pg_int(r, row, PLANNED),
						 .done = bf_pg_int(r, row, DONE),
						 .failed = bf_pg_int(r, row, FAILED),
						 .running = bf_pg_int(r, row, RUNNING),
						 .skipped = bf_pg_int(r, row, SKIPPED) + bf_pg_int(r, row, CANCELLED) + bf_pg_int(r, row, UNDONE)};
	int width = f->term.width - name_width - 40;
	width = width < BAR_MIN ? BAR_MIN : width > BAR_MAX ? BAR_MAX : width;
	bf_buf_init(&line, 4096);
	bf_buf_printf(&line, "  %-*s  ", name_width, bf_pg_text(r, row, STEP));
	bf_bar_text(&line, &f->term, &bar, width);
	bf_buf_addstr(&line, "  ");
	add_figures(r, row, &line);
	BF_AUTOBUF struct bf_buf cut;
	bf_buf_init(&cut, 8192);
	bf_term_cut(&cut, &f->term, line.data, f->term.width > 1 ? f->term.width - 1 : 0);
	bf_bar_paint(out, &f->term, cut.data);
	bf_buf_addstr(out, "\n");
}

/* Draws over what was drawn before. */
static void redraw(struct follower *f, const struct bf_pg_result *r)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 1u << 20);
	bf_term_measure(&f->term, STDOUT_FILENO);
	if (f->lines)
		bf_buf_printf(&out, "\033[%dA\033[J", f->lines);
	add_head(f, r, &out);
	int name_width = widest_step(r), rows = bf_pg_rows(r);
	if (f->term.height && rows > f->term.height - 3) /* more would scroll away and could not be drawn over */
		rows = f->term.height - 3 > 0 ? f->term.height - 3 : 0;
	for (int i = 0; i < rows; i++)
		add_bar_line(f, r, i, name_width, &out);
	f->lines = rows + 1;
	fputs(out.data, stdout);
	fflush(stdout);
}

static void print_line(struct follower *f, const struct bf_pg_result *r)
{
	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, 1u << 16);
	bf_buf_printf(&line, "%s %s:", f->run, bf_run_state_name(f->state));
	for (int i = 0; i < bf_pg_rows(r); i++) {
		bf_buf_printf(&line, "%s %s ", i ? ";" : "", bf_pg_text(r, i, STEP));
		add_figures(r, i, &line);
	}
	if (strcmp(line.data, f->before.data) == 0)
		return;
	bf_buf_clear(&f->before);
	bf_buf_addstr(&f->before, line.data);
	puts(line.data);
	fflush(stdout);
}

static void print_json(struct follower *f, const struct bf_pg_result *r)
{
	struct bf_json j;
	static const struct {
		const char *name;
		int column;
	} counts[] = {{"planned", PLANNED}, {"pending", PENDING}, {"running", RUNNING},     {"done", DONE},
				  {"failed", FAILED},   {"skipped", SKIPPED}, {"cancelled", CANCELLED}, {"undone", UNDONE}};
	bf_json_begin_line(&j, stdout);
	bf_json_text(&j, "run", f->run);
	bf_json_text(&j, "state", bf_run_state_name(f->state));
	bf_json_array(&j, "steps");
	for (int i = 0; i < bf_pg_rows(r); i++) {
		bf_json_object(&j, NULL);
		bf_json_text(&j, "step", bf_pg_text(r, i, STEP));
		bf_json_text(&j, "state", bf_pg_text(r, i, STATE));
		for (size_t c = 0; c < BF_COUNT_OF(counts); c++)
			bf_json_int(&j, counts[c].name, bf_pg_int(r, i, counts[c].column));
		bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_json_end(&j);
	fflush(stdout);
}

/* Prints JSON only when it is not what was printed before. */
static void print_json_if_new(struct follower *f, const struct bf_pg_result *r)
{
	BF_AUTOBUF struct bf_buf now;
	bf_buf_init(&now, 1u << 16);
	for (int i = 0; i < bf_pg_rows(r); i++)
		for (int c = RUN_STATE; c <= CANCELLED; c++)
			bf_buf_printf(&now, "%s ", bf_pg_text(r, i, c));
	if (strcmp(now.data, f->before.data) == 0)
		return;
	bf_buf_clear(&f->before);
	bf_buf_addstr(&f->before, now.data);
	print_json(f, r);
}

/* ---- the loop ---- */

static bool ended(enum bf_run_state s)
{
	return bf_run_state_ended(s) || s == BF_RUN_STOPPED || s == BF_RUN_WAITING;
}

static int look_once(struct follower *f, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int64_t all, over;
	int rc = bf_follow_run(f->u->pg, f->run, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_rows(r) == 0 || !bf_run_state_parse(bf_pg_text(r, 0, RUN_STATE), &f->state))
		return bf_fail(err, BF_E_NOT_FOUND, "run %s is no longer in the ledger", f->run);
	totals(r, &all, &over);
	bf_rate_add(&f->rate, bf_mono_ms(), over);
	if (f->json)
		print_json_if_new(f, r);
	else if (f->term.tty)
		redraw(f, r);
	else
		print_line(f, r);
	return 0;
}

static void wait_ms(int64_t ms)
{
	for (int64_t until = bf_mono_ms() + ms; !interrupted && bf_mono_ms() < until;)
		usleep(20 * 1000);
}

/* A ledger that went away is waited for. */
static int come_back(struct follower *f, struct bf_error *err)
{
	struct bf_error latest = *err;
	fprintf(stderr, "%s: %s; waiting for it\n", BF_PROGRAM, err->text);
	f->lines = 0;
	bf_pg_close(f->u->pg);
	f->u->pg = NULL;
	for (int64_t give_up = bf_mono_ms() + PATIENCE_MS; !interrupted && bf_mono_ms() < give_up;) {
		if (bf_open_ledger_to_look(BF_PROGRAM, &f->u->pg, &latest) == 0)
			return 0;
		wait_ms(LOOK_EVERY_MS);
	}
	*err = latest;
	return -(int)err->code;
}

static int follow(struct follower *f, struct bf_error *err)
{
	while (!interrupted) {
		int64_t began = bf_mono_ms();
		int rc = look_once(f, err);
		if (rc == -BF_E_UNAVAILABLE || rc == -BF_E_UNKNOWN_OUTCOME)
			rc = come_back(f, err);
		else if (rc == 0 && ended(f->state))
			return 0;
		if (rc < 0 && !interrupted)
			return rc;
		int64_t took = bf_mono_ms() - began;
		wait_ms(took * LOOK_SHARE > LOOK_EVERY_MS ? took * LOOK_SHARE : LOOK_EVERY_MS);
	}
	return 0;
}

static const char *where_to_look(enum bf_run_state state)
{
	if (state == BF_RUN_FAILED)
		return " Why: bfstat failures ";
	return state == BF_RUN_WAITING ? " What for: bfstat " : "";
}

int bf_follow(struct bf_upkeep *u, const char *run, bool json)
{
	struct follower f = {.u = u, .run = run, .json = json, .state = BF_RUN_QUEUED};
	struct sigaction on = {.sa_handler = on_interrupt}, before;
	struct bf_error err;
	bf_term_init(&f.term, STDOUT_FILENO);
	bf_buf_init(&f.before, 1u << 16);
	sigaction(SIGINT, &on, &before);
	int rc = follow(&f, &err);
	sigaction(SIGINT, &before, NULL);
	bf_buf_release(&f.before);
	if (rc < 0)
		return bf_program_fail(&err);
	if (!ended(f.state)) {
		fprintf(stderr, "\nRun %s goes on. `bfstat watch %s` shows it, `enqueue stop %s` stops it.\n", run, run, run);
		return 0;
	}
	if (!json)
		printf("Run %s is %s.%s%s\n", run, bf_run_state_name(f.state), where_to_look(f.state), *where_to_look(f.state) ? run : "");
	return bf_run_state_exit_code(f.state);
}
