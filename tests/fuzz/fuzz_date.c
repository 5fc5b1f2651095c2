/* Dates and ranges: what is accepted is written back as it was, and every range is cut into chunks without hole or overlap. */
#include "base/dates.h"
#include "fuzz.h"

static void cut(bf_date since, bf_date until, enum bf_unit unit, int size)
{
	int chunks = 0;

	for (bf_date from = since; from <= until;) {
		bf_date last = bf_chunk_end(from, until, unit, size);
		MUST(from <= last && last <= until);
		MUST(last == until || unit == BF_UNIT_DAY || last == bf_date_month_end(last));
		MUST(unit == BF_UNIT_MONTH || last - from < size);
		MUST(++chunks <= until - since + 1);
		from = last + 1;
	}
}

static void check_date(const char *text)
{
	struct bf_error err;
	bf_date d = 0;
	char out[BF_DATE_TEXT];
	int y, m, day;
	int rc = bf_date_parse(text, &d, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		return;
	}
	MUST(strcmp(bf_date_format(d, out), text) == 0);
	bf_date_split(d, &y, &m, &day);
	MUST(bf_date_make(y, m, day) == d);
	MUST(bf_date_month_end(d) >= d && bf_date_month_end(d) - d < 31);
	MUST((bf_date_weekday(d) + 1) % 7 == bf_date_weekday(d + 1));
}

static void check_range(const char *text, int size)
{
	struct bf_error err;
	bf_date since = 0, until = 0;
	char out[BF_RANGE_TEXT];
	int rc = bf_range_parse(text, &since, &until, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		return;
	}
	MUST(since <= until);
	bf_range_format(since, until, out);
	MUST(strcmp(out, text) == 0 || (since == until && strncmp(out, text, strlen(out)) == 0));
	if (until - since < BF_RANGE_MAX_DAYS) {
		cut(since, until, BF_UNIT_DAY, size);
		cut(since, until, BF_UNIT_MONTH, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);

	check_date(text);
	check_range(text, size > 0 ? 1 + bytes[size - 1] : 1);
	free(text);
	return 0;
}
