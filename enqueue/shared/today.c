/* Relative days become days of the calendar, by PostgreSQL's clock. */
#include "shared/today.h"

#include <stdio.h>
#include <string.h>

#include "core/decide.h"

#define UNKNOWN_ZONE "22023" /* invalid_parameter_value: time zone "…" not recognized */

bool bf_today_is_needed(const struct bf_opt_date *since, const struct bf_opt_date *until)
{
	return (since->given && since->relative) || (until->given && until->relative);
}

static int ask_today(struct bf_pg *pg, const char *zone, const char *pipeline, struct bf_today *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = bf_find_today(pg, zone, pipeline, &r, err);
	if (rc == -BF_E_SQL && strcmp(err->sqlstate, UNKNOWN_ZONE) == 0)
		return bf_fail(err, BF_E_INPUT, "timezone: found \"%s\" in pipeline %s, expected a name that PostgreSQL knows: America/New_York",
					   zone ? zone : "", pipeline);
	if (rc < 0)
		return rc;
	out->day = (bf_date)bf_pg_int(r, 0, 0);
	snprintf(out->zone, sizeof(out->zone), "%s", bf_pg_text(r, 0, 1));
	return 0;
}

static void resolve(struct bf_opt_date *d, bf_date today)
{
	if (d->given && d->relative)
		*d = (struct bf_opt_date){.day = today + d->day, .given = true};
}

static int check_order(const struct bf_opt_date *since, const struct bf_opt_date *until, struct bf_error *err)
{
	char first[BF_DATE_TEXT], last[BF_DATE_TEXT];
	if (!since->given || !until->given || until->day >= since->day)
		return 0;
	return bf_fail(err, BF_E_INPUT, "--until: found %s, which is before --since=%s; expected that day or a later one",
				   bf_date_format(until->day, last), bf_date_format(since->day, first));
}

int bf_today_resolve(struct bf_pg *pg, const char *zone, const char *pipeline, struct bf_opt_date *since, struct bf_opt_date *until,
					 struct bf_today *out, struct bf_error *err)
{
	*out = (struct bf_today){.zone = ""};
	int rc = bf_today_is_needed(since, until) ? ask_today(pg, zone, pipeline, out, err) : 0;
	if (rc < 0)
		return rc;
	resolve(since, out->day);
	resolve(until, out->day);
	return check_order(since, until, err);
}
