/* The address of PostgreSQL, as far as this program reads it: no error shows a password, or anything that could be one. */
#include "fuzz.h"
#include "io/pg_internal.h"

#define SECRET "hUsh5ecreT"

static void check(const char *url)
{
	struct bf_error err;
	struct bf_pg_target t;
	int rc = bf_pg_target_init(&t, url, "fuzz", &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		MUST(!strstr(err.text, SECRET));
		return;
	}
	bf_pg_target_options(&t, "-c geqo=off");
	MUST(t.count > 0 && t.count <= BF_PG_KEYWORDS_MAX);
	bf_pg_target_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const starts[] = {"postgresql://", "postgres://", "", "password="};
	char *text = fuzz_text(bytes, size), *at = strchr(text, '@'), *url = malloc(size + 64);

	MUST(url);
	check(text);
	for (size_t i = 0; at && i < sizeof(starts) / sizeof(starts[0]); i++) {
		snprintf(url, size + 64, "%s%.*s:" SECRET "%s", starts[i], (int)(at - text), text, at);
		check(url);
	}
	free(url);
	free(text);
	return 0;
}
