/* The address of Redis. Whatever it looks like, neither where it leads to nor an error shows its password. */
#include "fuzz.h"
#include "io/redis.h"

#define SECRET "hUsh5ecreT"

static void check_shown(const struct bf_redis_url *u)
{
	MUST(strnlen(u->shown, sizeof(u->shown)) < sizeof(u->shown) && *u->shown);
	MUST(strnlen(u->host, sizeof(u->host)) < sizeof(u->host) && (*u->host != 0) == (u->n_sentinels == 0));
	MUST(u->n_sentinels >= 0 && u->n_sentinels <= BF_REDIS_SENTINELS_MAX && (*u->master != 0) == (u->n_sentinels > 0));
	for (int i = 0; i < u->n_sentinels; i++)
		MUST(*u->sentinels[i].host && u->sentinels[i].port > 0 && u->sentinels[i].port <= 65535);
	MUST(strnlen(u->user, sizeof(u->user)) < sizeof(u->user));
	MUST(strnlen(u->password, sizeof(u->password)) < sizeof(u->password));
	MUST(u->port >= 0 && u->port <= 65535 && u->db >= 0);
}

static void check(const char *url)
{
	struct bf_error err;
	struct bf_redis_url u;
	int rc = bf_redis_url_parse(url, &u, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		MUST(!strstr(err.text, SECRET));
	} else {
		check_shown(&u);
		MUST(!strstr(u.shown, SECRET) && !strstr(u.host, SECRET));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const schemes[] = {"redis", "rediss", "unix", "sentinel", "REDIS", "http"};
	char *text = fuzz_text(bytes, size), *at = strchr(text, '@'), *url = malloc(size + 64);

	MUST(url);
	if (strstr(text, SECRET)) { /* where it is none */
		free(text);
		free(url);
		return 0;
	}
	check(text);
	/* "user@host…": the same with each scheme, and a password between them */
	for (size_t i = 0; at && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		snprintf(url, size + 64, "%s://%.*s:" SECRET "%s", schemes[i], (int)(at - text), text, at);
		if (*text != '/' || strcmp(schemes[i], "unix") != 0) /* unix:///a:b@c is a path */
			check(url);
	}
	free(url);
	free(text);
	return 0;
}
