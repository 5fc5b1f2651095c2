/*
 * What `coverage` and `gaps` are asked about: a pipeline as the ledger knows it and as its file says it, one step or all of them, and the
 * parameters that were given.
 *
 * Where the file is at hand, its steps, keys and queries count beside what runs have recorded; without it only the latter does.
 */
#ifndef BF_LOOK_SUBJECT_H
#define BF_LOOK_SUBJECT_H

#include "base/options.h"
#include "core/pipeline.h"
#include "look/look.h"

struct bf_days_options {
	bool json;
	const char *step, *after;
	struct bf_opt_date since, until;
	struct bf_opt_list param;
	int64_t limit; /* 0: none was given */
};

struct bf_subject {
	const struct bf_look *look;
	const char *name;                /* of the pipeline */
	const struct bf_days_options *o; /* both borrowed */
	struct bf_pipeline *file;        /* NULL: not at hand, or not valid */
	const char **given;              /* for each of its parameters; NULL: it is not given */
	bool known;                      /* the ledger has runs of it */
	bool by_key;
};

/* The pipeline and the step are looked for; -BF_E_NOT_FOUND with the near name. What is wrong with the file is said on stderr. */
int bf_subject_open(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, struct bf_subject *out, struct bf_error *err);
void bf_subject_release(struct bf_subject *s);

bool bf_subject_gives_identity(const struct bf_subject *s); /* a parameter that coverage belongs to is given */
/* Whether what is recorded of this identity, as JSON, is asked about. */
bool bf_subject_wants(const struct bf_subject *s, const char *identity);
/* Whether a step of the file works chunk by chunk, and is asked about. */
bool bf_subject_has_step(const struct bf_subject *s, const struct bf_step *step);

/* What of the pipeline's own could not be asked, on stderr. */
void bf_subject_not_asked(const struct bf_subject *s, const char *why);

/* ---- the values of all parameters, for the file's queries ---- */

struct bf_values {
	const char **of; /* one for each parameter */
	char **recorded; /* those that come from an identity */
	size_t n;
};

struct bf_values bf_values_new(const struct bf_pipeline *p);
void bf_values_free(struct bf_values *v);
/* Those of the identity from `identity` (NULL: as the others), the others as given or by default. False: one has none, which is said. */
bool bf_values_find(const struct bf_subject *s, const char *identity, struct bf_values *v);

/* ---- the identities that are asked about ---- */

struct bf_identities {
	char **of; /* JSON */
	size_t n;
};

/* Adds one that runs have recorded, unless it is there or is not asked about. */
void bf_identities_add(struct bf_identities *i, const struct bf_subject *s, const char *identity);
/* Where none is recorded: the one that the given and default values make, if they do. */
void bf_identities_complete(struct bf_identities *i, const struct bf_subject *s);
void bf_identities_release(struct bf_identities *i);

/* "daily", or "daily {"season": "2021"}" */
void bf_subject_section(struct bf_buf *out, const char *step, const char *identity);

/* The options of `coverage` and `gaps`. */
extern const struct bf_opt bf_days_opts[];

#endif
