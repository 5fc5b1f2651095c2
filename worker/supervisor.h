/*
 * The supervisor of one exec job (PROTOCOL E1): a small process between the worker and the job's program, so that the program ends
 * when the worker is gone, hangs or says so, and takes everything it has started with it.
 *
 *     worker ──channel──> bf-supervisor ──fork──> program (a process group of its own) ──> whatever it starts
 *
 * It is the worker's own binary again, as argv[0] BF_SUPERVISOR_NAME, in a session of its own. The channel is its standard input, a
 * stream socket used both ways; nothing about the job but its name is in its argv or environment.
 *
 * The worker sends one packed bf_supervisor_start, then single bytes (enum bf_supervise): at least one heartbeat in each lease. When
 * the channel closes or is silent for a lease, everything is killed at once. (The parent-death signal would say the same earlier, but of
 * the thread that forked, and it would kill the supervisor instead of what it watches. It is set on the program: should the supervisor
 * die, the program dies too.)
 *
 * The supervisor answers in lines: `started PID` once (the process group), then at most ten times a second the latest of each of
 * `progress DONE [TOTAL]`, `checkpoint TEXT`, `rows N`, `note TEXT`, and at the end one line that bf_supervisor_end_parse reads, followed
 * by that many bytes of the tail of the output. Lines are at most BF_SUPERVISOR_LINE_MAX bytes; TEXT may be any bytes. When the program
 * itself has ended, what is left of its descendants is killed before the end is told.
 *
 * It is synchronous, one poll loop, without libuv; its memory does not grow with what the program prints.
 */
#ifndef BF_WORKER_SUPERVISOR_H
#define BF_WORKER_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define BF_SUPERVISOR_NAME       "bf-supervisor"
#define BF_SUPERVISOR_START_MAX  (2u << 20) /* what execve takes on Linux by default */
#define BF_SUPERVISOR_LINE_MAX   8192
#define BF_SUPERVISOR_TAIL       8192  /* bytes of output that are kept */
#define BF_SUPERVISOR_GIVE_UP_MS 10000 /* what SIGKILL has not ended by then (stuck in the kernel, another user's) is left */

enum bf_supervise {
	BF_SUPERVISE_BEAT = '.',
	BF_SUPERVISE_TERM = 't', /* SIGTERM to the program's group; SIGKILL to all after the grace */
	BF_SUPERVISE_KILL = 'k', /* SIGKILL to all */
};

struct bf_supervisor_start {
	const char *dir;   /* where the program runs */
	char *const *argv; /* argv[0]: a path with '/', or a name that is looked up in the PATH of env */
	char *const *env;  /* NAME=value; the program has no other */
	int64_t lease_ms, grace_ms;
};

/* Appends the message. -BF_E_LIMIT when it is larger than the buffer may be. */
int bf_supervisor_pack(const struct bf_supervisor_start *start, struct bf_buf *out, struct bf_error *err);

enum bf_end_how { BF_END_EXIT, BF_END_SIGNAL, BF_END_SPAWN /* it was not started; the tail says why */ };
enum bf_end_cause { BF_CAUSE_ITSELF, BF_CAUSE_ORDER, BF_CAUSE_SILENCE /* no heartbeat for a lease */ };

struct bf_supervisor_end {
	enum bf_end_how how;
	int code;                /* exit status, number of the signal, errno */
	enum bf_end_cause cause; /* what had been done to the program before it ended */
	bool left;               /* processes that could not be ended are left */
	size_t tail_len;
};

/* `line` without its newline. False when it is no such line. */
bool bf_supervisor_end_parse(const char *line, struct bf_supervisor_end *out);

/* The whole life of a supervisor; returns the exit code. */
int bf_supervisor_main(int argc, char **argv);

#endif
