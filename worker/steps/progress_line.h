/*
 * What a child tells about itself, line by line. Pure: bytes in, meaning out; the supervisor reads the pipes.
 *
 * A bf_lines cuts a stream of bytes into lines of at most BF_LINE_MAX bytes; it needs no memory but its own. The two parsers take
 * one line each: bf_progress_line_parse what comes on the descriptor BF_PROGRESS_FD,
 *
 *     progress 500 5000      done and total (the total may be left out)
 *     checkpoint TEXT        where the next attempt may go on
 *     rows 1234              rows affected
 *     note TEXT              shown beside the job
 *
 * and bf_ratio_parse what an ordinary program prints: "Processing 500/5000 positions".
 */
#ifndef BF_WORKER_PROGRESS_LINE_H
#define BF_WORKER_PROGRESS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BF_LINE_MAX 4096

struct bf_lines {
	bool returns; /* '\r' ends a line too, as programs that draw a bar use it */
	size_t len;
	bool cut; /* the line at hand is longer than fits */
	char data[BF_LINE_MAX];
};

/* cut: the line was longer, this is its beginning. The line is borrowed. */
typedef void (*bf_line_fn)(void *data, const char *line, size_t len, bool cut);

/* Calls `fn` for each line that ends in these bytes. A line that never ends is never told: it may be half of one. */
void bf_lines_feed(struct bf_lines *l, const char *bytes, size_t n, bf_line_fn fn, void *data);

enum bf_progress_kind { BF_PROGRESS_NONE, BF_PROGRESS_DONE, BF_PROGRESS_CHECKPOINT, BF_PROGRESS_ROWS, BF_PROGRESS_NOTE };

struct bf_progress_line {
	enum bf_progress_kind kind;
	int64_t done, total; /* DONE; total -1: not told */
	int64_t rows;        /* ROWS */
	const char *text;    /* CHECKPOINT, NOTE: borrowed, not NUL-terminated, may be any bytes; not empty */
	size_t text_len;
};

/* kind is BF_PROGRESS_NONE, and false returned, for a line that is none of these. */
bool bf_progress_line_parse(const char *line, size_t len, struct bf_progress_line *out);

/* The first N/M of a line that can be progress: 0 <= N <= M, M > 0, standing alone (no date, path, fraction or version). */
bool bf_ratio_parse(const char *line, size_t len, int64_t *done, int64_t *total);

#endif
