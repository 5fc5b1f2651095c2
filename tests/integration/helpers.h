/*
 * For the tests that talk to real servers: the shared ones named by the environment, a Redis of one's own to be killed and
 * stopped, and a loop that runs until something has happened.
 */
#ifndef BF_TESTS_INTEGRATION_HELPERS_H
#define BF_TESTS_INTEGRATION_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/types.h>
#include <uv.h>

/* The value of an environment variable that the runner sets; the test program ends with a clear message without it. */
const char *need_env(const char *name);

/* Runs the loop until *count has reached `wanted`. A watchdog (of the whole program) ends a test that waits in vain. */
void run_until(uv_loop_t *loop, const int *count, int wanted);
/* Runs what is left, and checks that nothing was forgotten in the loop. */
void end_loop(uv_loop_t *loop);
void start_watchdog(unsigned seconds);

struct own_redis {
	char dir[64];
	char url[128];
	const char *password; /* or NULL */
	int port;             /* 0: only its unix socket */
	pid_t pid;            /* 0: not running */
};

/* Zeroed but for password and port. With `dir` set it is started again where it was. Returns when it answers. */
void own_redis_start(struct own_redis *r);
void own_redis_prepare(struct own_redis *r); /* makes the folder and the url only */
void own_redis_signal(struct own_redis *r, int signal);
void own_redis_kill(struct own_redis *r);   /* at once */
void own_redis_remove(struct own_redis *r); /* and its folder */
int free_port(void);

#endif
