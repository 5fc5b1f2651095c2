#include "core/ledger.h"

#include "base/mem.h"

/* Each column of a batch is one array parameter. */
#define EACH(p, asks, n, add, field)                    \
	do {                                                \
		bf_pg_array_begin(p);                           \
		for (size_t each_i = 0; each_i < (n); each_i++) \
			add(p, (asks)[each_i].field);               \
		bf_pg_array_end(p);                             \
	} while (0)

static void add_int_or_null(struct bf_pg_params *p, int64_t n)
{
	if (n < 0)
		bf_pg_array_null(p);
	else
		bf_pg_array_int(p, n);
}

void bf_ledger_open_bind(struct bf_pg_params *p, const struct bf_open_ask *asks, size_t n, const char *worker)
{
	EACH(p, asks, n, bf_pg_array_text, run);
	EACH(p, asks, n, bf_pg_array_text, step);
	EACH(p, asks, n, bf_pg_array_int, seq);
	bf_pg_add_text(p, worker);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < n; i++)
		add_int_or_null(p, asks[i].backend_pid > 0 ? asks[i].backend_pid : -1);
	bf_pg_array_end(p);
	EACH(p, asks, n, bf_pg_array_text, backend_start);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_text(p, asks[i].alone ? "t" : "f");
	bf_pg_array_end(p);
}

void bf_ledger_fail_bind(struct bf_pg_params *p, const struct bf_open_ask *asks, size_t n, const char *category, const char *error,
						 const char *worker)
{
	EACH(p, asks, n, bf_pg_array_text, run);
	EACH(p, asks, n, bf_pg_array_text, step);
	EACH(p, asks, n, bf_pg_array_int, seq);
	bf_pg_add_text(p, category);
	bf_pg_add_text(p, error);
	bf_pg_add_text(p, worker);
}

/* Columns of open_jobs.sql. */
enum {
	OPEN_ORD,
	OPEN_VERDICT,
	OPEN_STATE,
	OPEN_EPOCH,
	OPEN_ATTEMPTS,
	OPEN_CHECKPOINT,
	OPEN_SINCE,
	OPEN_UNTIL,
	OPEN_KEY,
	OPEN_EARLY,
	OPEN_STALE_PID,
	OPEN_STALE_START,
	OPEN_LOOKBACK_KEY,
	OPEN_REDONE,
	OPEN_WAITS,
	OPEN_WAITED
};

static enum bf_open_verdict verdict_of(const char *word)
{
	static const char *const words[] = {
		[BF_OPENED] = "opened",        [BF_OPEN_SETTLED] = "settled", [BF_OPEN_LOCKED] = "locked",       [BF_OPEN_EARLY] = "early",
		[BF_OPEN_HELD] = "held",       [BF_OPEN_CLOSED] = "closed",   [BF_OPEN_CANCELLED] = "cancelled", [BF_OPEN_UNKNOWN] = "unknown",
		[BF_OPEN_SUSPECT] = "suspect", [BF_OPEN_WAITING] = "waiting"};
	for (size_t i = 0; i < BF_COUNT_OF(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum bf_open_verdict)i;
	return BF_OPEN_UNKNOWN;
}

void bf_ledger_open_read(const struct bf_pg_result *r, int row, struct bf_open_answer *out)
{
	*out = (struct bf_open_answer){
		.verdict = verdict_of(bf_pg_text(r, row, OPEN_VERDICT)),
		.state = bf_pg_text(r, row, OPEN_STATE),
		.epoch = (int)bf_pg_int(r, row, OPEN_EPOCH),
		.attempts = (int)bf_pg_int(r, row, OPEN_ATTEMPTS),
		.checkpoint = bf_pg_null(r, row, OPEN_CHECKPOINT) ? NULL : bf_pg_text(r, row, OPEN_CHECKPOINT),
		.since = bf_pg_text(r, row, OPEN_SINCE),
		.until = bf_pg_text(r, row, OPEN_UNTIL),
		.key = bf_pg_text(r, row, OPEN_KEY),
		.lookback_key = bf_pg_null(r, row, OPEN_LOOKBACK_KEY) ? NULL : bf_pg_text(r, row, OPEN_LOOKBACK_KEY),
		.redone = (int)bf_pg_int(r, row, OPEN_REDONE),
		.waits = (int)bf_pg_int(r, row, OPEN_WAITS),
		.waited_ms = bf_pg_int(r, row, OPEN_WAITED),
		.early_ms = bf_pg_int(r, row, OPEN_EARLY),
		.stale_pid = (int)bf_pg_int(r, row, OPEN_STALE_PID),
		.stale_start = bf_pg_text(r, row, OPEN_STALE_START),
	};
}

static const char *outcome_name(enum bf_outcome o)
{
	static const char *const names[] = {
		[BF_OUT_DONE] = "done", [BF_OUT_FAILED] = "failed", [BF_OUT_RETRY] = "retry", [BF_OUT_RETURN] = "return"};
	return names[o];
}

void bf_ledger_settle_bind(struct bf_pg_params *p, const struct bf_settle_ask *asks, size_t n)
{
	EACH(p, asks, n, bf_pg_array_text, run);
	EACH(p, asks, n, bf_pg_array_text, step);
	EACH(p, asks, n, bf_pg_array_int, seq);
	EACH(p, asks, n, bf_pg_array_int, epoch);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_text(p, outcome_name(asks[i].outcome));
	bf_pg_array_end(p);
	EACH(p, asks, n, bf_pg_array_int, delay_ms);
	EACH(p, asks, n, add_int_or_null, rows);
	EACH(p, asks, n, bf_pg_array_text, category);
	EACH(p, asks, n, bf_pg_array_text, error);
	EACH(p, asks, n, bf_pg_array_text, tail);
	EACH(p, asks, n, bf_pg_array_text, checkpoint);
	EACH(p, asks, n, bf_pg_array_text, note);
	EACH(p, asks, n, add_int_or_null, progress_done);
	EACH(p, asks, n, add_int_or_null, progress_total);
}

void bf_ledger_settle_read(const struct bf_pg_result *r, int row, struct bf_settle_answer *out)
{
	out->state = bf_pg_text(r, row, 1);
	out->epoch = (int)bf_pg_int(r, row, 2);
}

void bf_ledger_progress_bind(struct bf_pg_params *p, const struct bf_progress_ask *asks, size_t n)
{
	EACH(p, asks, n, bf_pg_array_text, run);
	EACH(p, asks, n, bf_pg_array_text, step);
	EACH(p, asks, n, bf_pg_array_int, seq);
	EACH(p, asks, n, bf_pg_array_int, epoch);
	EACH(p, asks, n, bf_pg_array_int, number);
	EACH(p, asks, n, add_int_or_null, done);
	EACH(p, asks, n, add_int_or_null, total);
	EACH(p, asks, n, bf_pg_array_text, checkpoint);
	EACH(p, asks, n, bf_pg_array_text, note);
}

void bf_ledger_look_bind(struct bf_pg_params *p, const struct bf_held *held, size_t n)
{
	EACH(p, held, n, bf_pg_array_text, run);
	EACH(p, held, n, bf_pg_array_text, step);
	EACH(p, held, n, bf_pg_array_int, seq);
	EACH(p, held, n, bf_pg_array_int, epoch);
}

void bf_ledger_rows_bind(struct bf_pg_params *p, const struct bf_held *held, size_t n)
{
	bf_ledger_look_bind(p, held, n);
	EACH(p, held, n, bf_pg_array_int, rows);
}
