/*
 * What a job's templates and SQL variables stand for: {{since}} {{until}} {{key}} {{run}} {{chunk}} {{step}} {{param.x}}
 * {{env.X|default}} in argv, env, URLs, headers and bodies; :'since' :'until' :'key' :'run' :'chunk' :'step' :'lookback_since' or, in a
 * pipeline of keys, :'lookback_key', and :'x' (a parameter) in SQL; in a rollback file :'started_at' and :'finished_at', too.
 */
#ifndef BF_CORE_VARS_H
#define BF_CORE_VARS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/dates.h"
#include "base/error.h"

struct bf_vars {
	const char *run, *step, *chunk;
	const char *since, *until, *lookback_since; /* YYYY-MM-DD; "" for a key without dates */
	const char *key;                            /* "" for a date chunk */
	const char *lookback_key;                   /* NULL: it does not look back in keys */
	const char *started_at, *finished_at;       /* of what is undone; otherwise NULL, and no variables */
	const char *const *param_names;             /* n_params */
	const char *const *param_values;
	size_t n_params;
	int redone; /* how often the job was opened again although it was done */
};

/* The job's idempotency key: run/step/chunk at every try, run/step/chunk/N when it is done for the Nth time because that was asked for. The
 * caller frees it. */
char *bf_job_key(const struct bf_vars *v);

/* NULL: no such variable. */
const char *bf_vars_sql(const struct bf_vars *v, const char *name, size_t len);

/* Checks a template without values: unknown names, an unclosed {{. `where` names it in the error ("step daily: argv[2]"). */
int bf_template_check(const char *text, const char *const *param_names, size_t n_params, const char *where, struct bf_error *err);
/* How a value is written where it stands. What the file itself says, defaults and env.X in a URL, stays as it is. */
enum bf_escape {
	BF_ESCAPE_NONE,
	BF_ESCAPE_URL,       /* percent-encoded but for RFC 3986's unreserved characters; env.X is a part of the URL as it is */
	BF_ESCAPE_URL_SHOWN, /* the same for people: {{env.X}} stays, for it may be a secret */
	BF_ESCAPE_JSON       /* inside the quotes of a JSON text */
};
/* env.X reads this process's environment; without a value and a default it is an input error. */
int bf_template_render(const char *text, const struct bf_vars *v, enum bf_escape escape, struct bf_buf *out, struct bf_error *err);

/* Calls `each` with the name of each environment variable that a template uses. */
void bf_template_each_env(const char *text, void (*each)(const char *name, size_t len, bool has_default, void *data), void *data);

#endif
