/* What the files of the planner share. plan.c asks the others in this order. */
#ifndef BF_CORE_PLAN_INTERNAL_H
#define BF_CORE_PLAN_INTERNAL_H

#include "core/plan.h"

/* The identity's parameters (PROTOCOL P1) as two arrays; also all of them. */
void bf_plan_add_params(struct bf_pg_params *p, const struct bf_plan_ask *ask, bool only_identity);

/* The step's unit, size, order and needs, with what was asked for. (plan.c) */
void bf_plan_shape(const struct bf_plan_ask *ask, const struct bf_step *s, struct bf_step_plan *out);

/* ---- plan_body.c ---- */

/* -BF_E_INPUT: no worker could read what the ledger would keep of the pipeline; says what of it. */
int bf_plan_check_body(struct bf_pg *pg, const struct bf_pipeline *p, struct bf_error *err);

/* ---- plan_look.c ---- */

/* What is missing of a step, what is not and why: the ledger's word, and behind it that of the step's data. */
int bf_plan_look_at(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_step_plan *s, struct bf_error *err);

/* In their order; first > last: none. */
void bf_plan_add_missing(struct bf_step_plan *s, int32_t first, int32_t last);
void bf_plan_add_lack(struct bf_step_plan *s, struct bf_lack lack);

/* ---- plan_warmup.c ---- */

/* Of a step whose warmup blocks: all that it looks back at before what is planned has to be there. The ledger and the data are asked about
 * those days, or keys, as about the others. -BF_E_INPUT: some are not; the text says how to fill them. */
int bf_plan_check_warmup(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct bf_error *err);

/* ---- plan_needs.c ---- */

/* What this run does not plan and its steps are made of all the same: of steps that are left out, and, where something looks back, of what
 * is before the first day or key that is asked for. Adds to the steps' lacks what is known not to be there. */
int bf_plan_look_before(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *plan, struct bf_error *err);

/* ---- plan_block.c ---- */

/* Leaves out of each step what would be built from something that will not be there when this run is over. */
void bf_plan_block(const struct bf_plan_ask *ask, struct bf_plan *plan);

/* ---- plan_window.c, plan_cut.c ---- */

/* The last day, or place of a key, of what is asked for that looks back at this one over so many days, or keys. */
int32_t bf_plan_reach(const struct bf_plan_ask *ask, int32_t place, int lookback);

/* Which jobs of the needs that are chunkwise each job of a step has to wait for; its chunks have to come in their order. */
struct bf_windows;
struct bf_windows *bf_windows_new(const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *step);
/* Adds an array of ranges as PostgreSQL writes it, one for each such need, in their order: {"[1,3)","[2,2)"}. */
void bf_windows_next(struct bf_windows *w, struct bf_span picked, struct bf_buf *out);
void bf_windows_free(struct bf_windows *w);

/* The chunks of a step that is per chunk. */
struct bf_cut bf_plan_cut(const struct bf_plan_ask *ask, const struct bf_step_plan *step);

/* ---- plan_write.c ---- */

/* Writes what bf_plan_look found; within bf_plan_run's transaction. */
int bf_plan_write(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, struct bf_error *err);

#endif
