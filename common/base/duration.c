#include "base/duration.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND     1000LL
#define MINUTE     (60 * SECOND)
#define HOUR       (60 * MINUTE)
#define DAY        (24 * HOUR)
#define NUMBER_LEN 12 /* more digits than any duration or rate needs */

static const struct unit {
	const char *name;
	const char *rate_name;
	int64_t ms;
} units[] = {{"d", "day", DAY}, {"h", "hour", HOUR}, {"m", "minute", MINUTE}, {"s", "second", SECOND}, {"ms", NULL, 1}};

static int refuse(const char *s, struct bf_error *err, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;
	bf_buf_init(&found, 512);
	bf_text_quote(&found, s, strlen(s), 60);
	return bf_fail(err, BF_E_INPUT, "found %s, expected %s", found.data, expected);
}

/* Splits "30s" into 30 and "s". NULL where no number is in front; too many digits give INT64_MAX. */
static const char *leading_number(const char *s, int64_t *n)
{
	size_t len = strspn(s, "0123456789");
	if (len == 0)
		return NULL;
	char number[NUMBER_LEN + 1] = "";
	*n = INT64_MAX;
	if (len <= NUMBER_LEN) {
		memcpy(number, s, len);
		(void)bf_text_int(number, 0, INT64_MAX, n);
	}
	return s + len;
}

int bf_duration_parse(const char *s, int64_t *ms, struct bf_error *err)
{
	int64_t n;
	const char *unit = leading_number(s, &n);
	for (size_t i = 0; unit && i < BF_COUNT_OF(units); i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (n > BF_DURATION_MAX_MS / units[i].ms)
			return refuse(s, err, "at most 366d");
		*ms = n * units[i].ms;
		return 0;
	}
	return refuse(s, err, "a whole number and a unit (ms, s, m, h or d), such as 30s");
}

char *bf_duration_format(int64_t ms, char out[static BF_DURATION_TEXT])
{
	size_t i = 0;
	if (ms == 0)
		i = 3; /* "0s" */
	while (ms % units[i].ms != 0)
		i++;
	(void)snprintf(out, BF_DURATION_TEXT, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
	return out;
}

char *bf_duration_human(int64_t ms, char out[static BF_DURATION_TEXT])
{
	if (ms < 0)
		ms = 0;
	if (ms < SECOND)
		(void)snprintf(out, BF_DURATION_TEXT, "%d ms", (int)ms);
	else if (ms < MINUTE)
		(void)snprintf(out, BF_DURATION_TEXT, "%d.%d s", (int)(ms / SECOND), (int)(ms % SECOND / 100));
	else if (ms < HOUR)
		(void)snprintf(out, BF_DURATION_TEXT, "%d min %02d s", (int)(ms / MINUTE), (int)(ms % MINUTE / SECOND));
	else if (ms < DAY)
		(void)snprintf(out, BF_DURATION_TEXT, "%d h %02d min", (int)(ms / HOUR), (int)(ms % HOUR / MINUTE));
	else if (ms < 100000 * DAY)
		(void)snprintf(out, BF_DURATION_TEXT, "%d d %d h", (int)(ms / DAY), (int)(ms % DAY / HOUR));
	else
		(void)snprintf(out, BF_DURATION_TEXT, "over 99999 d");
	return out;
}

int bf_rate_parse(const char *s, double *interval_ms, struct bf_error *err)
{
	int64_t n;
	const char *unit = leading_number(s, &n);
	for (size_t i = 0; unit && *unit == '/' && i < BF_COUNT_OF(units); i++) {
		if (!units[i].rate_name || strcmp(unit + 1, units[i].rate_name) != 0)
			continue;
		if (n < 1 || n > 1000000)
			return refuse(s, err, "a rate of 1 to 1000000");
		*interval_ms = (double)units[i].ms / (double)n;
		return 0;
	}
	return refuse(s, err, "a whole number and /second, /minute, /hour or /day, such as 20/minute");
}
