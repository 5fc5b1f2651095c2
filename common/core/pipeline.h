/*
 * A pipeline: the model of the JSON file, checked.
 *
 * Two ways in: bf_pipeline_load_file (an operator's file: also reads the SQL files it names and checks that
 * executables exist; *every* problem is reported, one a line) and bf_pipeline_load_body (what a run pinned in
 * the ledger: the same JSON with a "files" object that holds the SQL text, so that a run never depends on a file
 * that is edited later). bf_pipeline_body makes the second from the first, deterministic to the byte.
 *
 * The model is read-only once loaded; strings belong to it.
 */
#ifndef BF_CORE_PIPELINE_H
#define BF_CORE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dates.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/text.h"

#define BF_STEPS_MAX         64
#define BF_PIPELINE_FILE_MAX (1u << 20) /* bytes of a pipeline file */
#define BF_SQL_FILE_MAX      (1u << 20) /* bytes of one SQL file */
#define BF_CONCURRENCY_MAX   10000      /* the largest that a file may allow */

enum bf_kind { BF_KIND_SQL, BF_KIND_EXEC, BF_KIND_CHECK, BF_KIND_NOOP, BF_KIND_APPROVAL, BF_KIND_SOAK, BF_KIND_HTTP };
enum bf_per { BF_PER_CHUNK, BF_PER_RUN };
enum bf_order { BF_ORDER_ASC, BF_ORDER_DESC };
enum bf_on_failure { BF_HALT, BF_CONTINUE };
enum bf_check_type {
	BF_CHECK_METRIC,
	BF_CHECK_ROW_COUNT,
	BF_CHECK_EQUALS,
	BF_CHECK_ROWS,
	BF_CHECK_RANGE,
	BF_CHECK_FRESHNESS,
	BF_CHECK_COVERAGE,
	BF_CHECK_SUCCESS_RATE,
	BF_CHECK_HTTP,
	BF_CHECK_JSON
};
enum bf_on_empty { BF_EMPTY_USUAL /* it is not said */, BF_EMPTY_PASS, BF_EMPTY_WARN, BF_EMPTY_FAIL };
enum bf_cmp { BF_CMP_NONE, BF_CMP_LT, BF_CMP_LE, BF_CMP_GT, BF_CMP_GE, BF_CMP_EQ, BF_CMP_NE };

struct bf_condition { /* "< 1.0"; of freshness and latency "> 24h" */
	enum bf_cmp op;   /* BF_CMP_NONE: not given */
	char *number;     /* a decimal (base/decimal.h); of freshness and latency: ms */
	char *text;       /* as written */
};

struct bf_sql_file {
	char *name; /* as in the pipeline: "sql/daily.sql", relative to the pipeline's folder; NULL: none */
	char *text; /* its content */
};

struct bf_chunking { /* how a step's range is cut, or its keys found */
	bool by_key;
	enum bf_unit unit; /* by date */
	int size;
	int max;                     /* the largest --batch-days */
	struct bf_sql_file keys_sql; /* by key: a query whose first column is the key … */
	char *keys_file;             /* … or a JSON file (absolute path once loaded), */
	char *keys_array;            /* the name of the array in it, */
	char *keys_id;               /* and of the member of its objects that is the key (NULL: the elements are texts) */
};

struct bf_env_var {
	char *name, *value;
}; /* value is a template */

#define BF_STATUSES_MAX 20

struct bf_http_spec { /* a request; url, the headers' values and the body are templates */
	char *method;     /* "GET", …; NULL: there is no request */
	char *url;
	struct bf_env_var *headers;
	size_t n_headers;
	char *body;                    /* NULL: none */
	bool body_is_json;             /* it is JSON text, and values are put inside its quotes */
	int statuses[BF_STATUSES_MAX]; /* that are expected */
	size_t n_statuses;             /* 0: 200 to 299 */
	int redirects;                 /* followed at most */
};

enum bf_http_figure { BF_FIGURE_STATUS, BF_FIGURE_LATENCY, BF_FIGURE_VALUE };

struct bf_check {
	char name[BF_NAME_MAX + 1]; /* of a soak's; "" for the only one of a check step */
	enum bf_check_type type;
	/* metric, range, equals: yields one number; freshness: one time; row_count: its rows are counted; rows: each is a violation, and those
	 * with the severity "warning" only warn */
	struct bf_sql_file query;
	struct bf_sql_file expected;           /* equals: a query, or … ; coverage: what should be there, days or keys */
	struct bf_sql_file present;            /* coverage: what is there */
	int of;                                /* coverage, success_rate: of this step (ordinal); -1: of files, of all steps */
	char *expected_number;                 /* equals: … this decimal (base/decimal.h); NULL: the query's */
	char *tolerance;                       /* equals: |actual - expected| may be this; NULL: 0 */
	char *min, *max;                       /* range; NULL: open */
	bool only_warns;                       /* equals, range: "severity": "warning" */
	struct bf_sql_file count;              /* metric, range, equals, rows: yields how many rows were looked at; name NULL: not asked */
	enum bf_on_empty on_empty;             /* what a check on nothing is */
	struct bf_http_spec http;              /* http */
	enum bf_http_figure figure;            /* http: what of the answer is judged */
	char *json_file;                       /* json: a template; relative to the pipeline's folder */
	char *pointer;                         /* http: of the value in the answer; json: of what is counted, or the number; RFC 6901 */
	struct bf_condition warn_if, error_if; /* the others: of the figure */
};

struct bf_rollback {            /* how what a job has done is undone (core/undo.h) */
	struct bf_sql_file file;    /* statements; name NULL: it cannot be undone */
	struct bf_sql_file changed; /* a query for what another writer has changed since; where it yields a row, nothing is undone */
	struct bf_sql_file verify;  /* a query that yields no row after it */
};

#define BF_SOAK_LEAST_MS 100
#define BF_SAMPLES_MAX   100000

struct bf_soak {
	int64_t interval_ms, duration_ms;   /* between two samples; from the first to the last */
	int interval_param, duration_param; /* the parameter that says so, by its place; -1: the file does. See bf_soak_set */
	int failure_limit;                  /* so many samples that failed end it */
};

struct bf_approval {
	int64_t timeout_ms;      /* how long a person is asked; 0: for ever */
	bool approve_on_timeout; /* then; otherwise it counts as rejected */
	char *review;            /* a template: what the person should look at; NULL: nothing is said */
};

struct bf_step {
	char name[BF_NAME_MAX + 1];
	char phase[BF_NAME_MAX + 1]; /* that it belongs to, by which it can be named with others; "": none */
	int ordinal;                 /* 0, 1, … as in the file */
	enum bf_kind kind;
	enum bf_per per; /* check: run by default; approval, soak: run; the others: chunk */
	int *needs;      /* ordinals */
	size_t n_needs;
	bool wait_for_chunk; /* each chunk waits for the same chunk (and what it looks back at) of the needs that have chunks, not for all of
							them */
	bool feeds_chunks;   /* a step that waits for chunks comes after it, in any number of hops */
	int concurrency;     /* of this step alone; 0: only the run's */
	enum bf_order order;
	bool has_order;           /* the file fixes it: --order does not change it */
	bool has_chunk;           /* has a chunking of its own */
	struct bf_chunking chunk; /* the step's, or a copy of the pipeline's */
	int lookback;             /* 0: none; in days, which gives lookback_since = since - lookback, or in keys, which gives lookback_key */
	bool lookback_blocks;     /* "warmup": "block": what it looks back at before the first chunk has to be there */
	bool split;               /* a chunk of several days that failed for good is split in two */
	enum bf_on_failure on_failure;
	double max_failed_ratio; /* of its jobs, that may fail without stopping what comes after; -1: on_failure says */
	struct bf_retry retry;
	int64_t timeout_ms;                   /* of one attempt */
	struct bf_sql_file sql;               /* BF_KIND_SQL */
	struct bf_http_spec http;             /* BF_KIND_HTTP */
	char **argv;                          /* BF_KIND_EXEC: templates; argv[0] absolute path or a name in PATH; ends with NULL */
	struct bf_sql_file expected, present; /* sql, exec, http, noop: which days or keys should be there, and which are; both or none */
	struct bf_rollback rollback;          /* sql, exec, http, noop */
	struct bf_check *checks;              /* BF_KIND_CHECK: one; BF_KIND_SOAK: those of a sample */
	size_t n_checks;
	struct bf_soak soak;         /* BF_KIND_SOAK */
	struct bf_approval approval; /* BF_KIND_APPROVAL */
};

/* concurrency 1 and a date or key order: one at a time, no hole before it */
bool bf_step_chronological(const struct bf_step *s);

struct bf_param {
	char name[BF_NAME_MAX + 1];
	char *default_value; /* NULL: must be given */
	bool identity;       /* part of the coverage's identity (PROTOCOL P1) */
	bool trial;          /* what is done with another value than the default is not coverage */
	bool harmless;       /* "affects": "nothing": its value does not change what is done */
};

enum bf_artifact_what {
	BF_ARTIFACT_SUMMARY,
	BF_ARTIFACT_RESULTS,
	BF_ARTIFACT_BATCHES,
	BF_ARTIFACT_CHECKS,
	BF_ARTIFACT_SOAK,
	BF_ARTIFACT_SIGN_OFF,
	BF_ARTIFACT_ROLLBACK,
	BF_ARTIFACT_VIOLATIONS
};

#define BF_REPORT_LIST ".bfstat-report" /* what names of bfstat's own begin with, in the folder of a report */

/* Whether a report may have a file of this name: relative, each part a name, nothing in it that is not seen. */
bool bf_artifact_name_valid(const char *name);

struct bf_artifact { /* a file that `bfstat report` writes about a run */
	char *file;      /* relative; "{{date}}" is the day on which the run was planned; of batches with one '*', which is their number */
	enum bf_artifact_what what;
	int size; /* of batches: jobs in one file */
};

struct bf_pipeline {
	char name[BF_NAME_MAX + 1];
	char *description;           /* "" when none */
	char *timezone;              /* whose day "today" is, for --since=-7d and the like; default "UTC" */
	char *dir;                   /* absolute folder of the file: where executables and key files are looked up */
	char queue[BF_NAME_MAX + 1]; /* default "default" */
	struct bf_chunking chunk;
	int concurrency_default, concurrency_max;
	double rate_interval_ms;     /* between two starts of a run's jobs, from "rate"; 0: none */
	int64_t pause_ms;            /* from "pause"; 0: none */
	struct bf_sql_file throttle; /* a query that holds a run back (core/throttle.h); name NULL: none */
	int64_t throttle_ms;         /* how often it is asked */
	char **env_pass;             /* names; ends with NULL */
	struct bf_env_var *env_set;
	size_t n_env_set;
	struct bf_param *params;
	size_t n_params;
	struct bf_artifact *artifacts;
	size_t n_artifacts;
	struct bf_step *steps;
	int n_steps;
	struct bf_json_doc *body; /* the file's JSON with "files", for bf_pipeline_body */
};

void bf_pipeline_free(struct bf_pipeline *p);

/* name_or_path: a path (it has '/' or ends in .json), or a name looked up as $BF_PIPELINES/NAME/pipeline.json (then NAME.json).
 * An unknown name: the error lists the known ones and suggests the near one. */
int bf_pipeline_find(const char *name_or_path, char **path, struct bf_error *err);
int bf_pipeline_load_file(const char *path, struct bf_pipeline **out, struct bf_error *err);
/* The same, but that SQL files or programs are not there is no error: what is missing is said in `missing`, a line each, and the pipeline
 * is good for looking what else is (core/preflight.h), and for nothing more. */
int bf_pipeline_load_with_missing(const char *path, struct bf_pipeline **out, struct bf_buf *missing, struct bf_error *err);

/* `dir`: the folder the run recorded; if it is not there, $BF_PIPELINES/NAME is used. No file is read. -BF_E_LIMIT: it
 * is no JSON that this program's library reads, such as one with an integer of more than 64 bits. -BF_E_INPUT: it has
 * something that this version of the program does not know; another may. */
int bf_pipeline_load_body(const char *body, size_t len, const char *dir, struct bf_pipeline **out, struct bf_error *err);
/* The pinned body (JSON text, keys sorted, with "files"). */
int bf_pipeline_body(const struct bf_pipeline *p, struct bf_buf *out, struct bf_error *err);

/* Puts a run's parameters (values as p->params; NULL: the default) into the lengths of its soaks. -BF_E_INPUT: one is no such length. */
int bf_soak_set(struct bf_pipeline *p, const char *const *values, struct bf_error *err);

const struct bf_step *bf_pipeline_step(const struct bf_pipeline *p, const char *name); /* NULL: none */
const char *bf_kind_name(enum bf_kind k);
const char *bf_check_type_name(enum bf_check_type type);
const char *bf_guarantee(const struct bf_step *s); /* "exactly once", "at least once, with an idempotency key", "a person decides" */

#endif
