#include "supervisor_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define START_WAIT_MS 10000
#define DEFAULT_PATH  "/usr/local/bin:/usr/bin:/bin"
#define LOWEST_FD     10 /* of pipes: out of the way of the descriptors that the program gets */

/* ---- the start message: its length, then texts that end with NUL: lease, grace, number of arguments, folder, argv…, env… ---- */

int bf_supervisor_pack(const struct bf_supervisor_start *start, struct bf_buf *out, struct bf_error *err)
{
	size_t before = out->len;
	uint32_t len = 0;
	int n = 0;

	while (start->argv[n])
		n++;
	bf_buf_add(out, &len, sizeof(len));
	bf_buf_printf(out, "%lld%c%lld%c%d%c%s%c", (long long)start->lease_ms, 0, (long long)start->grace_ms, 0, n, 0, start->dir, 0);
	for (int i = 0; i < n; i++)
		bf_buf_add(out, start->argv[i], strlen(start->argv[i]) + 1);
	for (char *const *e = start->env; *e; e++)
		bf_buf_add(out, *e, strlen(*e) + 1);
	if (out->overflow)
		return bf_fail(err, BF_E_LIMIT, "the program's arguments and environment are longer than %zu bytes", out->max);
	len = (uint32_t)(out->len - before - sizeof(len));
	memcpy(out->data + before, &len, sizeof(len));
	return 0;
}

/* Exactly n bytes, or -1. */
static int read_exactly(int fd, void *to, size_t n)
{
	for (char *at = to; n > 0;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = poll(&p, 1, START_WAIT_MS);
		ssize_t got = ready > 0 ? read(fd, at, n) : -1;

		if (got > 0) {
			at += got;
			n -= (size_t)got;
		} else if (got == 0 || ready == 0 || (errno != EINTR && errno != EAGAIN)) {
			return -1;
		}
	}
	return 0;
}

static int64_t number_in(const char *text)
{
	int64_t n;

	return bf_text_int(text, 0, INT64_MAX / 2, &n) == 0 ? n : -1;
}

/* The texts, and a NULL after argv and after env. */
static int take_apart(struct bf_order_sheet *o, size_t len)
{
	size_t n = 0, i = 0;

	for (size_t at = 0; at < len; at++)
		n += o->message[at] == '\0';
	BF_AUTOFREE char **texts = bf_alloc((n + 1) * sizeof(*texts));
	for (char *at = o->message; i < n; at += strlen(at) + 1)
		texts[i++] = at;
	int64_t argc = n > 4 ? number_in(texts[2]) : -1;
	if (argc < 1 || (size_t)argc > n - 4)
		return -1;
	o->lease_ms = number_in(texts[0]);
	o->grace_ms = number_in(texts[1]);
	o->dir = texts[3];
	o->argv = bf_alloc(((size_t)argc + 1) * sizeof(*o->argv));
	memcpy(o->argv, texts + 4, (size_t)argc * sizeof(*o->argv));
	o->env = bf_alloc((n - 4 - (size_t)argc + 1) * sizeof(*o->env));
	memcpy(o->env, texts + 4 + argc, (n - 4 - (size_t)argc) * sizeof(*o->env));
	return o->lease_ms > 0 && o->grace_ms >= 0 ? 0 : -1;
}

int bf_order_sheet_read(int channel, struct bf_order_sheet *out)
{
	uint32_t len;

	*out = (struct bf_order_sheet){.message = NULL};
	if (read_exactly(channel, &len, sizeof(len)) < 0 || len == 0 || len > BF_SUPERVISOR_START_MAX)
		return -1;
	out->message = bf_alloc((size_t)len + 1);
	if (read_exactly(channel, out->message, len) < 0)
		return -1;
	return take_apart(out, len);
}

void bf_order_sheet_release(struct bf_order_sheet *o)
{
	free(o->argv);
	free(o->env);
	free(o->message);
	*o = (struct bf_order_sheet){.message = NULL};
}

/* ---- in the new process ---- */

enum launch_part { PART_SETUP, PART_DIR, PART_PROGRAM };

struct launch_trouble {
	enum launch_part part;
	int sys_errno;
};

static const char *path_of(char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return DEFAULT_PATH;
}

/* As execvp, but with the program's own PATH, and never by way of a shell. Returns errno. */
static int execute(char **argv, char **env)
{
	char file[PATH_MAX];
	int trouble = ENOENT;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return errno;
	}
	for (const char *p = path_of(env); p; p = strchr(p, ':')) {
		p += *p == ':';
		size_t len = strcspn(p, ":");
		if (snprintf(file, sizeof(file), "%.*s/%s", len ? (int)len : 1, len ? p : ".", argv[0]) >= (int)sizeof(file))
			continue;
		execve(file, argv, env);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return errno;
		if (errno == EACCES)
			trouble = EACCES;
	}
	return trouble;
}

static void signals_to_default(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL); /* fails for a few, which cannot be anything else */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int arrange(pid_t supervisor, int out, int progress)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	signals_to_default();
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != supervisor) /* it died before it could be told */
		_exit(127);
	return null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || dup2(progress, 3) < 0 ? -1 : 0;
}

static _Noreturn void become(const struct bf_order_sheet *o, pid_t supervisor, int out, int progress, int failed)
{
	struct launch_trouble t = {.part = PART_SETUP};

	if (arrange(supervisor, out, progress) < 0) {
		t.sys_errno = errno;
	} else if (chdir(o->dir) < 0) {
		t = (struct launch_trouble){.part = PART_DIR, .sys_errno = errno};
	} else {
		t.part = PART_PROGRAM;
		t.sys_errno = execute(o->argv, o->env);
	}
	if (write(failed, &t, sizeof(t)) < 0)
		_exit(126);
	_exit(127);
}

/* ---- in the supervisor ---- */

static void close_pair(int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}

static int make_pipe(int fd[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) < 0)
		return -1;
	fd[0] = fcntl(low[0], F_DUPFD_CLOEXEC, LOWEST_FD);
	fd[1] = fcntl(low[1], F_DUPFD_CLOEXEC, LOWEST_FD);
	int sys_errno = errno;
	close_pair(low);
	errno = sys_errno;
	return fd[0] < 0 || fd[1] < 0 || fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
}

int bf_launch(const struct bf_order_sheet *o, struct bf_launched *l, struct bf_error *err)
{
	int out[2] = {-1, -1}, progress[2] = {-1, -1}, failed[2] = {-1, -1};
	pid_t self = getpid(), pid = -1;
	const char *what = "no pipe for the output";

	if (make_pipe(out) == 0 && make_pipe(progress) == 0 && make_pipe(failed) == 0) {
		what = "no new process";
		pid = fork();
	}
	if (pid == 0)
		become(o, self, out[1], progress[1], failed[1]);
	if (pid < 0) {
		int rc = bf_fail_errno(err, errno, "cannot start %s: %s", o->argv[0], what);
		close_pair(out);
		close_pair(progress);
		close_pair(failed);
		return rc;
	}
	setpgid(pid, pid); /* it does so too; whoever is first */
	*l = (struct bf_launched){.pid = pid, .out = out[0], .progress = progress[0], .failed = failed[0]};
	close(out[1]);
	close(progress[1]);
	close(failed[1]);
	return 0;
}

int bf_launch_failure(const struct bf_order_sheet *o, int failed, struct bf_error *err)
{
	struct launch_trouble t;

	if (read(failed, &t, sizeof(t)) != (ssize_t)sizeof(t))
		return 0;
	switch (t.part) {
	case PART_SETUP:
		return bf_fail_errno(err, t.sys_errno, "cannot prepare the start of %s", o->argv[0]);
	case PART_DIR:
		return bf_fail_errno(err, t.sys_errno, "cannot start %s: cannot enter the pipeline's folder %s", o->argv[0], o->dir);
	case PART_PROGRAM:
		if (t.sys_errno == ENOENT)
			return bf_fail_errno(err, t.sys_errno, "cannot start %s (the program, or the interpreter in its first line)", o->argv[0]);
		return bf_fail_errno(err, t.sys_errno, "cannot start %s", o->argv[0]);
	}
	return 0;
}
