/* Parameters of a pipeline as they are given to a command: --param NAME=VALUE. */
#ifndef BF_SHARED_PARAMS_H
#define BF_SHARED_PARAMS_H

#include "base/error.h"
#include "core/pipeline.h"

/* Puts the value into the parameter's place in `values`, which has as many as the pipeline has parameters, NULL: not given. It points into
 * `text`. -BF_E_INPUT: not of this form, no such parameter, or given before. */
int bf_param_take(const struct bf_pipeline *p, const char *text, const char **values, struct bf_error *err);

#endif
