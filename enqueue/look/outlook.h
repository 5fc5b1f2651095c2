/*
 * What a run can expect: what keeps it from moving, and how long it takes as far as that can be known. Nothing here is
 * asked of a server; the view (view.h) has been loaded.
 */
#ifndef BF_LOOK_OUTLOOK_H
#define BF_LOOK_OUTLOOK_H

#include "base/buf.h"
#include "look/view.h"

/*
 * Until the run is done, in ms, at the present pace: the slowest of the steps that are released, and after it those
 * that wait; a soak takes what is left of its duration. What comes behind an approval that is not given is not
 * counted: how long a person takes is nobody's to say. -1: not known, also while no worker serves the run's queue or
 * its throttle holds it back.
 */
int64_t bf_view_eta(const struct bf_view *v);

/* The first approval in the run's way, up to which bf_view_eta counts; NULL: none. */
const char *bf_view_eta_until(const struct bf_view *v);

/* Is it under way, with jobs to do, and no worker there that serves its queue? False while that cannot be told. */
bool bf_view_stalled(const struct bf_view *v);

/* Appends "no worker for queue Q since 2024-01-01T12:03:11Z (12 min ago)". since_ms: as bf_unserved_since. */
void bf_unserved_text(struct bf_buf *out, const char *queue, int64_t since_ms, int64_t now_ms);

/* Since when nobody has served the queue: the end of the last lease, as far as Redis knows of one, or active_ms, when
 * a run of it last moved. */
int64_t bf_unserved_since(const struct bf_live *live, const char *queue, int64_t active_ms);

/* Appends "about 12 min left", "about 12 min left until sign-off is asked", or nothing where bf_view_eta knows none. */
void bf_view_eta_text(struct bf_buf *out, const struct bf_view *v);

#endif
