/*
 * What the parts of the pipeline loader share.
 *
 * A `struct bf_reader` goes through all of them: it knows the file, and collects every problem instead of stopping at the first.
 * The bf_read_* helpers take a value out of a JSON object; what is absent leaves *out as it was, what is wrong is reported
 * and leaves it as it was, too. So a caller fills in the defaults, reads, and goes on; only bf_reader_report decides.
 *
 * Where in the file something is, is a chain of `struct bf_at` on the caller's stack: NULL is the file itself.
 */
#ifndef BF_CORE_PIPELINE_INTERNAL_H
#define BF_CORE_PIPELINE_INTERNAL_H

#include <jansson.h>

#include "core/json_doc.h"
#include "core/pipeline.h"

struct bf_at {
	const struct bf_at *up;
	const char *field; /* NULL: an element of an array, … */
	size_t index;      /* … this one */
};

static inline struct bf_at bf_at_field(const struct bf_at *up, const char *field)
{
	return (struct bf_at){.up = up, .field = field};
}

static inline struct bf_at bf_at_index(const struct bf_at *up, size_t index)
{
	return (struct bf_at){.up = up, .index = index};
}

struct bf_reader {
	struct bf_pipeline *p;
	const struct bf_json_doc *doc; /* what is read */
	char shown[256];               /* the file, as every line names it */
	bool pinned;                   /* a body of the ledger is read: the texts are in `files`, and the disk is not looked at */
	json_t *files;                 /* name -> text; borrowed. Filled while a file is loaded. */
	const char **param_names;      /* ends with NULL; borrowed from the model */
	const char **step_names;       /* by ordinal, as written; "" where there is none */

	struct bf_buf lines;
	size_t found, kept; /* problems, */
	size_t missing;     /* of which so many are files or programs that are not there */
};

/* pipeline_read.c */
void bf_reader_init(struct bf_reader *r, const char *file);
void bf_reader_release(struct bf_reader *r);
int bf_reader_report(struct bf_reader *r, struct bf_error *err); /* 0: no problem was found */
void bf_at_text(struct bf_buf *out, const struct bf_at *at);
void bf_problem(struct bf_reader *r, const struct bf_at *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void bf_problem_found(struct bf_reader *r, const struct bf_at *at, const json_t *found, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* found "x", expected <what>: a, b or c; or with the near one of the names */
void bf_word_text(struct bf_buf *out, const char *found, const char *what, const char *const *names);
void bf_problem_word(struct bf_reader *r, const struct bf_at *at, const char *found, const char *what, const char *const *names);
void bf_check_fields(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *const *known); /* known ends with NULL */
json_t *bf_read(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, json_type type);
json_t *bf_read_object(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *const *known);
const char *bf_read_text(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field);
bool bf_read_bool(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, bool otherwise);
bool bf_read_int(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, int min, int max, int *out);
bool bf_read_number(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, double min, double max, double *out);
void bf_read_soak_lengths(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_soak *s);
/* A decimal as it is written (base/decimal.h), at least `min` (NULL: any). The caller frees *out. */
bool bf_read_decimal(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *min, char **out);
char *bf_number_text(const struct bf_reader *r, const json_t *number); /* as it is written; the caller frees */
bool bf_read_duration(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, int64_t min_ms, int64_t *out);
int bf_read_choice(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *const *names, int otherwise);
void bf_read_name(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, char out[static BF_NAME_MAX + 1]);
bool bf_require(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *field, const char *expected);
bool bf_env_name_valid(const char *s);

/* pipeline_files.c */
struct bf_sql_use {
	bool keys;     /* the query that finds the keys: it has the parameters only */
	bool range;    /* what is asked when a run is planned: it has the parameters and the range */
	bool lookback; /* lookback_since or, in a pipeline of keys, lookback_key exists */
	bool single;   /* one statement, whose result is used */
	bool undo;     /* of what has been done: started_at and finished_at exist */
};
void bf_read_sql(struct bf_reader *r, const struct bf_at *at, json_t *name, const struct bf_sql_use *use, struct bf_sql_file *out);
char *bf_read_path(struct bf_reader *r, const struct bf_at *at, json_t *name); /* of a file in the pipeline's folder; NULL: reported */
char *bf_read_program(struct bf_reader *r, const struct bf_at *at, json_t *name);
extern const char *const bf_builtin_variables[11]; /* of SQL; ends with NULL */

/* pipeline_find.c, pipeline_body.c */
const char *bf_pipelines_folder(void);                                      /* $BF_PIPELINES, or its default */
bool bf_pipeline_names_file(const struct bf_pipeline *p, const char *name); /* whether a step or the keys name this SQL file */

/* pipeline_params.c */
void bf_read_params(struct bf_reader *r, json_t *root); /* before whatever may name them */
/* Once the steps are read: a parameter that one with an effect uses has to say what another value means for coverage. */
void bf_check_param_uses(struct bf_reader *r);

/* pipeline_chunk.c */
void bf_read_chunking(struct bf_reader *r, const struct bf_at *up, json_t *object, bool of_step, struct bf_chunking *out);

/* pipeline_steps.c, pipeline_check.c, pipeline_needs.c */
struct bf_step_defaults {
	int64_t timeout_ms;
	struct bf_retry retry;
	enum bf_on_failure on_failure;
};
extern const char *const bf_on_failure_names[];
void bf_read_retry(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_retry *retry);
void bf_check_template(struct bf_reader *r, const struct bf_at *at, json_t *text);
void bf_read_steps(struct bf_reader *r, json_t *root, const struct bf_step_defaults *defaults);
void bf_read_artifacts(struct bf_reader *r, json_t *root); /* once the steps are read */
bool bf_file_name_inside(const char *name);                /* relative, and without a ".." */
void bf_read_check(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c);
void bf_read_http(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http); /* pipeline_http.c */
void bf_http_spec_release(struct bf_http_spec *http);
void bf_read_needs(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s);
int bf_step_ordinal(const struct bf_reader *r, const char *name); /* -1: there is none of that name */
void bf_check_cycles(struct bf_reader *r);
void bf_check_waits(struct bf_reader *r); /* for chunks, once all steps are known */
void bf_check_ofs(struct bf_reader *r);   /* what checks are of, once all needs are known */

#endif
