#include "steps/trouble.h"

/* Of the server. Other errors of class 53, and those of class 08, are of what the SQL does: a limit it hits, another server it asks. */
#define READ_ONLY "25006"
#define DISK_FULL "53100"
static const char *const away[] = {DISK_FULL, "53300", "57P", NULL};

static const char *const conflicts[] = {"40001", "40P01", "55P03", NULL}; /* serialization failure, deadlock, lock not available */

/* The first retry of a deadlock is soon; many that meet again and again are spread ever wider. */
static const struct bf_retry conflict_pace = {.first_ms = 150, .factor = 2, .max_ms = 30000, .jitter = 0.5};
static const struct bf_retry away_pace = {.first_ms = 2000, .factor = 2, .max_ms = 30000, .jitter = 0.2};

static bool begins_with_one_of(const char *sqlstate, const char *const *list)
{
	while (*list && strncmp(sqlstate, *list, strlen(*list)) != 0)
		list++;
	return *list;
}

static bool is_conflict(const struct bf_error *err)
{
	return begins_with_one_of(err->sqlstate, conflicts);
}

bool bf_is_trouble(const struct bf_error *err, bool writes)
{
	return is_conflict(err) || begins_with_one_of(err->sqlstate, away) || (writes && strcmp(err->sqlstate, READ_ONLY) == 0);
}

/* A full disk of the server's own lets the ledger's small changes through, now and then: that it is well proves nothing. */
static enum bf_blame blame(const struct bf_error *err, bool raised)
{
	if (is_conflict(err) || raised)
		return BF_BLAME_STEP;
	return strcmp(err->sqlstate, DISK_FULL) == 0 ? BF_BLAME_NOBODY : BF_BLAME_SERVER;
}

void bf_trouble_wait(struct bf_job *j, const struct bf_error *err, bool raised)
{
	bf_job_wait(j, is_conflict(err) ? &conflict_pace : &away_pace, blame(err, raised), err->text);
}
