/*
 * A worker process: one libuv loop that claims jobs from Redis, opens them in the ledger, executes them, settles and acknowledges them.
 *
 * How data flows, and which file is which room:
 *
 *     Redis ──exchange.c──> claimed ──open.c──> running ──steps/…──> finished ──settle.c──> settled ──exchange.c──> Redis
 *                                     │                                                              (acknowledged)
 *                                     └─ runs.c: what the run's pipeline says
 *
 * Everything that waits for a server is a list of jobs, and each list is sent as one batch when its connection is free: the busier the
 * servers, the larger the batches. bf_worker_pump() looks at all lists once per turn of the loop. steward.c does the queue's upkeep
 * (reconcile, rebuild, advance) in the thread pool with connections of its own; nothing ever blocks the loop.
 *
 * A job moves between states only in bf_job_move() (job.c), which moves it between the lists too.
 */
#ifndef BF_WORKER_WORKER_H
#define BF_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/queue.h"
#include "core/reconcile.h"
#include "io/pg_loop.h"
#include "io/redis_loop.h"

#define BF_QUEUES_MAX      16
#define BF_BATCH_MAX       500  /* jobs in one statement */
#define BF_CONNECTIONS_MAX 50   /* to PostgreSQL, for jobs that run SQL */
#define BF_SILENCE_LEASES  3    /* a statement that PostgreSQL does not answer for so long has lost its connection */
#define BF_TAIL_MAX        8192 /* bytes of a failed try's output that are kept */
#define BF_ERROR_MAX       2000 /* bytes of its error text */
#define BF_ASK_EVERY_MS    1000 /* a locked job that may be this worker's is asked for so often, for a lease */
#define BF_CLOSED_MS       1000 /* how long it is kept in mind that a run's jobs are not to be opened */

#define BF_LIVE_SAMPLES 11 /* one a second */

struct bf_live_rate {
	int64_t done[BF_LIVE_SAMPLES], last_ms;
	int n;
};

struct bf_worker;
struct bf_steward;
struct bf_pool;
struct bf_http;
struct bf_notify;

/* ---- what a run's jobs need to know (runs.c) ---- */

struct bf_run_def {
	char run[BF_RUN_MAX + 1];
	struct bf_pipeline *pipeline; /* NULL: not loaded yet */
	const char **param_names, **param_values;
	size_t n_params;
	int64_t version; /* as Redis last told; a change means: look at the jobs held */
	bool version_known;
	int held;                        /* jobs of this run that the worker holds */
	bool asked;                      /* its definition is on the way */
	char *unreadable;                /* why its jobs fail: nobody can read its definition; NULL: it may be readable */
	int64_t unreadable_since_ms;     /* monotonic: since when this program cannot; 0: it can, as far as is known */
	int64_t closed_ms;               /* when the ledger last said that a job of it is not to run now; 0: never */
	bool unpreparable[BF_STEPS_MAX]; /* steps whose statement PostgreSQL would not prepare, by ordinal */
	struct bf_worker *worker;
	struct bf_run_def *next;
};

/* ---- connections for jobs that run SQL (pool.c) ---- */

struct bf_prepared;

/* A connection, and the jobs that are opened for its backend (PROTOCOL L6): one runs, the others wait for it to end. */
struct bf_lane {
	struct bf_pgc *conn;
	unsigned session;             /* rises when the connection is lost: jobs that were given to it before have to be opened again */
	const struct bf_job *running; /* NULL: it is free */
	int jobs;
	struct bf_prepared *prepared; /* what is prepared on it (steps/prepared.c); NULL: nothing was yet */
};

/* ---- a job in this process (job.c) ---- */

enum bf_job_place {
	BF_AT_DEFINE,  /* waits for its run's definition */
	BF_AT_CONNECT, /* waits for a lane to run its SQL on */
	BF_AT_OPEN,    /* waits to be opened in the ledger */
	BF_AT_ASK,     /* waits to be asked for again: it was locked, maybe by a statement of this worker that was not answered */
	BF_AT_SUSPECT, /* took workers down before: waits until this one holds nothing else */
	BF_AT_OPENING, /* is in the statement under way */
	BF_AT_READY,   /* is opened, and waits for a slot and its lane (only where jobs are short: see job.c) */
	BF_AT_RUNNING, /* executes */
	BF_AT_SETTLE,  /* has an outcome that waits to be settled */
	BF_AT_SETTLING,
	BF_AT_ACK, /* is settled; waits for the next exchange */
	BF_AT_ACKING,
	BF_PLACES
};

struct bf_job {
	struct bf_worker *worker;
	char *name; /* as in Redis: <run>/<step>/<chunk>#<n> */
	char run[BF_RUN_MAX + 1], step_name[BF_NAME_MAX + 1];
	char *chunk;
	int seq;
	enum bf_job_place place;
	struct bf_job *prev, *next; /* in the list of its place */

	struct bf_run_def *def;
	const struct bf_step *step; /* of def->pipeline */
	struct bf_lane *lane;       /* of a job that runs SQL, from when it waits to be opened; NULL otherwise */
	unsigned lane_session;      /* the lane's, when the job was given to it */

	/* from opening it */
	int epoch, attempts;
	int redone;        /* how often it was opened again although it was done */
	int waits;         /* how often it was put off in a row, without a try being counted */
	int64_t waited_ms; /* since the first of these, when it was opened */
	char *checkpoint;  /* of an earlier attempt; NULL: none */
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT], lookback_since[BF_DATE_TEXT];
	char *key;          /* "" for a date chunk */
	char *lookback_key; /* NULL: it does not look back, or to a day */
	bool alone;         /* a suspect: while it is open, the worker takes nothing else */
	char *unopenable;   /* why it fails without being opened; NULL: nothing is known against it */
	int lost;           /* how often its connection was lost while its SQL ran, in this worker, and no other was */
	int lost_all;       /* how often the control connections were lost at about the same time: a storm, or a server that crashed under it */
	int64_t lost_ms;    /* monotonic: when its connection was lost while it ran, to be counted when it is opened again; 0: it was not */
	int asks_left;      /* how often it is asked for again where it is locked: the answer to an earlier statement was lost */
	int64_t ask_at_ms;  /* monotonic; of a job at ASK: when that is next */
	int stale_pid;      /* backend of an earlier attempt, to be ended before this one starts; 0: none */
	char stale_start[40];
	int64_t started_us; /* monotonic; of a job at READY: since when it waits */
	bool fenced;        /* no longer this attempt's: whatever it ends with is dropped */
	bool handing_back;  /* told to stop because the worker drains */
	bool timed_out;

	/* for the ledger, while it runs */
	int progress_number;
	int64_t progress_done, progress_total; /* -1: none */
	char *checkpoint_new, *note;           /* to be written; NULL: nothing new */
	bool progress_dirty;

	/* how it ended */
	enum bf_outcome outcome;
	int64_t not_within_ms; /* the next try not before so long from now, whatever "retry" says; 0: nothing more is asked */
	int64_t delay_ms;
	int64_t rows;      /* -1: not known */
	char category[24]; /* "" when done */
	char *error, *tail;

	enum bf_ack ack;
	int64_t ack_delay_ms;

	void *step_state;  /* of the kind that executes it */
	uv_timer_t *timer; /* its timeout; NULL when none */
};

struct bf_job_list {
	struct bf_job *first, *last;
	size_t count;
};

struct bf_rows_note {
	char run[BF_RUN_MAX + 1], step[BF_NAME_MAX + 1];
	int seq, epoch;
	int64_t rows;
};

struct bf_queue_slot {
	char name[BF_NAME_MAX + 1];
	int weight;
};

struct bf_worker_options {
	struct bf_queue_slot queues[BF_QUEUES_MAX];
	int n_queues;
	int slots;
	int64_t lease_ms;
	int64_t grace_ms;
	bool once;  /* one job, then leave */
	bool drain; /* leave when its queues have no unfinished run any more */
};

enum bf_redis_phase { BF_REDIS_AWAY, BF_REDIS_GENERATION, BF_REDIS_HELLO, BF_REDIS_HOLD, BF_REDIS_READY };

struct bf_worker {
	uv_loop_t *loop;
	struct bf_worker_options opt;
	char id[BF_WORKER_MAX + 1]; /* fresh at each boot, and after having been condemned */
	char host[64];

	struct bf_job_list at[BF_PLACES];
	int held;          /* jobs in all lists */
	double typical_ms; /* how long jobs take here, smoothed; 0: not known */
	int suspects;      /* among them: jobs that have to run alone; then nothing else is claimed */
	struct bf_run_def *runs;

	/* Redis (exchange.c) */
	struct bf_redisc *redis, *wake;
	enum bf_redis_phase phase;
	int64_t generation;
	int64_t number;               /* of the last exchange that was answered */
	struct bf_redis_cmd exchange; /* the one under way, kept to be asked again */
	bool exchange_flying, exchange_unanswered;
	int64_t exchange_sent_ms, lease_until_ms; /* monotonic; past it nothing is opened */
	int64_t next_exchange_ms;                 /* when idle: the latest moment for the next one */
	bool more_to_claim;                       /* the last exchange filled every slot, or a wake token came */
	bool wake_flying;
	bool hold_wanted;            /* a job is to be opened again: first Redis says whether it is still this worker's (PROTOCOL L7) */
	int64_t no_claims_before_ms; /* after a reconnection: others say first what they hold */
	int64_t crowded_since_ms;    /* 0, or since when jobs wait for a lane and none is to be had */
	int64_t last_hold_ms, last_sweep_ms, redis_pause_until_ms, wake_pause_until_ms;
	int asked_for;                     /* jobs, in the exchange under way */
	void (*then)(struct bf_worker *w); /* after goodbye */
	int claims_left;                   /* --once: 1, then 0; otherwise -1 */
	bool got_something;                /* --once, --drain */

	/* PostgreSQL (open.c, settle.c, pool.c) */
	struct bf_pgc *opener, *settler;
	struct bf_pg_params params;
	struct bf_pool *pool;
	int64_t last_progress_ms, last_look_ms;
	bool look_wanted;
	struct bf_rows_note *notes; /* rows of sql jobs, to be noted behind their commits (settle.c) */
	size_t n_notes, cap_notes;
	int64_t last_notes_ms, open_not_before_ms, settle_not_before_ms;
	int64_t control_lost_ms; /* when opener or settler was last lost; 0: never */
	int64_t well_since_ms;   /* since when the ledger has refused nothing, and was there */
	size_t settle_limit;     /* jobs in the next settle batch: halved when the server refuses a text */
	size_t open_limit;       /* the same for opening: halved when the server cannot work with a job's row */

	struct bf_http *http; /* for http steps and checks; NULL: none was needed yet */
	struct bf_steward *steward;
	struct bf_notify *notify; /* NULL: no service manager listens (notify.c) */
	uv_prepare_t prepare;
	uv_timer_t tick;
	int64_t last_rest_ms; /* when memory was last given back to the system */
	uv_timer_t due;       /* for the next delayed job, which the tick would be late for */
	uv_signal_t sigterm, sigint, sighup;
	bool draining;     /* SIGTERM, SIGINT or SIGHUP came, or --drain and --once are through */
	bool handing_back; /* the grace is over */
	bool drain_now;    /* a second SIGTERM, or programs that would not end */
	int64_t drain_deadline_ms;
	bool leaving, left; /* goodbye said; all handles closed */
	int exit_code;
	int64_t n_done, n_failed;
	struct bf_live_rate rate; /* for the live line (live.c) */
};

/* ---- worker.c ---- */
/* The whole life of a worker on servers that were found well: returns the exit code. Takes the connections of `upkeep` for its steward. */
int bf_worker_run(const struct bf_worker_options *opt, struct bf_upkeep *upkeep);
void bf_worker_pump(struct bf_worker *w);

/* ---- job.c ---- */
struct bf_job *bf_job_new(struct bf_worker *w, const char *name); /* at BF_AT_DEFINE; NULL: not a job's name */
void bf_job_free(struct bf_job *j);                               /* leaves its list, gives its connection back */
void bf_job_move(struct bf_job *j, enum bf_job_place to, const char *why);
/* Ends the execution of a running job, whatever its kind, for a reason that makes its outcome void (fenced) or a hand-back. */
void bf_job_stop(struct bf_job *j, bool fenced);
/* A step kind says how the job ended; exactly once per start. Text is copied, bounded and made valid UTF-8. */
void bf_job_done(struct bf_job *j, int64_t rows);
void bf_job_failed(struct bf_job *j, const char *category, bool never_again, const char *error, const char *tail, size_t tail_len);
void bf_job_again(struct bf_job *j, int64_t delay_ms, const char *why); /* later, and it does not count as a try */
/* The same for what puts it off, and is not meant to: the ledger keeps why, since when and how often, the waits grow by `pace`, and
 * past the step's patience it counts as a try, unless the ledger's server itself was in trouble in that time. */
enum bf_blame {
	BF_BLAME_NOBODY, /* never the job: it is not counted, however long it takes */
	BF_BLAME_SERVER, /* the server, or what the job's SQL says of another one */
	BF_BLAME_STEP    /* the job's own SQL */
};
void bf_job_wait(struct bf_job *j, const struct bf_retry *pace, enum bf_blame blame, const char *why);
void bf_job_returned(struct bf_job *j); /* handed back: the worker drains, or the attempt was fenced off */
void bf_job_acknowledge(struct bf_job *j, enum bf_ack ack, int64_t delay_ms); /* nothing (more) to settle: tell Redis */
/* Gives up a job that does not execute: by way of the ledger where an attempt was opened here, which nobody else is to count as a crash. */
void bf_job_put_down(struct bf_job *j, enum bf_ack ack, int64_t delay_ms);
void bf_job_opened(struct bf_job *j);             /* begins to execute when a slot is free */
void bf_job_pump(struct bf_worker *w);            /* fills free slots */
void bf_job_tick(struct bf_worker *w);            /* hands back what waits for a slot or a lane too long */
int bf_job_ahead(const struct bf_worker *w);      /* how many jobs may be claimed beyond the slots */
void bf_job_sort(struct bf_job **jobs, size_t n); /* by (run, step, seq), the order in which rows are locked */
/* Moves up to `max` jobs from one place to another and gives them sorted. */
size_t bf_job_batch(struct bf_worker *w, enum bf_job_place from, enum bf_job_place to, size_t max, struct bf_job **out);
/* Progress of a running job; -1 and NULL leave things as they are. Written to the ledger within a second. */
void bf_job_progress(struct bf_job *j, int64_t done, int64_t total, const char *checkpoint, const char *note);
/* Fills variables for templates and SQL; they live as long as the job. */
struct bf_vars;
void bf_job_vars(const struct bf_job *j, struct bf_vars *v);
const struct bf_log_ctx *bf_job_log(const struct bf_job *j); /* for bf_log_push; overwritten by the next call */

/* ---- runs.c ---- */
struct bf_run_def *bf_run_def_get(struct bf_worker *w, const char *run); /* made when missing */
void bf_run_def_pump(struct bf_worker *w); /* asks for definitions that jobs wait for; moves on those that have one */
void bf_run_def_trim(struct bf_worker *w); /* forgets runs of which nothing is held */
void bf_run_def_free_all(struct bf_worker *w);

/* ---- unopened.c ---- */
/* Fails jobs that cannot be opened, each once, all at one place: moves them to OPENING, and on when the ledger has answered. Only while the
 * opener is READY. Where that goes wrong they come again, and are found unopenable again. */
void bf_fail_unopened(struct bf_worker *w, struct bf_job **jobs, size_t n, const char *category, const char *error);

/* ---- open.c, settle.c, pool.c ---- */
void bf_open_pump(struct bf_worker *w);
void bf_open_tick(struct bf_worker *w); /* asks again for what was locked */
/* A statement about it was not answered, and may be committing still: first Redis says whose the job is, then it is asked for. */
void bf_open_unanswered(struct bf_job *j);
/* Keeps such a job, to be asked for a little later: given away, it would be another worker's while the ledger says that it is this one's,
 * and count as a crash. False: there is no such statement, or it was asked for long enough. */
bool bf_open_ask_again(struct bf_job *j, const char *why);
void bf_settle_pump(struct bf_worker *w);
void bf_pool_new(struct bf_worker *w);
void bf_pool_pump(struct bf_worker *w); /* gives lanes to jobs that wait for one */
void bf_pool_close(struct bf_worker *w);
bool bf_lane_lost(const struct bf_job *j);            /* the backend it was opened for is gone */
bool bf_lane_free(const struct bf_job *j);            /* it may begin, as far as its lane is concerned */
void bf_lane_leave(struct bf_job *j);                 /* nothing happens without a lane */
bool bf_pool_has(const struct bf_worker *w, int pid); /* a backend of this worker's own lanes */
/* Ends a job of which the outcome is unknown or that a server's absence interrupted: it is opened again (PROTOCOL L5), once Redis has
 * confirmed that it is still this worker's. One that is not to go on here is handed back instead: settling finds out what became of it. */
void bf_open_again(struct bf_job *j, const char *why);
/* The same, of one whose connection was lost while its statements ran there: it is counted. */
void bf_open_again_lost(struct bf_job *j, const char *why);

/* ---- exchange.c ---- */
int bf_exchange_start(struct bf_worker *w, struct bf_error *err);
void bf_exchange_pump(struct bf_worker *w);
void bf_exchange_tick(struct bf_worker *w);
void bf_exchange_generation_ready(struct bf_worker *w, int64_t generation);
void bf_exchange_goodbye(struct bf_worker *w, void (*then)(struct bf_worker *w));

/* ---- notify.c ---- */
void bf_notify_new(struct bf_worker *w); /* nothing happens unless NOTIFY_SOCKET is set */
void bf_notify_tick(struct bf_worker *w);
void bf_notify_free(struct bf_worker *w);

/* ---- steward.c ---- */
int bf_steward_connect(struct bf_upkeep *u, struct bf_error *err); /* makes those connections for upkeep that it does not have */
int bf_steward_new(struct bf_worker *w, struct bf_upkeep *first, struct bf_error *err);
void bf_steward_tick(struct bf_worker *w);
void bf_steward_advance(struct bf_worker *w, const char *run); /* soon */
void bf_steward_chunk_settled(struct bf_worker *w,
							  const char *run);            /* the same for chunks that wait for it; several times a second at most */
void bf_steward_soon(struct bf_worker *w);                 /* looks at all runs at the next tick */
void bf_steward_generation(struct bf_worker *w);           /* soon; answers through bf_exchange_generation_ready */
void bf_steward_mend(struct bf_worker *w);                 /* soon: Redis holds something that cannot be read */
bool bf_steward_without_ledger(const struct bf_worker *w); /* it has no connection to PostgreSQL, and wants one */
bool bf_steward_nothing_left(const struct bf_worker *w);   /* its last look found no unfinished run in this worker's queues */
void bf_steward_free(struct bf_worker *w);

/* ---- live.c ---- */
void bf_live_tick(struct bf_worker *w); /* one line on a terminal that says what the worker does */
void bf_live_end(void);                 /* takes it away */

#endif
