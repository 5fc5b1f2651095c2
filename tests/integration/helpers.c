#include "helpers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/redis.h"

const char *need_env(const char *name)
{
	const char *value = getenv(name);
	if (value && *value)
		return value;
	(void)fprintf(stderr, "%s is not set: these tests need the address of a private server (tests/run provides it)\n", name);
	exit(2);
}

static void time_is_up(int signal)
{
	static const char text[] = "the watchdog ended this test program: it waited for something that did not happen\n";
	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(3);
}

void start_watchdog(unsigned seconds)
{
	(void)signal(SIGALRM, time_is_up);
	(void)alarm(seconds);
}

void run_until(uv_loop_t *loop, const int *count, int wanted)
{
	while (*count < wanted)
		if (!uv_run(loop, UV_RUN_ONCE) && *count < wanted)
			fail_msg("the loop has nothing left to wait for");
}

void end_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

void own_redis_prepare(struct own_redis *r)
{
	if (*r->dir)
		return;
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/bf-redis-XXXXXX");
	if (!mkdtemp(r->dir))
		fail_msg("mkdtemp %s: %s", r->dir, strerror(errno));
	if (r->password)
		(void)snprintf(r->url, sizeof(r->url), "unix://:%s@%s/redis.sock", r->password, r->dir);
	else
		(void)snprintf(r->url, sizeof(r->url), "unix://%s/redis.sock", r->dir);
}

static void become_redis(const struct own_redis *r)
{
	char socket_path[96], port[8];
	(void)snprintf(socket_path, sizeof(socket_path), "%s/redis.sock", r->dir);
	(void)snprintf(port, sizeof(port), "%d", r->port);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	int nowhere = open("/dev/null", O_RDWR);
	(void)dup2(nowhere, STDIN_FILENO);
	(void)dup2(nowhere, STDOUT_FILENO);
	execlp("redis-server", "redis-server", "--unixsocket", socket_path, "--port", port, "--bind", "127.0.0.1", "--dir", r->dir, "--save",
		   "", "--appendonly", "no", "--requirepass", r->password ? r->password : "", "--enable-debug-command", "yes", (char *)NULL);
	_exit(127);
}

static bool answers(const struct own_redis *r)
{
	struct bf_redis *redis;
	if (bf_redis_open(r->url, &redis, NULL))
		return false;
	bf_redis_close(redis);
	return true;
}

void own_redis_start(struct own_redis *r)
{
	own_redis_prepare(r);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		become_redis(r);
	while (!answers(r)) {
		int status;
		if (waitpid(r->pid, &status, WNOHANG) == r->pid)
			fail_msg("redis-server ended with status %d", WEXITSTATUS(status));
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

void own_redis_signal(struct own_redis *r, int signal)
{
	assert_int_equal(kill(r->pid, signal), 0);
}

void own_redis_kill(struct own_redis *r)
{
	if (r->pid == 0)
		return;
	own_redis_signal(r, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
	r->pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

void own_redis_remove(struct own_redis *r)
{
	own_redis_kill(r);
	(void)nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
