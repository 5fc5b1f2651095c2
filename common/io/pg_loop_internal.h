/*
 * The inside of a bf_pgc, which three files share: pg_loop.c connects, loses and closes; pg_loop_request.c sends requests
 * and reads their results; pg_loop_script.c knows what the message of a script is made of. Nobody else includes this.
 */
#ifndef BF_IO_PG_LOOP_INTERNAL_H
#define BF_IO_PG_LOOP_INTERNAL_H

#include "io/pg_loop.h"
#include "io/pg_session.h"

/*
 *   WAIT ──timer──> CONNECT ──> SETUP ──> READY <─────────────┐
 *    ^                                     │ exec             │
 *    │                                     ├─> EXEC ──────────┤
 *    │                                     │ script           │
 *    │                                     └─> SCRIPT ──> (ROLLBACK) ──> RESET
 *    └── lost, from any of these                  (PAUSE: a cancel request is still on its way; then RESET)
 */
enum bf_pgc_phase {
	PHASE_WAIT,    /* for the next try */
	PHASE_CONNECT, /* libpq's handshake */
	PHASE_SETUP,   /* who is our backend, and the settings of the session */
	PHASE_READY,
	PHASE_EXEC,
	PHASE_SCRIPT,
	PHASE_ROLLBACK, /* a script left its transaction open; its outcome is kept meanwhile */
	PHASE_PAUSE,    /* the request is over and called back, but a cancel request could still hit the next one */
	PHASE_RESET,    /* the session is being put back */
	PHASE_BROKEN,   /* the connection is gone, and that is dealt with from the loop */
	PHASE_CLOSE
};

struct bf_pgc_cancel; /* a PQcancel in the thread pool */

/* Which statement of a script is which, counted from 0. */
struct bf_pgc_places {
	int sql;      /* the owner's first */
	int own;      /* behind the owner's last one, what makes sure that nothing of it runs any more */
	int last;     /* the owner's `last`; the same as commit where there is none */
	int commit;   /* none: INT_MAX */
	int tidy;     /* none: INT_MAX */
	int prepared; /* so many prepared statements are to be found there */
};

struct bf_pgc_request {
	bf_pgc_cb cb; /* one of the two */
	bf_pgc_script_cb script_cb;
	void *data;
	char *sql;     /* of a script, for "LINE n" */
	size_t before; /* bytes, all of them ASCII, that stand in it before the caller's own text */
	struct bf_pgc_places place;
	int answered; /* statements of it */
	int keep_rows;
	int kept_at;           /* which statement's rows are kept */
	size_t widest;         /* bytes of the longest row so far */
	enum bf_pgc_part part; /* of err */
	int skip;              /* results of a pipeline that come first, and that nobody asked for */
	bool raised;           /* as bf_pgc_script has it */
	const char *preparing; /* the statement that is prepared in the same pipeline, or NULL */
	PGresult *kept;        /* what the callback will see */
	int64_t affected;
	struct bf_error err; /* code 0: none so far */
	struct bf_buf detail;
	bool transaction; /* what follows is of bf_pgc_transaction_run only */
	bool read_only;   /* it asked for that itself */
	bool plain;       /* prepared statements are kept */
	bool committed;   /* its COMMIT was answered: what comes behind it is the session being put back */
	bool stained;     /* … and that went wrong */
	bool settled;     /* the outcome is known: losing the connection does not change it any more */
};

struct bf_pgc {
	struct bf_pgc_options opt;
	struct bf_pg_target target;
	char *startup; /* settings for the startup packet, or NULL: there are none, or they were refused */
	uv_loop_t *loop;
	uv_timer_t timer;
	int events;      /* that the poll watches for */
	uv_poll_t *poll; /* allocated: a new one for each socket; it outlives the socket until its close callback */
	PGconn *conn;    /* NULL: none */
	enum bf_pgc_phase phase;
	char *where;
	struct bf_pg_session ours; /* of the present connection */
	char last_words[BF_PG_LAST_WORDS];
	struct bf_pg_prepared prepared;
	unsigned session; /* rises when they are gone */

	struct bf_pgc_request request; /* in EXEC, SCRIPT, ROLLBACK; of SETUP and RESET only the results */
	bool pipeline;                 /* libpq's pipeline mode is on */
	bool copy_out;                 /* rows of a COPY TO STDOUT are being thrown away */
	bool broken;                   /* reading failed; only what libpq holds already can still come */
	bool was_cancelled;
	struct bf_pgc_cancel *cancel;

	int tries;
	struct bf_error told; /* the last reason given to on_lost; code 0 while ready */
	void (*closed)(void *data);
	void *closed_data;
};

/* pg_loop.c */
void bf_pgc_watch(struct bf_pgc *c, int events);
void bf_pgc_flush(struct bf_pgc *c);                            /* sends what the socket takes, and watches for the rest */
void bf_pgc_lost(struct bf_pgc *c, const struct bf_error *why); /* ends the connection, calls back, tries again later */
void bf_pgc_break_soon(struct bf_pgc *c);                       /* the same, from the loop */
void bf_pgc_broke(struct bf_pgc *c);                            /* lost, for libpq's reason */
void bf_pgc_limit(struct bf_pgc *c); /* what is under way has to be answered within the timeout, if there is one */

/* pg_loop_request.c */
void bf_pgc_setup(struct bf_pgc *c);
void bf_pgc_results(struct bf_pgc *c);                          /* takes what libpq has */
void bf_pgc_fail_request(struct bf_pgc *c, const char *reason); /* if there is one: unknown outcome */
void bf_pgc_forget_cancel(struct bf_pgc *c);
void bf_pgc_request_clear(struct bf_pgc *c);

/* pg_loop_script.c */
#define BF_PGC_ROW_MAX ((size_t)8 << 20) /* a connection that held a longer row is given up */
struct bf_pgc_places bf_pgc_script_places(void);
/* Fills in c->request, but for the callback, and gives the message; the caller frees. */
char *bf_pgc_transaction_text(struct bf_pgc *c, const struct bf_pgc_transaction *t);
enum bf_pgc_part bf_pgc_part_of(const struct bf_pgc_request *r); /* of the statement that is answered next */
bool bf_pgc_is_raised(const PGresult *error);                    /* not by the server itself: by the function of its source */
void bf_pgc_take_row(struct bf_pgc_request *r, const PGresult *row);
void bf_pgc_take_end(struct bf_pgc_request *r, PGresult *res /* taken over */); /* of one statement, which went well */

#endif
