#include "shared/servers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "core/migrate.h"
#include "shared/program.h"

#define LEASE_DEFAULT_MS    15000
#define PATIENCE_DEFAULT_MS 4000 /* with connecting, and with Redis, less than ten seconds */
#define PATIENCE_MIN_MS     1000
#define PATIENCE_MAX_MS     (3600 * 1000)

static int open_ledger(const char *program, bool to_look, int64_t patience_ms, struct bf_pg **out, struct bf_error *err)
{
	struct bf_pg_options options = {.application_name = program, .read_only = to_look, .patience_ms = patience_ms};
	int rc = bf_pg_open(&options, out, err);
	if (rc == 0 && !to_look && bf_pg_is_read_only(*out))
		rc =
			bf_fail(err, BF_E_UNAVAILABLE,
					"PostgreSQL is read-only: %s is a standby, or default_transaction_read_only is on; name the primary in BF_DATABASE_URL",
					bf_pg_where(*out));
	if (rc == 0)
		rc = bf_migrate_check(*out, err);
	if (rc < 0) {
		bf_pg_close(*out);
		*out = NULL;
	}
	return rc;
}

int bf_open_ledger_to_look(const char *program, struct bf_pg **out, struct bf_error *err)
{
	*out = NULL;
	return open_ledger(program, true, 0, out, err);
}

int bf_read_patience(int64_t *ms, struct bf_error *err)
{
	const char *text = getenv("BF_PATIENCE");
	*ms = PATIENCE_DEFAULT_MS;
	if (!text || !*text)
		return 0;
	int rc = bf_duration_parse(text, ms, err);
	if (rc == 0 && (*ms < PATIENCE_MIN_MS || *ms > PATIENCE_MAX_MS))
		return bf_refuse_option("BF_PATIENCE", text, "1s to 1h", err);
	return rc < 0 ? bf_error_prefix(err, "BF_PATIENCE") : 0;
}

int bf_open_ledger_impatiently(const char *program, struct bf_pg **out, struct bf_error *err)
{
	int64_t patience_ms;
	*out = NULL;
	int rc = bf_read_patience(&patience_ms, err);
	return rc < 0 ? rc : open_ledger(program, true, patience_ms, out, err);
}

int bf_open_ledger_to_change(const char *program, struct bf_pg **out, struct bf_error *err)
{
	*out = NULL;
	return open_ledger(program, false, 0, out, err);
}

int bf_open_queue(struct bf_redis **out, struct bf_error *err)
{
	char warning[512] = "";
	*out = NULL;
	int rc = bf_redis_open(NULL, out, err);
	if (rc == 0)
		rc = bf_redis_check_server(*out, warning, sizeof(warning), err);
	if (rc == 0 && warning[0])
		fprintf(stderr, "warning: %s\n", warning);
	if (rc < 0) {
		bf_redis_close(*out);
		*out = NULL;
	}
	return rc;
}

/* As the workers understand BF_LEASE: a rebuild that is made here gives running jobs one fresh lease. */
static int read_lease(int64_t *ms, struct bf_error *err)
{
	const char *text = getenv("BF_LEASE");
	*ms = LEASE_DEFAULT_MS;
	if (!text || !*text)
		return 0;
	int rc = bf_duration_parse(text, ms, err);
	return rc < 0 ? bf_error_prefix(err, "BF_LEASE") : 0;
}

int bf_open_both(const char *program, struct bf_upkeep *upkeep, struct bf_error *err)
{
	*upkeep = (struct bf_upkeep){.pg = NULL};
	int rc = read_lease(&upkeep->lease_ms, err);
	if (rc == 0)
		rc = bf_open_ledger_to_change(program, &upkeep->pg, err);
	if (rc == 0)
		rc = bf_open_queue(&upkeep->redis, err);
	return rc;
}

void bf_close_both(struct bf_upkeep *upkeep)
{
	bf_inspection_release(&upkeep->discarded);
	bf_redis_close(upkeep->redis);
	bf_pg_close(upkeep->pg);
	upkeep->redis = NULL;
	upkeep->pg = NULL;
}

static void tell_discarded(struct bf_inspection *discarded)
{
	for (size_t i = 0; i < discarded->n; i++)
		fprintf(stderr, "warning: %s in Redis %s: that was thrown away, and what belongs there brought back from the ledger\n",
				discarded->list[i].key, discarded->list[i].text);
	bf_inspection_release(discarded);
}

int bf_carry_out(struct bf_upkeep *upkeep, const char *run, enum bf_depth depth, char *state, struct bf_error *err)
{
	int rc = bf_reconcile_generation(upkeep, NULL, err);
	if (rc == 0)
		rc = bf_reconcile_run(upkeep, run, depth, state, NULL, err);
	tell_discarded(&upkeep->discarded);
	return rc;
}

static int ask_redis(struct bf_redis *redis, const char *const *words, size_t n, struct bf_redis_reply **out, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	for (size_t i = 0; i < n; i++)
		bf_redis_arg(&cmd, words[i]);
	int rc = bf_redis_exec(redis, &cmd, out, err);
	bf_redis_cmd_release(&cmd);
	return rc;
}

int bf_workers_alive(struct bf_redis *redis, int64_t *count, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *time = NULL;
	BF_AUTOREPLY struct bf_redis_reply *clock = NULL;
	BF_AUTOREPLY struct bf_redis_reply *alive = NULL;
	const char *const what_time[] = {"TIME"}, *const what_clock[] = {"GET", "bf:clock"};
	char now[32];
	int rc = ask_redis(redis, what_time, 1, &time, err);
	if (rc == 0)
		rc = ask_redis(redis, what_clock, 2, &clock, err); /* the queue's own clock has not jumped with Redis's */
	if (rc < 0)
		return rc;
	snprintf(now, sizeof(now), "%lld", (long long)(bf_redis_int(bf_redis_at(time, 0)) * 1000 + bf_redis_int(clock)));
	const char *const how_many[] = {"ZCOUNT", "bf:workers", now, "+inf"};
	rc = ask_redis(redis, how_many, 4, &alive, err);
	if (rc == 0)
		*count = bf_redis_int(alive);
	return rc;
}
