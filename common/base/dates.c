#include "base/dates.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define YEAR_MIN 1900
#define YEAR_MAX 2999
#define DATE_LEN (BF_DATE_TEXT - 1)

static const char *const month_names[] = {"January", "February", "March",     "April",   "May",      "June",
										  "July",    "August",   "September", "October", "November", "December"};

bf_date bf_date_make(int year, int month, int day)
{
	int y = year - (month <= 2);
	int era = (y >= 0 ? y : y - 399) / 400;
	int yoe = y - era * 400;                                            /* year of the era, 0…399 */
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1; /* day of the year that begins in March */
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void bf_date_split(bf_date d, int *year, int *month, int *day)
{
	int64_t z = (int64_t)d + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int doe = (int)(z - era * 146097);
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + (int)era * 400 + (*month <= 2);
}

int bf_date_weekday(bf_date d)
{
	int w = (int)(((int64_t)d + 3) % 7); /* 1970-01-01 was a Thursday */
	return w < 0 ? w + 7 : w;
}

bf_date bf_date_month_end(bf_date d)
{
	int y, m, day;
	bf_date_split(d, &y, &m, &day);
	return m == 12 ? bf_date_make(y, 12, 31) : bf_date_make(y, m + 1, 1) - 1;
}

char *bf_date_format(bf_date d, char out[static BF_DATE_TEXT])
{
	int y, m, day;
	bf_date_split(d, &y, &m, &day);
	(void)snprintf(out, BF_DATE_TEXT, "%04u-%02u-%02u", (unsigned)y % 10000U, (unsigned)m % 100U, (unsigned)day % 100U);
	return out;
}

static int refuse(const char *s, struct bf_error *err, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;
	bf_buf_init(&found, 512);
	bf_text_quote(&found, s, strlen(s), 60);
	return bf_fail(err, BF_E_INPUT, "found %s, %s", found.data, expected);
}

static int digits(const char *s, size_t n)
{
	int value = 0;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (s[i] - '0');
	return value;
}

static bool has_date_shape(const char *s)
{
	if (strnlen(s, DATE_LEN + 1) != DATE_LEN)
		return false;
	for (size_t i = 0; i < DATE_LEN; i++) {
		bool dash = i == 4 || i == 7;
		if (dash ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

int bf_date_parse(const char *s, bf_date *out, struct bf_error *err)
{
	if (!has_date_shape(s))
		return refuse(s, err, "expected YYYY-MM-DD");
	int year = digits(s, 4), month = digits(s + 5, 2), day = digits(s + 8, 2);
	if (year < YEAR_MIN || year > YEAR_MAX)
		return refuse(s, err, "expected YYYY-MM-DD with a year from 1900 to 2999");
	if (month < 1 || month > 12)
		return refuse(s, err, "expected YYYY-MM-DD with a month from 01 to 12");
	bf_date first = bf_date_make(year, month, 1);
	int last_day = bf_date_month_end(first) - first + 1;
	if (day < 1 || day > last_day) {
		char why[80];
		(void)snprintf(why, sizeof(why), "but %s %d has %d days, 01 to %d", month_names[month - 1], year, last_day, last_day);
		return refuse(s, err, why);
	}
	*out = first + day - 1;
	return 0;
}

/* "-7d", "-2w" */
static bool parse_ago(const char *s, bf_date *out)
{
	size_t n = strlen(s);
	int64_t count;
	if (n < 3 || n > 7 || s[0] != '-' || (s[n - 1] != 'd' && s[n - 1] != 'w'))
		return false;
	char number[8];
	memcpy(number, s + 1, n - 2);
	number[n - 2] = '\0';
	int64_t days = s[n - 1] == 'w' ? 7 : 1;
	if (bf_text_int(number, 1, BF_RANGE_MAX_DAYS / days, &count) < 0)
		return false;
	*out = (bf_date)(-count * days);
	return true;
}

int bf_day_parse(const char *s, bf_date *out, bool *relative, struct bf_error *err)
{
	bool today = strcmp(s, "today") == 0, yesterday = strcmp(s, "yesterday") == 0;
	*relative = true;
	if (today || yesterday) {
		*out = today ? 0 : -1;
		return 0;
	}
	if (parse_ago(s, out))
		return 0;
	*relative = false;
	if (!has_date_shape(s))
		return refuse(s, err, "expected YYYY-MM-DD, today, yesterday, or so many days or weeks ago: -7d, -2w");
	return bf_date_parse(s, out, err);
}

char *bf_range_format(bf_date since, bf_date until, char out[static BF_RANGE_TEXT])
{
	bf_date_format(since, out);
	if (until != since) {
		memcpy(out + DATE_LEN, "..", 2);
		char last[BF_DATE_TEXT];
		memcpy(out + DATE_LEN + 2, bf_date_format(until, last), sizeof(last));
	}
	return out;
}

int bf_range_parse(const char *s, bf_date *since, bf_date *until, struct bf_error *err)
{
	const char *dots = strstr(s, "..");
	bf_date first, last;
	int rc;
	if (!dots) {
		rc = bf_date_parse(s, &first, err);
		if (rc)
			return rc;
		last = first;
	} else {
		if (dots - s != DATE_LEN)
			return refuse(s, err, "expected YYYY-MM-DD or YYYY-MM-DD..YYYY-MM-DD");
		char one[BF_DATE_TEXT];
		memcpy(one, s, DATE_LEN);
		one[DATE_LEN] = '\0';
		rc = bf_date_parse(one, &first, err);
		if (!rc)
			rc = bf_date_parse(dots + 2, &last, err);
		if (rc)
			return rc;
		if (last < first)
			return refuse(s, err, "expected a last day that is not before the first");
	}
	*since = first;
	*until = last;
	return 0;
}

bf_date bf_chunk_end(bf_date since, bf_date until, enum bf_unit unit, int size)
{
	int64_t end = since;
	switch (unit) {
	case BF_UNIT_DAY:
		end = (int64_t)since + size - 1;
		break;
	case BF_UNIT_MONTH: {
		int y, m, day;
		bf_date_split(since, &y, &m, &day);
		for (int i = 0; i < size && end <= until; i++) {
			end = bf_date_month_end(bf_date_make(y, m, 1));
			y += m == 12;
			m = m == 12 ? 1 : m + 1;
		}
		break;
	}
	}
	return end < until ? (bf_date)end : until;
}
