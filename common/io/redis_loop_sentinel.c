#include <string.h>

#include "io/redis_loop_internal.h"

static int64_t at_most(int64_t ms, int64_t limit)
{
	return ms < limit ? ms : limit;
}

void bf_redisc_search_place(struct bf_redisc *c)
{
	if (!c->search.under_way)
		bf_sentinel_begin(&c->search);
	c->place = c->search.place;
	c->limit_ms = at_most(c->opt.timeout_ms, c->search.at_master ? BF_MASTER_MS : BF_SENTINEL_MS);
	if (c->search.at_master)
		bf_sentinel_show(&c->search, c->where, sizeof(c->where));
}

static void on_named(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data);

static void on_password(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data)
{
	(void)reply;
	(void)data;
	if (c->phase == PHASE_ASK && err)
		bf_redisc_lost(c, err->text);
}

static void ask(struct bf_redisc *c)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	if (c->search.gave_password) {
		(void)bf_redis_greeting(&c->url, NULL, 0, &cmd); /* AUTH */
		bf_redisc_post(c, &cmd, on_password, NULL);
	}
	bf_sentinel_question(&c->search, &cmd);
	bf_redisc_post(c, &cmd, on_named, NULL);
	bf_redis_cmd_release(&cmd);
}

static void on_named(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data)
{
	struct bf_error why;
	(void)data;
	if (c->phase != PHASE_ASK)
		return;
	if (err && bf_sentinel_wants_password(&c->search, err->text))
		ask(c);
	else if (err)
		bf_redisc_lost(c, err->text);
	else if (bf_sentinel_named(&c->search, reply, &why))
		bf_redisc_lost(c, why.text);
	else
		bf_redisc_again(c);
}

void bf_redisc_search_ask(struct bf_redisc *c)
{
	c->phase = PHASE_ASK;
	ask(c);
}

bool bf_redisc_search_failed(struct bf_redisc *c, const char *why)
{
	if (!bf_sentinel_failed(&c->search, why))
		return false;
	bf_redisc_again(c);
	return true;
}
