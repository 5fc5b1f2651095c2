/*
 * bfstat: the commands that look. What they share: the two servers, of which either may be away, and the way out.
 *
 * A command parses its options with bf_command_parse, opens with bf_look_open what it can make use of, and answers from what is there.
 * bf_look_open says on stderr what could not be read, and is false (exit code 5) only when nothing could. A server that stands still,
 * or whose tables are locked, is away as well: no command waits for it longer than BF_PATIENCE, and goes on with the other one
 * (bf_look_lost).
 */
#ifndef BF_LOOK_LOOK_H
#define BF_LOOK_LOOK_H

#include <stdbool.h>

#include "base/dates.h"
#include "base/text.h"
#include "io/pg.h"
#include "io/redis.h"
#include "render/json.h"
#include "render/table.h"
#include "render/term.h"
#include "shared/program.h"

#define BF_LOOK_PAGE 2000 /* rows of one answer of the ledger */

enum { BF_LEDGER = 1, BF_QUEUE = 2 };

struct bf_look {
	struct bf_pg *pg;         /* NULL: cannot be read */
	struct bf_redis *redis;   /* NULL: cannot be read */
	unsigned uses;            /* what the command wants of BF_LEDGER | BF_QUEUE */
	struct bf_term term;      /* of stdout */
	bool quiet;               /* nothing on stderr: watch says it in its frame */
	char run[BF_RUN_MAX + 1]; /* the latest run of the pipeline that was named */
};

bool bf_look_open(struct bf_look *l, unsigned uses, int *exit_code);
/* After a failure: a server that was there does not answer any more, and the other one may do. Then that is said on stderr, the lost
 * one is closed, and the command asks again what is left of it. False: there is nothing left, and the error is the command's. */
bool bf_look_lost(struct bf_look *l, const struct bf_error *err);
void bf_look_close(struct bf_look *l);
/* Tries again what is away. For watch; nothing is printed. err: the last failure. False: neither server is there. */
bool bf_look_again(struct bf_look *l, struct bf_error *err);

/* "not_read": ["postgresql"] of the servers that the command would have used. Every JSON answer ends with it. */
void bf_look_json_end(const struct bf_look *l, struct bf_json *j);

/* A pipeline's name in *run becomes its latest run's, which is borrowed from l. -BF_E_NOT_FOUND with the near one where there is
 * one. Only with the ledger; without, the caller sees for itself. */
int bf_look_find_run(struct bf_look *l, const char **run, struct bf_error *err);
/* The same, and says on stderr which run it is: for a command whose answer does not begin with the run's name. */
int bf_look_find_run_and_say(struct bf_look *l, const char **run, struct bf_error *err);
/* step NULL: any. */
int bf_look_find_pipeline(const struct bf_look *l, const char *pipeline, const char *step, struct bf_error *err);

/* Appends "12 min ago". */
void bf_look_ago(struct bf_buf *out, int64_t now_ms, int64_t then_ms);
/* Appends "2012-01-01..2015-12-31", or "" when the run is not by date. */
void bf_look_range(struct bf_buf *out, const char *since, const char *until);

/* The commands: one file each. */
extern const struct bf_entry bf_look_runs; /* `bfstat` and `bfstat RUN` */
extern const struct bf_entry bf_look_watch, bf_look_jobs, bf_look_failures, bf_look_coverage, bf_look_gaps, bf_look_workers, bf_look_queues,
	bf_look_events, bf_look_verify, bf_look_report, bf_look_plan, bf_look_eta, bf_look_health, bf_look_missing;

#endif
