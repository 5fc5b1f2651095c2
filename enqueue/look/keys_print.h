/* Keys as `coverage` and `gaps` show them: counts by step, and those that are missing, a page of them. */
#ifndef BF_LOOK_KEYS_PRINT_H
#define BF_LOOK_KEYS_PRINT_H

#include "look/keys.h"

/* `bfstat coverage` and `bfstat gaps` of a pipeline of keys, as text or JSON, as the options say. */
int bf_keys_coverage(const struct bf_subject *s, struct bf_error *err);
int bf_keys_gaps(const struct bf_subject *s, struct bf_error *err);

#endif
