/*
 * exec: a program, run under a supervisor (supervisor.h), which tells how it goes and how it ended.
 *
 * The state lives until its three handles are closed; only then is the job told. The handles are closed when both the supervisor's
 * exit and the end of what it wrote are known: they come in either order.
 */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/vars.h"
#include "steps/exec_message.h"
#include "steps/progress_line.h"
#include "steps/steps.h"
#include "supervisor.h"

#define AGAIN_STATUS   75 /* EX_TEMPFAIL of sysexits.h */
#define NEVER_STATUS   65 /* EX_DATAERR */
#define TERM_GRACE_MS  10000
#define SHORTAGE_MS    2000 /* until a program that could not be started for want of something is tried again */
#define OVERDUE_MS     (TERM_GRACE_MS + BF_SUPERVISOR_GIVE_UP_MS + 5000) /* after this a supervisor that was told to stop is stuck */
#define INCOMING_MAX   ((size_t)4 * BF_SUPERVISOR_LINE_MAX + BF_SUPERVISOR_TAIL)
#define MOST_BEATS_MS  50
#define LEAST_BEATS_MS 1000

struct exec {
	struct bf_job *job;
	uv_process_t supervisor;
	uv_pipe_t channel;
	uv_timer_t beat;
	int open; /* handles */
	uv_write_t write;
	struct bf_buf message; /* being written */
	struct bf_buf incoming;
	char bytes[BF_SUPERVISOR_LINE_MAX]; /* of one read */

	bool exited, silent; /* the supervisor's exit is known; nothing more will be read from it */
	int exit_signal;
	pid_t group;        /* of the program; 0: not known */
	char order;         /* not sent yet; 0: none */
	int64_t stopped_ms; /* when first told to stop; 0: never */
	int64_t rows;
	bool ended; /* `end` is known, and `incoming` is the tail */
	struct bf_supervisor_end end;
	struct bf_error failure; /* code 0, or why there is no supervisor */
};

/* ---- the outcome ---- */

static void failed(struct exec *x, const char *category, bool never_again, const char *text)
{
	const char *tail = x->ended && x->end.how != BF_END_SPAWN ? x->incoming.data : NULL;

	bf_job_failed(x->job, category, never_again, text, tail, tail ? x->incoming.len : 0);
}

static void failed_timeout(struct exec *x)
{
	char limit[BF_DURATION_TEXT], text[128];

	snprintf(text, sizeof(text), "ran longer than its timeout of %s, and was ended", bf_duration_format(x->job->step->timeout_ms, limit));
	failed(x, "timeout", false, text);
}

/* Each time by as much: it is asked for, or soon over. */
static void put_off(struct exec *x, int64_t delay_ms, const char *why)
{
	const struct bf_retry pace = {.first_ms = delay_ms, .factor = 1, .max_ms = delay_ms};

	bf_job_wait(x->job, &pace, BF_BLAME_NOBODY, why);
}

static void exited(struct exec *x, int status)
{
	char text[64];

	snprintf(text, sizeof(text), "exited with status %d", status);
	if (status == 0)
		bf_job_done(x->job, x->rows);
	else if (status == AGAIN_STATUS)
		put_off(x, x->job->step->retry.first_ms, "it exited with status 75");
	else
		failed(x, "exit", status == NEVER_STATUS, text);
}

/* Of what every program needs to be started, and this host has no more of: nothing about the job. */
static bool is_shortage(int sys_errno)
{
	return sys_errno == EAGAIN || sys_errno == EMFILE || sys_errno == ENFILE || sys_errno == ENOMEM;
}

static void not_started(struct exec *x, int sys_errno, const char *text)
{
	if (!is_shortage(sys_errno)) {
		failed(x, "spawn", false, text);
		return;
	}
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(x->job));
	bf_err("%s; raise what the worker may use (ulimit -n, ulimit -u; of a service LimitNOFILE=, LimitNPROC=, TasksMax=, MemoryMax=), or "
		   "give it fewer slots",
		   text);
	bf_log_pop(before);
	put_off(x, SHORTAGE_MS, "this host is short of what a program needs to be started");
}

/* It ended for reasons of its own, not because it was told to. */
static void ended_itself(struct exec *x)
{
	char text[128];

	switch (x->end.how) {
	case BF_END_EXIT:
		exited(x, x->end.code);
		break;
	case BF_END_SIGNAL:
		snprintf(text, sizeof(text), "was ended by signal %d (%s)", x->end.code, strsignal(x->end.code));
		failed(x, "signal", false, text);
		break;
	case BF_END_SPAWN:
		not_started(x, x->end.code, x->incoming.data);
		break;
	}
}

/* A program that was told to stop and then exits with 0 has stopped, not finished: only what it ended with before counts. */
static void conclude(struct exec *x)
{
	struct bf_job *j = x->job;
	char text[128];

	if (x->failure.code)
		not_started(x, x->failure.sys_errno, x->failure.text);
	else if (j->fenced)
		bf_job_returned(j);
	else if (x->ended && x->end.cause == BF_CAUSE_ITSELF)
		ended_itself(x);
	else if (j->timed_out)
		failed_timeout(x);
	else if (x->ended || j->handing_back)
		bf_job_returned(j);
	else {
		snprintf(text, sizeof(text), "its supervisor ended unexpectedly (signal %d)", x->exit_signal);
		failed(x, "supervisor", false, text);
	}
}

static void warn_about(const struct exec *x)
{
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(x->job));

	if (x->ended && x->end.left)
		bf_warn("processes that this job has started could not be ended, and are left");
	if (x->ended && x->end.cause == BF_CAUSE_SILENCE)
		bf_warn("this worker stood still for a lease, and its job was ended");
	bf_log_pop(before);
}

static void on_closed(uv_handle_t *handle)
{
	struct exec *x = handle->data;

	if (--x->open > 0)
		return;
	x->job->step_state = NULL;
	warn_about(x);
	conclude(x);
	bf_buf_release(&x->message);
	bf_buf_release(&x->incoming);
	free(x);
}

static void close_handles(struct exec *x)
{
	uv_close((uv_handle_t *)&x->supervisor, on_closed);
	uv_close((uv_handle_t *)&x->channel, on_closed);
	uv_close((uv_handle_t *)&x->beat, on_closed);
}

static void close_when_over(struct exec *x)
{
	if (!x->exited || !x->silent)
		return;
	if (!x->ended && x->group > 0) /* without its supervisor; what has left the group cannot be found any more */
		kill(-x->group, SIGKILL);
	close_handles(x);
}

/* ---- what the supervisor says ---- */

/* Makes a line's text, which may be any bytes, into a C string of valid UTF-8. */
static void progress_text(struct exec *x, const struct bf_progress_line *said)
{
	BF_AUTOBUF struct bf_buf clean;

	bf_buf_init(&clean, (size_t)3 * BF_LINE_MAX);
	bf_utf8_clean(&clean, said->text, said->text_len);
	if (said->kind == BF_PROGRESS_CHECKPOINT)
		bf_job_progress(x->job, -1, -1, clean.data, NULL);
	else
		bf_job_progress(x->job, -1, -1, NULL, clean.data);
}

static void on_line(struct exec *x, const char *line, size_t len)
{
	struct bf_progress_line said;
	int64_t group;

	if (strncmp(line, "started ", 8) == 0 && bf_text_int(line + 8, 2, INT32_MAX, &group) == 0) {
		x->group = (pid_t)group;
		return;
	}
	if (bf_supervisor_end_parse(line, &x->end)) {
		x->ended = true;
		return;
	}
	bf_progress_line_parse(line, len, &said);
	switch (said.kind) {
	case BF_PROGRESS_NONE:
		break;
	case BF_PROGRESS_DONE:
		bf_job_progress(x->job, said.done, said.total, NULL, NULL);
		break;
	case BF_PROGRESS_ROWS:
		x->rows = said.rows;
		break;
	case BF_PROGRESS_CHECKPOINT:
	case BF_PROGRESS_NOTE:
		progress_text(x, &said);
		break;
	}
}

static void take_lines(struct exec *x)
{
	char *newline;

	while (!x->ended && (newline = memchr(x->incoming.data, '\n', x->incoming.len))) {
		size_t len = (size_t)(newline - x->incoming.data);
		*newline = '\0';
		on_line(x, x->incoming.data, len);
		bf_buf_drop_front(&x->incoming, len + 1);
	}
}

static void on_room(uv_handle_t *channel, size_t suggested, uv_buf_t *out)
{
	struct exec *x = channel->data;

	(void)suggested;
	*out = uv_buf_init(x->bytes, sizeof(x->bytes));
}

static void on_read(uv_stream_t *channel, ssize_t n, const uv_buf_t *buf)
{
	struct exec *x = channel->data;

	if (n > 0 && bf_buf_add(&x->incoming, buf->base, (size_t)n) == 0) {
		take_lines(x);
	} else if (n != 0) {
		uv_read_stop(channel);
		x->silent = true;
		close_when_over(x);
	}
}

static void on_exit_of(uv_process_t *supervisor, int64_t status, int sig)
{
	struct exec *x = supervisor->data;

	(void)status;
	x->exited = true;
	x->exit_signal = sig;
	close_when_over(x);
}

/* ---- what it is told ---- */

static void try_send(struct exec *x)
{
	char byte = x->order ? x->order : (char)BF_SUPERVISE_BEAT;
	uv_buf_t buf = uv_buf_init(&byte, 1);

	if (uv_try_write((uv_stream_t *)&x->channel, &buf, 1) == 1)
		x->order = 0; /* otherwise the next beat sends it */
}

static void on_beat(uv_timer_t *beat)
{
	struct exec *x = beat->data;

	if (x->exited)
		return;
	if (x->stopped_ms && bf_mono_ms() - x->stopped_ms > OVERDUE_MS)
		uv_process_kill(&x->supervisor, SIGKILL);
	else
		try_send(x);
}

static void stop(struct bf_job *j)
{
	struct exec *x = j->step_state;

	if (!x || x->failure.code || x->exited)
		return;
	/* Who lost the job must not go on beside the next attempt; who was asked twice to leave does not wait. */
	x->order = j->fenced || j->worker->drain_now ? (char)BF_SUPERVISE_KILL : (char)BF_SUPERVISE_TERM;
	if (x->stopped_ms == 0)
		x->stopped_ms = bf_mono_ms();
	try_send(x);
}

/* ---- starting ---- */

static void on_written(uv_write_t *write, int status)
{
	struct exec *x = write->data;

	(void)status; /* a supervisor that is gone is told by the end of the channel */
	bf_buf_release(&x->message);
}

static uint64_t beat_ms(const struct bf_worker *w)
{
	int64_t ms = w->opt.lease_ms / 5;

	return (uint64_t)(ms < MOST_BEATS_MS ? MOST_BEATS_MS : ms > LEAST_BEATS_MS ? LEAST_BEATS_MS : ms);
}

/* The supervisor needs none of the worker's environment but what a build with sanitizers, or with libraries elsewhere, reads. */
static char **supervisor_env(void)
{
	static const char *const names[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
	char **env = bf_alloc((BF_COUNT_OF(names) + 1) * sizeof(*env));
	size_t n = 0;

	for (size_t i = 0; i < BF_COUNT_OF(names); i++)
		if (getenv(names[i]))
			env[n++] = bf_asprintf("%s=%s", names[i], getenv(names[i]));
	return env;
}

static int spawn(struct exec *x)
{
	char name[] = BF_SUPERVISOR_NAME;
	char *argv[] = {name, x->job->name, NULL};
	char **env = supervisor_env();
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&x->channel},
		{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = 2},
	};
	uv_process_options_t o = {
		.exit_cb = on_exit_of,
		.file = "/proc/self/exe",
		.args = argv,
		.env = env,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio,
	};
	int rc = uv_spawn(x->job->worker->loop, &x->supervisor, &o);

	for (char **e = env; *e; e++)
		free(*e);
	free(env);
	return rc;
}

static struct exec *exec_new(struct bf_job *j)
{
	struct exec *x = bf_alloc(sizeof(*x));

	x->job = j;
	x->rows = -1;
	x->open = 3;
	bf_buf_init(&x->message, BF_SUPERVISOR_START_MAX);
	bf_buf_init(&x->incoming, INCOMING_MAX);
	uv_pipe_init(j->worker->loop, &x->channel, 0);
	uv_timer_init(j->worker->loop, &x->beat);
	x->channel.data = x->supervisor.data = x->beat.data = x->write.data = x;
	return x;
}

static int start(struct bf_job *j, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf message;

	bf_buf_init(&message, BF_SUPERVISOR_START_MAX);
	int rc = bf_exec_message(j, TERM_GRACE_MS, &message, err);
	if (rc < 0)
		return rc;
	struct exec *x = j->step_state = exec_new(j);
	rc = spawn(x);
	if (rc < 0) {
		bf_fail_errno(&x->failure, -rc, "cannot start a supervisor");
		close_handles(x);
		return 0;
	}
	size_t len = message.len;
	x->message = message;
	bf_buf_init(&message, 0);
	uv_buf_t buf = uv_buf_init(x->message.data, (unsigned)len);
	uv_write(&x->write, (uv_stream_t *)&x->channel, &buf, 1, on_written);
	uv_read_start((uv_stream_t *)&x->channel, on_room, on_read);
	uv_timer_start(&x->beat, on_beat, beat_ms(j->worker), beat_ms(j->worker));
	return 0;
}

const struct bf_step_kind bf_step_exec = {.kind = BF_KIND_EXEC, .start = start, .stop = stop};
