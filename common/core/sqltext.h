/*
 * A step's SQL, in psql's own notation (`psql -v since=… -f file` runs it too).
 *
 * bf_sqltext_parse reads the text as psql's lexer does (comments that nest, quotes, E'' strings, dollar quotes) and gives
 * its pieces: text, and the variables :name, :'name' and :"name". It refuses what psql would stumble over (an unterminated
 * quote, dollar quote or comment, with the line it began on), backslash commands, COPY FROM STDIN, and transaction control
 * (BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE, PREPARE TRANSACTION, SET TRANSACTION as the first words of a
 * statement): a job's transaction is this program's; and so is its record, hence no call of a function in schema bf. `::` casts and array
 * slices are no variables. A quote that goes on with a variable's
 * (:'name''…', or on the next line) is refused, too: whether its backslashes escape would be up to the variable's value.
 */
#ifndef BF_CORE_SQLTEXT_H
#define BF_CORE_SQLTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum bf_sqltext_kind { BF_SQL_TEXT, BF_SQL_RAW /* :name */, BF_SQL_LITERAL /* :'name' */, BF_SQL_IDENT /* :"name" */ };

struct bf_sqltext_piece {
	enum bf_sqltext_kind kind;
	const char *start; /* borrowed from the text: of the text, or of the variable's name */
	size_t len;
	int line;
};

struct bf_sqltext_statement {
	const char *start; /* borrowed: from its first token … */
	size_t len;        /* … to its ';', without it, or to the end */
	int line;
	bool plain; /* of those that `plain` names */
};

struct bf_sqltext {
	struct bf_sqltext_piece *pieces;
	size_t n_pieces;
	struct bf_sqltext_statement *statements; /* that hold more than space and comments */
	bool plain;                              /* nothing but INSERT, UPDATE, DELETE, MERGE, SELECT, WITH, VALUES, TABLE, TRUNCATE and LOCK */
	int n_statements;
	bool unended; /* the last of them has no ';' of its own */
};

int bf_sqltext_parse(const char *text, size_t len, struct bf_sqltext *out, struct bf_error *err);
void bf_sqltext_release(struct bf_sqltext *t);

/* The length of a query without the ';' that ends it and what comes after: up to the last ';' before which the statement is not ended. */
size_t bf_sqltext_query_len(const char *sql);

/* What a variable stands for, or NULL when there is none of this name (len bytes, not NUL-terminated). */
typedef const char *(*bf_sqltext_lookup)(void *data, const char *name, size_t len);
/* Appends `value` quoted; of libpq. */
typedef int (*bf_sqltext_quote)(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err);

/* The text with its variables replaced. A :name value must be a number, a date or a plain word [A-Za-z0-9_.-]+, for it is not
 * quoted. Adds "\n" at the end and, where missing, ";" after the last statement. */
int bf_sqltext_render(const struct bf_sqltext *t, bf_sqltext_lookup lookup, bf_sqltext_quote quote, void *data, struct bf_buf *out,
					  struct bf_error *err);

#endif
