/* Durations and rates: what is accepted is within its bounds, and its shortest form means the same. */
#include "base/duration.h"
#include "fuzz.h"

static void check_duration(const char *text)
{
	struct bf_error err;
	int64_t ms = -1, again = -1;
	char out[BF_DURATION_TEXT];
	int rc = bf_duration_parse(text, &ms, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		return;
	}
	MUST(ms >= 0 && ms <= BF_DURATION_MAX_MS);
	bf_duration_format(ms, out);
	MUST(bf_duration_parse(out, &again, &err) == 0 && again == ms);
}

static void check_rate(const char *text)
{
	struct bf_error err;
	double interval = -1;
	int rc = bf_rate_parse(text, &interval, &err);

	if (rc < 0)
		must_be_an_error(rc, &err);
	else
		MUST(interval >= 0.001 && interval <= 24 * 3600 * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size), out[BF_DURATION_TEXT];
	int64_t any = 0;

	check_duration(text);
	check_rate(text);
	memcpy(&any, bytes, size < sizeof(any) ? size : sizeof(any));
	bf_duration_human(any, out);
	MUST(strnlen(out, sizeof(out)) < sizeof(out));
	if (any >= 0) {
		bf_duration_format(any, out);
		MUST(strnlen(out, sizeof(out)) < sizeof(out));
	}
	free(text);
	return 0;
}
