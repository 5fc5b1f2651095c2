#include "io/redis.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/redis_internal.h"
#include "io/redis_sentinel.h"

#define CONNECT_SECONDS 5
#define SEARCH_PAUSE_MS 200 /* between two searches for a master */
#define COMMAND_SECONDS 10  /* a server that forks or syncs its log may keep a command waiting for some seconds */

struct bf_redis {
	redisContext *ctx;
	char where[512];    /* for messages */
	struct bf_buf sent; /* the command being sent */
	bool alive;
	char lost[128]; /* why it is not, when it broke */
};

/* hiredis would write without MSG_NOSIGNAL: a server that is gone must be an error and not a SIGPIPE. */
static int send_all(struct bf_redis *r)
{
	for (size_t done = 0; done < r->sent.len;) {
		ssize_t n = send(r->ctx->fd, r->sent.data + done, r->sent.len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		done += (size_t)n;
	}
	return 0;
}

static int fail_lost(struct bf_redis *r, int sys_errno, const char *reason, struct bf_error *err)
{
	r->alive = false;
	if (sys_errno == EAGAIN)
		reason = "no answer in time";
	(void)snprintf(r->lost, sizeof(r->lost), "%s", reason);
	bf_fail(err, BF_E_UNKNOWN_OUTCOME, "The connection to Redis at %s broke before the answer came (%s)", r->where, reason);
	if (err)
		err->sys_errno = sys_errno;
	return -BF_E_UNKNOWN_OUTCOME;
}

static int fail_reply(struct bf_redis *r, const struct bf_redis_reply *reply, struct bf_error *err)
{
	const char *text = bf_redis_text(reply);
	if (!bf_redis_is_of_replica(text))
		return bf_redis_fail_reply(reply, err);
	r->alive = false;
	return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s is a replica: %s", r->where, text);
}

int bf_redis_send(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_error *err)
{
	if (!r->alive)
		return bf_fail(err, BF_E_UNAVAILABLE, "The connection to Redis at %s is gone", r->where);
	bf_redis_cmd_encode(cmd, &r->sent);
	if (r->sent.overflow)
		return bf_fail(err, BF_E_LIMIT, "A command for Redis is larger than %zu MiB", BF_REDIS_CMD_MAX >> 20);
	int rc = send_all(r);
	return rc ? fail_lost(r, rc, strerror(rc), err) : 0;
}

int bf_redis_receive(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err)
{
	void *raw = NULL;
	if (redisGetReply(r->ctx, &raw) != REDIS_OK || !raw)
		return fail_lost(r, r->ctx->err == REDIS_ERR_IO ? errno : 0, r->ctx->errstr, err);
	struct bf_redis_reply *reply = bf_redis_wrap(raw);
	int rc = bf_redis_type(reply) == BF_REDIS_ERROR ? fail_reply(r, reply, err) : 0;
	if (rc || !out)
		bf_redis_reply_free(reply);
	else
		*out = reply;
	return rc;
}

int bf_redis_exec(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	if (out)
		*out = NULL;
	int rc = bf_redis_send(r, cmd, err);
	return rc < 0 ? rc : bf_redis_receive(r, out, err);
}

/* ---- connecting ---- */

/* A connection that has not greeted yet. The reason of a failure is given bare. */
static int dial(const struct bf_redis_place *place, const char *where, int64_t wait_ms, struct bf_redis **out, struct bf_error *why)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	redisContext *ctx =
		place->port ? redisConnectWithTimeout(place->host, place->port, wait) : redisConnectUnixWithTimeout(place->host, wait);
	if (!ctx || ctx->err || redisSetTimeout(ctx, wait) != REDIS_OK) {
		bf_fail(why, BF_E_UNAVAILABLE, "%s", ctx ? ctx->errstr : "out of memory");
		if (ctx)
			redisFree(ctx);
		return -BF_E_UNAVAILABLE;
	}
	bf_redis_bound(ctx->reader);
	struct bf_redis *r = bf_alloc(sizeof(*r));
	r->ctx = ctx;
	r->alive = true;
	(void)snprintf(r->where, sizeof(r->where), "%s", where);
	bf_buf_init(&r->sent, BF_REDIS_CMD_MAX + 64);
	if (place->port)
		(void)redisEnableKeepAlive(ctx);
	*out = r;
	return 0;
}

/* *refused (may be NULL): the server answered, and will not answer otherwise the next time. */
static int greet(struct bf_redis *r, const struct bf_redis_url *url, bool *refused, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	int rc = 0;
	const char *name;
	for (int i = 0; rc == 0 && (name = bf_redis_greeting(url, NULL, i, &cmd)); i++) {
		struct bf_error why;
		BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
		rc = bf_redis_exec(r, &cmd, &reply, &why);
		if (refused && rc == -BF_E_REDIS)
			*refused = strncmp(why.text, "LOADING", 7) != 0;
		if (rc == -BF_E_REDIS)
			rc = bf_redis_fail_greeting(r->where, name, why.text, err);
		else if (rc)
			rc = bf_fail(err, BF_E_UNAVAILABLE, "%s", why.text);
		else if (strcmp(name, "ROLE") == 0)
			rc = bf_sentinel_check_role(reply, err);
	}
	bf_redis_cmd_release(&cmd);
	(void)redisSetTimeout(r->ctx, (struct timeval){.tv_sec = COMMAND_SECONDS});
	return rc;
}

static int open_named(const char *given, const struct bf_redis_url *url, int64_t wait_ms, struct bf_redis **out, struct bf_error *err)
{
	struct bf_redis_place place = {.port = url->port};
	struct bf_error why;
	memcpy(place.host, url->host, sizeof(place.host));
	if (dial(&place, url->shown, wait_ms, out, &why))
		return bf_redis_fail_unreachable(url->shown, bf_redis_because(given), why.text, err);
	return greet(*out, url, NULL, err);
}

/* ---- through sentinels ---- */

static int give_password(struct bf_redis *r, const struct bf_redis_url *url, struct bf_redis_cmd *cmd, struct bf_error *why)
{
	(void)bf_redis_greeting(url, NULL, 0, cmd); /* AUTH */
	return bf_redis_exec(r, cmd, NULL, why);
}

static int ask_sentinel(struct bf_sentinel_search *s, struct bf_error *why)
{
	BF_AUTOREPLY struct bf_redis_reply *answer = NULL;
	struct bf_redis *r = NULL;
	struct bf_redis_cmd cmd;
	int rc = dial(&s->place, "the sentinel", BF_SENTINEL_MS, &r, why);
	if (rc)
		return rc;
	bf_redis_cmd_init(&cmd);
	bf_sentinel_question(s, &cmd);
	rc = bf_redis_exec(r, &cmd, &answer, why);
	if (rc == -BF_E_REDIS && bf_sentinel_wants_password(s, why->text)) {
		rc = give_password(r, s->url, &cmd, why);
		bf_sentinel_question(s, &cmd);
		if (rc == 0)
			rc = bf_redis_exec(r, &cmd, &answer, why);
	}
	bf_redis_cmd_release(&cmd);
	if (*r->lost)
		rc = bf_fail(why, BF_E_UNAVAILABLE, "%s", r->lost);
	bf_redis_close(r);
	return rc ? rc : bf_sentinel_named(s, answer, why);
}

static int try_master(struct bf_sentinel_search *s, bool *refused, struct bf_redis **out, struct bf_error *why)
{
	char where[512];
	bf_sentinel_show(s, where, sizeof(where));
	int rc = dial(&s->place, where, BF_MASTER_MS, out, why);
	if (rc)
		return rc;
	rc = greet(*out, s->url, refused, why);
	if (*(*out)->lost)
		rc = bf_fail(why, BF_E_UNAVAILABLE, "%s", (*out)->lost);
	if (rc) {
		bf_redis_close(*out);
		*out = NULL;
	}
	return rc;
}

static int search(struct bf_sentinel_search *s, bool *refused, struct bf_redis **out, struct bf_error *err)
{
	int rc;
	bf_sentinel_begin(s);
	do {
		struct bf_error why;
		bool is_master = s->at_master;
		rc = is_master ? try_master(s, refused, out, &why) : ask_sentinel(s, &why);
		if (rc == 0 && is_master)
			bf_sentinel_found(s);
		else if (rc)
			(void)bf_sentinel_failed(s, why.text);
	} while (s->under_way);
	return rc ? bf_sentinel_fail(s, err) : 0;
}

/* While a failover is under way, sentinels name a master that is gone, or a replica: what is named is tried again for a while. */
static int open_through_sentinels(const struct bf_redis_url *url, int64_t wait_ms, struct bf_redis **out, struct bf_error *err)
{
	struct bf_sentinel_search s;
	bool refused = false;
	int64_t until = bf_mono_ms() + wait_ms;
	bf_sentinel_init(&s, url);
	int rc = search(&s, &refused, out, err);
	while (rc && s.n_tried > 0 && !refused && bf_mono_ms() < until) {
		(void)nanosleep(&(struct timespec){.tv_nsec = SEARCH_PAUSE_MS * 1000000}, NULL);
		rc = search(&s, &refused, out, err);
	}
	bf_sentinel_release(&s);
	return rc;
}

static int open_url(const char *url, int64_t wait_ms, struct bf_redis **out, struct bf_error *err)
{
	struct bf_redis_url parsed;
	struct bf_redis *r = NULL;
	int rc = bf_redis_url_parse(url, &parsed, err);
	if (rc)
		return rc;
	rc = parsed.n_sentinels ? open_through_sentinels(&parsed, wait_ms, &r, err) : open_named(url, &parsed, wait_ms, &r, err);
	if (rc)
		bf_redis_close(r);
	else
		*out = r;
	return rc;
}

int bf_redis_open(const char *url, struct bf_redis **out, struct bf_error *err)
{
	return open_url(url, CONNECT_SECONDS * 1000, out, err);
}

int bf_redis_open_within(const char *url, int64_t wait_ms, struct bf_redis **out, struct bf_error *err)
{
	int rc = open_url(url, wait_ms, out, err);
	if (rc == 0)
		bf_redis_set_timeout(*out, wait_ms);
	return rc;
}

void bf_redis_close(struct bf_redis *r)
{
	if (!r)
		return;
	redisFree(r->ctx);
	bf_buf_release(&r->sent);
	free(r);
}

void bf_redis_set_timeout(struct bf_redis *r, int64_t ms)
{
	int64_t wait_ms = ms < COMMAND_SECONDS * 1000 ? ms : COMMAND_SECONDS * 1000;
	(void)redisSetTimeout(r->ctx, (struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000});
}

bool bf_redis_alive(const struct bf_redis *r)
{
	return r->alive;
}

const char *bf_redis_where(const struct bf_redis *r)
{
	return r->where;
}

/* ---- is this a server we may use? ---- */

/* The value of "name:value\r\n" in the answer of INFO, or "". */
static const char *info_field(const char *info, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	*out = '\0';
	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		size_t n = strcspn(line + len + 1, "\r\n");
		(void)snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), line + len + 1);
		break;
	}
	return out;
}

static bool version_at_least(const char *version, int major, int minor)
{
	int a = 0, b = 0;
	if (sscanf(version, "%d.%d", &a, &b) < 1)
		return false;
	return a > major || (a == major && b >= minor);
}

/* redis-cli with what says where this server is, as it can be pasted; a password it takes from REDISCLI_AUTH. */
static void cli_command(const char *where, char *out, size_t size)
{
	if (strncmp(where, "unix://", 7) == 0)
		(void)snprintf(out, size, "redis-cli -s %.*s", (int)strcspn(where + 7, "?"), where + 7);
	else
		(void)snprintf(out, size, strncmp(where, "redis://", 8) == 0 ? "redis-cli -u %s" : "redis-cli", where);
}

static int check_info(const struct bf_redis *r, const char *info, char *warning, size_t warning_size, struct bf_error *err)
{
	char version[40], limit[40], policy[40], aof[8];
	const char *where = r->where;
	if (*info_field(info, "valkey_version", version, sizeof(version))) {
		if (!version_at_least(version, 7, 2))
			return bf_fail(err, BF_E_UNAVAILABLE, "Valkey at %s is version %s; 7.2 or later is needed", where, version);
	} else if (!version_at_least(info_field(info, "redis_version", version, sizeof(version)), 7, 0)) {
		return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s is version %s; 7.0 or later is needed", where,
					   *version ? version : "(not told)");
	}
	info_field(info, "maxmemory", limit, sizeof(limit));
	info_field(info, "maxmemory_policy", policy, sizeof(policy));
	char cli[512];
	cli_command(where, cli, sizeof(cli));
	if (*policy && strcmp(policy, "noeviction") != 0) /* also without a limit yet: it can be set at any time */
		return bf_fail(err, BF_E_UNAVAILABLE,
					   "Redis at %s may throw the queue away: maxmemory-policy is %s with maxmemory %s. "
					   "Set it to noeviction (%s CONFIG SET maxmemory-policy noeviction), or use another server",
					   where, policy, limit, cli);
	if (warning && strcmp(info_field(info, "aof_enabled", aof, sizeof(aof)), "0") == 0)
		(void)snprintf(warning, warning_size,
					   "Redis at %s keeps no append-only file (appendonly no): after a crash of it the queue is rebuilt from the ledger, "
					   "which costs time",
					   where);
	return 0;
}

int bf_redis_check_server(struct bf_redis *r, char *warning, size_t warning_size, struct bf_error *err)
{
	if (warning && warning_size)
		*warning = '\0';
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "INFO");
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	int rc = bf_redis_exec(r, &cmd, &reply, err);
	bf_redis_cmd_release(&cmd);
	if (rc)
		return rc;
	return check_info(r, bf_redis_text(reply), warning_size ? warning : NULL, warning_size, err);
}
