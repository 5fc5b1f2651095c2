#include "change/decider.h"

#include "change/commands.h"
#include "core/ledger.h"

int bf_decider_open(struct bf_decider *d, struct bf_error *err)
{
	*d = (struct bf_decider){.redis_away = false};
	int rc = bf_open_both(BF_PROGRAM, &d->upkeep, err);
	if (rc < 0 && d->upkeep.pg) {
		d->redis_away = true;
		d->redis_error = *err;
		return 0;
	}
	return rc;
}

int bf_decider_carry_out(struct bf_decider *d, const char *run, enum bf_depth depth, char *state, struct bf_error *err)
{
	if (!d->redis_away && bf_carry_out(&d->upkeep, run, depth, state, &d->redis_error) < 0)
		d->redis_away = true;
	return d->redis_away ? bf_ledger_advance(d->upkeep.pg, run, state, err) : 0;
}

static int tell_redis_away(const struct bf_decider *d)
{
	struct bf_error err;
	if (!d->redis_away)
		return 0;
	(void)bf_fail(&err, BF_E_UNAVAILABLE, "this is decided in the ledger, where the workers see it, but Redis could not be told: %s",
				  d->redis_error.text);
	return bf_program_fail(&err);
}

int bf_decider_close(struct bf_decider *d, int rc, const struct bf_error *err)
{
	int code = rc < 0 ? bf_program_fail(err) : tell_redis_away(d);
	bf_close_both(&d->upkeep);
	return code;
}
