/*
 * Errors, as every module of this program reports them.
 *
 * A function that can fail returns 0, or a negative `enum bf_errc`, and takes
 * a `struct bf_error *` as its last argument, which it writes only on failure.
 * Libraries return errors; only the worker and the commands log or print them.
 */
#ifndef BF_BASE_ERROR_H
#define BF_BASE_ERROR_H

#include <stdint.h>

enum bf_errc {
	BF_E_INPUT = 1,       /* what the user gave is wrong: exit code 2 */
	BF_E_NOT_FOUND,       /* the named thing does not exist */
	BF_E_CONFLICT,        /* the state of things does not allow it */
	BF_E_UNAVAILABLE,     /* a server cannot be reached or refuses to serve: exit code 5 */
	BF_E_UNKNOWN_OUTCOME, /* sent, and the answer was lost: it may or may not have happened */
	BF_E_FENCED,          /* this attempt is no longer the job's */
	BF_E_SQL,             /* PostgreSQL answered with an error; see sqlstate */
	BF_E_REDIS,           /* Redis answered with an error */
	BF_E_IO,              /* a file, pipe or process; see sys_errno */
	BF_E_LIMIT,           /* a declared bound was exceeded */
	BF_E_INTERNAL         /* a promise of this program's own is broken */
};

#define BF_ERROR_TEXT_MAX 4096

struct bf_error {
	enum bf_errc code;
	int sys_errno;                /* errno, or 0 */
	char sqlstate[6];             /* "" or five characters, of PostgreSQL */
	int64_t sql_position;         /* where in the statement, in characters from 1; 0: PostgreSQL does not say */
	char text[BF_ERROR_TEXT_MAX]; /* one or more lines of printable UTF-8 and tabs, no newline at the end, never a secret */
};

/* Fills *err (NULL is allowed) and returns -code, so that a caller may write `return bf_fail(...)`. */
int bf_fail(struct bf_error *err, enum bf_errc code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with errno's meaning appended: "open x.sql: No such file or directory". Code BF_E_IO. */
int bf_fail_errno(struct bf_error *err, int sys_errno, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "what: " before the text that is already there. Returns -err->code. */
int bf_error_prefix(struct bf_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts more lines below it. */
void bf_error_add_lines(struct bf_error *err, const char *lines);

/* The exit code (1, 2 or 5) that an operator's command ends with on this error. */
int bf_error_exit_code(const struct bf_error *err);

#endif
