/*
 * The log: one line an event, on stderr, as text or JSON (BF_LOG), at or above a level (BF_LOG_LEVEL).
 *
 * A line says who it is about without anyone typing it: set a `struct bf_log_ctx` while a job is being
 * worked on (bf_log_push/bf_log_pop), and run, step, chunk and epoch are on every line. One logger per process;
 * it may be used from several threads (the context is per thread).
 * Text: `2024-01-15T10:30:00.123Z info  job started run=weather.k3v9qa step=daily chunk=2012-01-01 epoch=1`
 */
#ifndef BF_BASE_LOG_H
#define BF_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum bf_log_level { BF_LOG_DEBUG, BF_LOG_INFO, BF_LOG_WARN, BF_LOG_ERROR };

struct bf_log_ctx {
	const char *run, *step, *chunk; /* borrowed; any may be NULL */
	int64_t epoch;                  /* 0: not shown */
};

struct bf_error;

/* Reads BF_LOG and BF_LOG_LEVEL. A wrong value is an input error that lists the right ones.
 * `program` (borrowed) is on every JSON line as "program". */
int bf_log_init(const char *program, struct bf_error *err);
bool bf_log_on(enum bf_log_level level);
const struct bf_log_ctx *bf_log_push(const struct bf_log_ctx *ctx); /* returns the one before, to give back to bf_log_pop */
void bf_log_pop(const struct bf_log_ctx *before);
/* From now on this thread's lines below warn are gathered, in order, and written with the next one at warn or above, or by bf_log_flush,
 * which has to be called before the thread waits for anything, so that nothing is told late. What a SIGKILL meets in between is lost. */
void bf_log_gather(bool on); /* false: and no longer */
void bf_log_flush(void);
/*
 * One line that stands below the log and is drawn again in place, for a person who looks on: on a terminal, as text, at level
 * info. bf_log_live_wanted: whether that is so, and this process is in the foreground. bf_log_live shows `text` from now on, cut to
 * the terminal's width; NULL takes the line away. While it is shown, what bf_log_each_job would write at info is left out.
 */
bool bf_log_live_wanted(void);
void bf_log_live(const char *text);
bool bf_log_each_job(enum bf_log_level level); /* whether to write a line that comes with every job */

void bf_log_write(enum bf_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define bf_debug(...) (bf_log_on(BF_LOG_DEBUG) ? bf_log_write(BF_LOG_DEBUG, __VA_ARGS__) : (void)0)
#define bf_info(...)  bf_log_write(BF_LOG_INFO, __VA_ARGS__)
#define bf_warn(...)  bf_log_write(BF_LOG_WARN, __VA_ARGS__)
#define bf_err(...)   bf_log_write(BF_LOG_ERROR, __VA_ARGS__)

#endif
