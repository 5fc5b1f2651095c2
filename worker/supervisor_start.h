/*
 * How a supervisor starts the program it was told to start. Only supervisor.c uses this.
 */
#ifndef BF_WORKER_SUPERVISOR_START_H
#define BF_WORKER_SUPERVISOR_START_H

#include <sys/types.h>

#include "supervisor.h"

#define BF_PROGRESS_FD_NUMBER "3" /* the program's descriptor for progress */

/* The start message, taken apart. Texts point into `message`. */
struct bf_order_sheet {
	char *message;
	const char *dir;
	char **argv, **env;
	int64_t lease_ms, grace_ms;
};

/* Waits for the start message on `channel`. -1: none came, or it is broken. */
int bf_order_sheet_read(int channel, struct bf_order_sheet *out);
void bf_order_sheet_release(struct bf_order_sheet *o);

struct bf_launched {
	pid_t pid;
	int out, progress; /* what the program writes; not blocking */
	int failed;        /* end of file: the program runs; otherwise bf_launch_failure reads why not */
};

/* Forks and executes. An error (no pipe, no process) is told in err. */
int bf_launch(const struct bf_order_sheet *o, struct bf_launched *out, struct bf_error *err);

/* After `failed` became readable: 0 when the program runs, else an error with errno and a text. */
int bf_launch_failure(const struct bf_order_sheet *o, int failed, struct bf_error *err);

#endif
