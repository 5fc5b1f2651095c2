/*
 * One run as people look at it: from the ledger, which decides, and with what Redis knows of the workers; or, when PostgreSQL is
 * away, from Redis alone. The same picture for the status page, watch and JSON.
 */
#ifndef BF_LOOK_VIEW_H
#define BF_LOOK_VIEW_H

#include "base/text.h"
#include "core/pipeline.h"
#include "look/live.h"
#include "look/look.h"
#include "render/bar.h"

struct bf_view_jobs {
	int64_t planned, pending, running, lost, done, failed, skipped, cancelled, undone;
	int64_t split;  /* of those that are skipped: other jobs of the run have their days */
	int64_t taken;  /* of those that are skipped: another run has their days or keys by now */
	int64_t recent; /* settled in the last 30 s */
};
/* running and lost together are what the ledger has as running; lost are those whose worker has no lease any more: they run nowhere,
 * and another worker takes them over. */

struct bf_view_step {
	char step[BF_NAME_MAX + 1], kind[16], state[16];
	char *needs; /* names, with a space between */
	struct bf_view_jobs jobs;
	int64_t started_ms, finished_ms; /* 0: not yet */
	int64_t asked_ms;                /* of an approval: since when a person is asked; 0: not now */
	int64_t deadline_ms;             /* until when; 0: for ever */
	bool approve_on_timeout;         /* what then */
	char *review;                    /* what to look at; "" when nothing is said */
	int64_t released_ms;             /* since when it may work; 0: it may not */
	int64_t soak_ms;                 /* how long a soak lasts; -1: not known, or no soak */
	int64_t over_hole;               /* done although something before was not there, and not done again since */
	char *hole_first, *hole_last;    /* of these: days, or keys; "" when there are none */
	int64_t limited, asked;          /* where --limit has left some: so many of so many days or keys have a job; 0: it has not */
	char *taken_by;                  /* which runs have what is taken, with a comma between; "" when nothing is */
};

struct bf_view_running {
	char step[BF_NAME_MAX + 1];
	char *chunk, *worker, *note;
	const struct bf_live_worker *at; /* NULL: not known, or lost */
	bool lost;
	int64_t started_ms, progress_done, progress_total;
};

struct bf_view_error {
	char *step, *chunk, *category, *text, *said, *job_state; /* step NULL: there was none */
	int64_t at_ms, attempts;
};

/* Jobs that wait without a try being counted: so many, and the one that waits longest. */
struct bf_view_put_off {
	int64_t jobs, times, since_ms; /* jobs 0: there is none */
	char *step, *chunk, *why;
};

struct bf_view {
	char run[BF_RUN_MAX + 1], pipeline[BF_NAME_MAX + 1], state[16], queue[BF_NAME_MAX + 1];
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	char *requested_by, *note, *params; /* never NULL */
	char *held;                         /* why its throttle holds it back; "": it does not */
	int64_t held_since_ms, throttle_ms;
	int64_t closed_ms;             /* since when nothing more comes of what failed in it; 0: it is not closed */
	char *closed_by, *closed_note; /* "" where it is not */
	char *superseded_by;           /* a later run that has done what failed in it; "": it has not */
	char *again;                   /* the command that asks for the same once more; "" where it is not known */
	bool trial;                    /* what it does is not coverage */
	bool cancelling;               /* all of it: stopping until its last job is cancelled */
	int64_t active_ms;             /* when a job of it last began or ended, or else when it was made; 0: not known */
	int64_t concurrency, created_ms, started_ms, finished_ms, now_ms;
	struct bf_view_jobs jobs; /* of all steps */
	struct bf_view_step steps[BF_STEPS_MAX];
	int n_steps;
	struct bf_view_running *running; /* oldest first */
	size_t n_running;
	struct bf_view_error last_error;
	struct bf_view_put_off put_off;
	struct bf_live live;
	bool live_known; /* which worker is alive could be read */
	bool from_ledger;
	double per_second; /* of the last seconds; 0: none */
};

/* -BF_E_NOT_FOUND: no such run, as far as the servers that are there know. Release it in any case but an error. */
int bf_view_load(struct bf_look *l, const char *run, struct bf_view *v, struct bf_error *err);
void bf_view_release(struct bf_view *v);

const struct bf_view_step *bf_view_limited(const struct bf_view *v); /* the first step of which a limit has left some; or NULL */
int64_t bf_view_settled(const struct bf_view_jobs *jobs);
int64_t bf_view_left(const struct bf_view_jobs *jobs); /* pending, running and lost */
bool bf_view_active(const char *state);                /* of a run: not ended */
struct bf_bar bf_view_bar(const struct bf_view_jobs *jobs);
double bf_view_rate(int64_t recent, int64_t started_ms, int64_t now_ms); /* from `recent`, per second */
int bf_view_exit_code(const char *state);

/* The page. brief: no hints of what to type next, and what is running cut to a few lines (watch). */
void bf_view_print(FILE *out, const struct bf_term *t, const struct bf_view *v, bool brief);
void bf_view_json(struct bf_json *j, const struct bf_view *v); /* the members of an object that is open */

#endif
