#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "process_tree.h"
#include "steps/progress_line.h"
#include "supervisor_start.h"

#define CHANNEL        0     /* its standard input */
#define NEWS_MS        100   /* between two lots of news */
#define KILL_AGAIN_MS  20    /* until no process is left */
#define READ_SIZE      65536 /* what a pipe holds */
#define LAST_READS_MAX 32    /* of a pipe after everybody has ended: more than the largest pipe holds */

struct tail {
	size_t len, at; /* kept; where the next byte goes */
	char data[BF_SUPERVISOR_TAIL];
};

struct text {
	size_t len; /* 0: no news */
	char data[BF_LINE_MAX];
};

struct news {                  /* since the last time the worker was told; the latest of each */
	int64_t done, total, rows; /* -1: none */
	struct text checkpoint, note;
};

struct supervisor {
	struct bf_order_sheet order;
	struct bf_launched program;
	int signals;

	int status; /* of the program, once it has ended */
	bool ended, none_left, gave_up;
	struct bf_error failure; /* code 0: it was started */
	enum bf_end_cause cause;

	bool gone; /* the worker is */
	int64_t heard_ms, told_ms;
	int64_t term_ms, kill_ms, killed_ms; /* 0: not yet: SIGTERM sent, first and last SIGKILL */
	bool kill;

	bool speaks; /* the program has used its progress descriptor: what it prints is not looked at */
	struct bf_lines printed, reported;
	struct tail tail;
	struct news news;
	struct bf_buf outgoing;
};

/* ---- what the program says ---- */

static void tail_add(struct tail *t, const char *bytes, size_t n)
{
	if (n > sizeof(t->data)) {
		bytes += n - sizeof(t->data);
		n = sizeof(t->data);
	}
	size_t first = n < sizeof(t->data) - t->at ? n : sizeof(t->data) - t->at;
	memcpy(t->data + t->at, bytes, first);
	memcpy(t->data, bytes + first, n - first);
	t->at = (t->at + n) % sizeof(t->data);
	t->len = t->len + n < sizeof(t->data) ? t->len + n : sizeof(t->data);
}

static void tail_append_to(const struct tail *t, struct bf_buf *out)
{
	size_t start = (t->at + sizeof(t->data) - t->len) % sizeof(t->data);
	size_t first = t->len < sizeof(t->data) - start ? t->len : sizeof(t->data) - start;

	bf_buf_add(out, t->data + start, first);
	bf_buf_add(out, t->data, t->len - first);
}

static void text_set(struct text *t, const char *bytes, size_t n)
{
	t->len = n < sizeof(t->data) ? n : sizeof(t->data);
	memcpy(t->data, bytes, t->len);
}

static void on_printed(void *data, const char *line, size_t len, bool cut)
{
	struct supervisor *s = data;
	int64_t done, total;

	(void)cut;
	if (!s->speaks && bf_ratio_parse(line, len, &done, &total)) {
		s->news.done = done;
		s->news.total = total;
	}
}

static void on_reported(void *data, const char *line, size_t len, bool cut)
{
	static const char too_long[] = "a checkpoint longer than 4 KiB was not kept";
	struct supervisor *s = data;
	struct bf_progress_line said;

	s->speaks = true;
	bf_progress_line_parse(line, len, &said);
	switch (said.kind) {
	case BF_PROGRESS_NONE:
		break;
	case BF_PROGRESS_DONE:
		s->news.done = said.done;
		s->news.total = said.total;
		break;
	case BF_PROGRESS_CHECKPOINT:
		if (cut) /* half a checkpoint is a wrong one */
			text_set(&s->news.note, too_long, sizeof(too_long) - 1);
		else
			text_set(&s->news.checkpoint, said.text, said.text_len);
		break;
	case BF_PROGRESS_ROWS:
		s->news.rows = said.rows;
		break;
	case BF_PROGRESS_NOTE:
		text_set(&s->news.note, said.text, said.text_len);
		break;
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* One read. False: there is nothing (more) to read now. */
static bool read_pipe(struct supervisor *s, int *fd)
{
	char bytes[READ_SIZE];
	ssize_t n = *fd < 0 ? 0 : read(*fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		close_fd(fd);
		return false;
	}
	if (fd == &s->program.out) {
		tail_add(&s->tail, bytes, (size_t)n);
		bf_lines_feed(&s->printed, bytes, (size_t)n, on_printed, s);
	} else {
		bf_lines_feed(&s->reported, bytes, (size_t)n, on_reported, s);
	}
	return true;
}

/* ---- what the worker is told ---- */

static void news_clear(struct news *n)
{
	n->done = n->total = n->rows = -1;
	n->checkpoint.len = n->note.len = 0;
}

static bool is_news(const struct news *n)
{
	return n->done >= 0 || n->rows >= 0 || n->checkpoint.len > 0 || n->note.len > 0;
}

static void add_text(struct bf_buf *out, const char *word, const struct text *t)
{
	if (t->len == 0)
		return;
	bf_buf_addstr(out, word);
	bf_buf_add(out, t->data, t->len);
	bf_buf_addch(out, '\n');
}

static void compose_news(struct supervisor *s)
{
	struct news *n = &s->news;

	if (n->done >= 0 && n->total >= 0)
		bf_buf_printf(&s->outgoing, "progress %lld %lld\n", (long long)n->done, (long long)n->total);
	else if (n->done >= 0)
		bf_buf_printf(&s->outgoing, "progress %lld\n", (long long)n->done);
	if (n->rows >= 0)
		bf_buf_printf(&s->outgoing, "rows %lld\n", (long long)n->rows);
	add_text(&s->outgoing, "checkpoint ", &n->checkpoint);
	add_text(&s->outgoing, "note ", &n->note);
	news_clear(n);
}

static void send_outgoing(struct supervisor *s)
{
	if (s->gone || s->outgoing.len == 0)
		return;
	ssize_t n = write(CHANNEL, s->outgoing.data, s->outgoing.len);
	if (n > 0)
		bf_buf_drop_front(&s->outgoing, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		s->gone = true;
}

static void tell(struct supervisor *s, int64_t now)
{
	if (s->outgoing.len == 0 && is_news(&s->news) && now - s->told_ms >= NEWS_MS) {
		compose_news(s);
		s->told_ms = now;
	}
	send_outgoing(s);
}

/* ---- what the worker orders ---- */

static void note_cause(struct supervisor *s, enum bf_end_cause cause)
{
	if (!s->ended && s->cause == BF_CAUSE_ITSELF)
		s->cause = cause;
}

/* Not before the program runs: until then the new process ignores what the supervisor ignores. learn_start makes up for it. */
static void terminate(struct supervisor *s)
{
	if (s->ended || s->program.failed >= 0)
		return;
	kill(-s->program.pid, SIGTERM);
	kill(-s->program.pid, SIGCONT); /* what is stopped could not obey */
}

static void obey(struct supervisor *s, char order, int64_t now)
{
	if (order == BF_SUPERVISE_BEAT)
		return;
	note_cause(s, BF_CAUSE_ORDER);
	if (order == BF_SUPERVISE_KILL) {
		s->kill = true;
	} else if (order == BF_SUPERVISE_TERM && s->term_ms == 0) {
		s->term_ms = now;
		terminate(s);
	}
}

static void hear(struct supervisor *s)
{
	char bytes[256];
	ssize_t n = read(CHANNEL, bytes, sizeof(bytes));
	int64_t now = bf_mono_ms();

	if (n > 0)
		s->heard_ms = now;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->gone = true;
	for (ssize_t i = 0; i < n; i++)
		obey(s, bytes[i], now);
}

/* ---- the program's end ---- */

static void reap(struct supervisor *s)
{
	struct signalfd_siginfo ignored[8];
	pid_t pid;
	int status;

	while (read(s->signals, ignored, sizeof(ignored)) > 0)
		continue;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->program.pid) {
			s->ended = true;
			s->status = status;
		}
	}
	s->none_left = pid < 0 && errno == ECHILD;
}

static void learn_start(struct supervisor *s)
{
	if (s->program.failed >= 0 && bf_launch_failure(&s->order, s->program.failed, &s->failure) == 0)
		s->failure.code = 0;
	close_fd(&s->program.failed);
	if (s->term_ms)
		terminate(s);
}

/* Whether the tree must end now, and how far that has come. */
static void judge(struct supervisor *s, int64_t now)
{
	if (s->gone || now - s->heard_ms > s->order.lease_ms) {
		note_cause(s, BF_CAUSE_SILENCE);
		s->kill = true;
	}
	if (s->ended || (s->term_ms && now - s->term_ms >= s->order.grace_ms))
		s->kill = true;
	if (!s->kill || s->none_left || (s->killed_ms && now - s->killed_ms < KILL_AGAIN_MS))
		return;
	if (s->kill_ms == 0)
		s->kill_ms = now;
	s->killed_ms = now;
	s->gave_up = now - s->kill_ms > BF_SUPERVISOR_GIVE_UP_MS;
	bf_process_tree_kill(getpid());
}

/* ---- the loop ---- */

static void earlier(int64_t *at, int64_t other)
{
	if (other < *at)
		*at = other;
}

static int wait_ms(const struct supervisor *s, int64_t now)
{
	int64_t until = s->heard_ms + s->order.lease_ms + 1;

	if (s->kill)
		until = s->killed_ms + KILL_AGAIN_MS;
	else if (s->term_ms)
		earlier(&until, s->term_ms + s->order.grace_ms);
	if (s->outgoing.len == 0 && is_news(&s->news))
		earlier(&until, s->told_ms + NEWS_MS);
	earlier(&until, now + 60000);
	return until > now ? (int)(until - now) : 0;
}

static void turn(struct supervisor *s)
{
	enum { AT_CHANNEL, AT_SIGNALS, AT_FAILED, AT_OUT, AT_PROGRESS, N };
	struct pollfd p[N] = {
		[AT_CHANNEL] = {.fd = s->gone ? -1 : CHANNEL, .events = (short)(s->outgoing.len ? POLLIN | POLLOUT : POLLIN)},
		[AT_SIGNALS] = {.fd = s->signals, .events = POLLIN},
		[AT_FAILED] = {.fd = s->program.failed, .events = POLLIN},
		[AT_OUT] = {.fd = s->program.out, .events = POLLIN},
		[AT_PROGRESS] = {.fd = s->program.progress, .events = POLLIN},
	};

	if (poll(p, N, wait_ms(s, bf_mono_ms())) > 0) {
		if (p[AT_CHANNEL].revents & ~POLLOUT)
			hear(s);
		if (p[AT_FAILED].revents)
			learn_start(s);
		if (p[AT_OUT].revents)
			read_pipe(s, &s->program.out);
		if (p[AT_PROGRESS].revents)
			read_pipe(s, &s->program.progress);
	}
	reap(s);
	judge(s, bf_mono_ms());
	tell(s, bf_mono_ms());
}

/* ---- the end ---- */

static const char *const how_names[] = {"exit", "signal", "spawn"};
static const char *const cause_names[] = {"itself", "order", "silence"};

static void compose_end(struct supervisor *s)
{
	enum bf_end_how how = s->failure.code ? BF_END_SPAWN : WIFSIGNALED(s->status) ? BF_END_SIGNAL : BF_END_EXIT;
	int code = WIFSIGNALED(s->status) ? WTERMSIG(s->status) : WEXITSTATUS(s->status);

	if (!s->ended) { /* it could not even be killed */
		how = BF_END_SIGNAL;
		code = SIGKILL;
	}
	if (how == BF_END_SPAWN) {
		code = s->failure.sys_errno;
		s->tail.len = s->tail.at = 0;
		tail_add(&s->tail, s->failure.text, strlen(s->failure.text));
	}
	bf_buf_printf(&s->outgoing, "end %s %d %s %d %zu\n", how_names[how], code, cause_names[s->cause], s->gave_up, s->tail.len);
	tail_append_to(&s->tail, &s->outgoing);
}

static int word_at(const char *word, const char *const *names, int n)
{
	int i = 0;

	while (i < n && strcmp(word, names[i]) != 0)
		i++;
	return i < n ? i : -1;
}

bool bf_supervisor_end_parse(const char *line, struct bf_supervisor_end *out)
{
	char how[16], cause[16], extra;
	int left;

	if (sscanf(line, "end %15s %d %15s %d %zu%c", how, &out->code, cause, &left, &out->tail_len, &extra) != 5)
		return false;
	int h = word_at(how, how_names, (int)BF_COUNT_OF(how_names)), c = word_at(cause, cause_names, (int)BF_COUNT_OF(cause_names));
	if (h < 0 || c < 0 || out->tail_len > BF_SUPERVISOR_TAIL)
		return false;
	out->how = (enum bf_end_how)h;
	out->cause = (enum bf_end_cause)c;
	out->left = left != 0;
	return true;
}

/* Everybody has ended: what the pipes still hold, then the last words, for as long as a living worker may take to read them. */
static void report(struct supervisor *s)
{
	for (int i = 0; i < LAST_READS_MAX && read_pipe(s, &s->program.out); i++)
		continue;
	for (int i = 0; i < LAST_READS_MAX && read_pipe(s, &s->program.progress); i++)
		continue;
	learn_start(s);
	compose_news(s);
	compose_end(s);
	int64_t until = bf_mono_ms() + s->order.lease_ms;
	for (send_outgoing(s); !s->gone && s->outgoing.len > 0 && bf_mono_ms() < until; send_outgoing(s)) {
		struct pollfd p = {.fd = CHANNEL, .events = POLLOUT};
		poll(&p, 1, 1000);
	}
}

/* ---- the beginning ---- */

/* The worker decides when something ends: a signal that reaches everybody (a service manager's) is for the worker to answer. */
static void arrange_signals(struct supervisor *s)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2};
	sigset_t child;

	for (size_t i = 0; i < BF_COUNT_OF(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	s->signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void supervise(struct supervisor *s)
{
	if (bf_launch(&s->order, &s->program, &s->failure) < 0)
		s->ended = s->none_left = true;
	else
		bf_buf_printf(&s->outgoing, "started %d\n", (int)s->program.pid);
	s->heard_ms = bf_mono_ms();
	while (!(s->ended && s->none_left) && !s->gave_up)
		turn(s);
	report(s);
}

static void supervisor_free(struct supervisor *s)
{
	close_fd(&s->program.out);
	close_fd(&s->program.progress);
	close_fd(&s->program.failed);
	close_fd(&s->signals);
	bf_order_sheet_release(&s->order);
	bf_buf_release(&s->outgoing);
	free(s);
}

int bf_supervisor_main(int argc, char **argv)
{
	struct supervisor *s = bf_alloc(sizeof(*s));
	int code = 1;

	(void)argc;
	(void)argv;   /* argv[1] is the job's name, for people who look at a list of processes */
	closefrom(3); /* whatever a library in the worker has opened without O_CLOEXEC */
	prctl(PR_SET_NAME, BF_SUPERVISOR_NAME);
	(void)setsid(); /* already done when the worker starts it */
	s->program = (struct bf_launched){.out = -1, .progress = -1, .failed = -1};
	s->printed.returns = true;
	news_clear(&s->news);
	bf_buf_init(&s->outgoing, (size_t)4 * BF_SUPERVISOR_LINE_MAX + BF_SUPERVISOR_TAIL);
	arrange_signals(s);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && s->signals >= 0 && bf_order_sheet_read(CHANNEL, &s->order) == 0 &&
		fcntl(CHANNEL, F_SETFL, O_NONBLOCK) == 0) {
		supervise(s);
		code = 0;
	}
	supervisor_free(s);
	return code;
}
