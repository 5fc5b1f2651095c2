#include "io/redis_sentinel.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SAID_MAX 900 /* bytes: an error's text has room for them and for the addresses */

void bf_sentinel_init(struct bf_sentinel_search *s, const struct bf_redis_url *url)
{
	memset(s, 0, sizeof(*s));
	s->url = url;
	bf_buf_init(&s->said, SAID_MAX);
}

void bf_sentinel_release(struct bf_sentinel_search *s)
{
	bf_buf_release(&s->said);
}

static const struct bf_redis_place *sentinel(const struct bf_sentinel_search *s)
{
	return &s->url->sentinels[(s->first + s->asked) % s->url->n_sentinels];
}

static void ask_present(struct bf_sentinel_search *s)
{
	s->place = *sentinel(s);
	s->at_master = s->gave_password = false;
}

void bf_sentinel_begin(struct bf_sentinel_search *s)
{
	s->under_way = true;
	s->asked = s->n_tried = 0;
	bf_buf_clear(&s->said);
	ask_present(s);
}

void bf_sentinel_question(const struct bf_sentinel_search *s, struct bf_redis_cmd *cmd)
{
	bf_redis_cmd_clear(cmd);
	bf_redis_arg(cmd, "SENTINEL");
	bf_redis_arg(cmd, "GET-MASTER-ADDR-BY-NAME");
	bf_redis_arg(cmd, s->url->master);
}

bool bf_sentinel_wants_password(struct bf_sentinel_search *s, const char *error)
{
	if (s->gave_password || !*s->url->password || strncmp(error, "NOAUTH", 6) != 0)
		return false;
	s->gave_password = true;
	return true;
}

static const char *show_place(const struct bf_redis_place *p, char *out, size_t size)
{
	(void)snprintf(out, size, strchr(p->host, ':') ? "[%s]:%d" : "%s:%d", p->host, p->port);
	return out;
}

int bf_sentinel_named(struct bf_sentinel_search *s, const struct bf_redis_reply *answer, struct bf_error *why)
{
	struct bf_redis_place *named = &s->tried[s->n_tried];
	char shown[300];
	if (bf_redis_type(answer) == BF_REDIS_NIL)
		return bf_fail(why, BF_E_NOT_FOUND, "knows no master %s", s->url->master);
	const struct bf_redis_reply *host = bf_redis_at(answer, 0);
	int64_t port = bf_redis_int(bf_redis_at(answer, 1));
	if (bf_redis_len(host) == 0 || bf_redis_len(host) >= sizeof(named->host) || port < 1 || port > 65535)
		return bf_fail(why, BF_E_UNAVAILABLE, "gives no address");
	(void)snprintf(named->host, sizeof(named->host), "%s", bf_redis_text(host));
	named->port = (int)port;
	for (int i = 0; i < s->n_tried; i++)
		if (s->tried[i].port == named->port && strcmp(s->tried[i].host, named->host) == 0)
			return bf_fail(why, BF_E_UNAVAILABLE, "names %s, too", show_place(named, shown, sizeof(shown)));
	s->n_tried++;
	s->place = *named;
	s->at_master = true;
	return 0;
}

int bf_sentinel_check_role(const struct bf_redis_reply *answer, struct bf_error *why)
{
	const char *role = bf_redis_text(bf_redis_at(answer, 0));
	if (strcmp(role, "master") == 0)
		return 0;
	BF_AUTOBUF struct bf_buf quoted;
	bf_buf_init(&quoted, 128);
	bf_text_quote(&quoted, role, strlen(role), 40);
	return bf_fail(why, BF_E_UNAVAILABLE, "its ROLE is %s, not \"master\"", quoted.data);
}

void bf_sentinel_found(struct bf_sentinel_search *s)
{
	s->under_way = false;
	s->first = (s->first + s->asked) % s->url->n_sentinels;
}

bool bf_sentinel_failed(struct bf_sentinel_search *s, const char *reason)
{
	char asked[300], named[300];
	const char *between = s->said.len ? "; " : "";
	show_place(sentinel(s), asked, sizeof(asked));
	if (s->at_master)
		bf_buf_printf(&s->said, "%s%s names %s: %s", between, asked, show_place(&s->place, named, sizeof(named)), reason);
	else
		bf_buf_printf(&s->said, "%s%s: %s", between, asked, reason);
	s->under_way = ++s->asked < s->url->n_sentinels;
	if (s->under_way)
		ask_present(s);
	return s->under_way;
}

void bf_sentinel_show(const struct bf_sentinel_search *s, char *out, size_t size)
{
	char place[300];
	(void)snprintf(out, size, "redis://%s/%d (master %s)", show_place(&s->place, place, sizeof(place)), s->url->db, s->url->master);
}

int bf_sentinel_fail(const struct bf_sentinel_search *s, struct bf_error *err)
{
	return bf_fail(err, BF_E_UNAVAILABLE, "Redis cannot be reached through %s (BF_REDIS_URL). The sentinels: %s.", s->url->shown,
				   s->said.data);
}
