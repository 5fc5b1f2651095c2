/*
 * The identity of a run as the ledger has it: a JSON object of the parameters that coverage belongs to (PROTOCOL P1).
 */
#ifndef BF_CORE_JSON_IDENTITY_H
#define BF_CORE_JSON_IDENTITY_H

#include "core/pipeline.h"

/* One of its parameters; NULL: it has none of this name. The caller frees it. */
char *bf_identity_param(const char *identity, const char *name);

/* The identity that these values have, one for each of the pipeline's parameters. The caller frees it. */
char *bf_identity_text(const struct bf_pipeline *p, const char *const *values);

bool bf_identity_same(const char *a, const char *b);

#endif
