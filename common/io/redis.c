#include "io/redis.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/redis_internal.h"

#define CONNECT_SECONDS 5
#define COMMAND_SECONDS 10 /* a server that forks or syncs its log may keep a command waiting for some seconds */

struct bf_redis {
	redisContext *ctx;
	struct bf_redis_url url;
	struct bf_buf sent; /* the command being sent */
	bool alive;
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
	bf_fail(err, BF_E_UNKNOWN_OUTCOME, "The connection to Redis at %s broke before the answer came (%s)", r->url.shown, reason);
	if (err)
		err->sys_errno = sys_errno;
	return -BF_E_UNKNOWN_OUTCOME;
}

int bf_redis_exec(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	if (out)
		*out = NULL;
	if (!r->alive)
		return bf_fail(err, BF_E_UNAVAILABLE, "The connection to Redis at %s is gone", r->url.shown);
	bf_redis_cmd_encode(cmd, &r->sent);
	if (r->sent.overflow)
		return bf_fail(err, BF_E_LIMIT, "A command for Redis is larger than %zu MiB", BF_REDIS_CMD_MAX >> 20);
	int rc = send_all(r);
	if (rc)
		return fail_lost(r, rc, strerror(rc), err);
	void *raw = NULL;
	if (redisGetReply(r->ctx, &raw) != REDIS_OK || !raw)
		return fail_lost(r, r->ctx->err == REDIS_ERR_IO ? errno : 0, r->ctx->errstr, err);
	struct bf_redis_reply *reply = bf_redis_wrap(raw);
	rc = bf_redis_type(reply) == BF_REDIS_ERROR ? bf_redis_fail_reply(reply, err) : 0;
	if (rc || !out)
		bf_redis_reply_free(reply);
	else
		*out = reply;
	return rc;
}

static int greet(struct bf_redis *r, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	int rc = 0;
	const char *name;
	for (int i = 0; rc == 0 && (name = bf_redis_greeting(&r->url, NULL, i, &cmd)); i++) {
		struct bf_error why;
		rc = bf_redis_exec(r, &cmd, NULL, &why);
		if (rc == -BF_E_REDIS)
			rc = bf_redis_fail_greeting(&r->url, name, why.text, err);
		else if (rc)
			rc = bf_fail(err, BF_E_UNAVAILABLE, "%s", why.text);
	}
	bf_redis_cmd_release(&cmd);
	return rc;
}

int bf_redis_open(const char *url, struct bf_redis **out, struct bf_error *err)
{
	struct bf_redis_url parsed;
	int rc = bf_redis_url_parse(url, &parsed, err);
	if (rc)
		return rc;
	struct timeval wait = {.tv_sec = CONNECT_SECONDS};
	redisContext *ctx =
		parsed.port ? redisConnectWithTimeout(parsed.host, parsed.port, wait) : redisConnectUnixWithTimeout(parsed.host, wait);
	if (!ctx || ctx->err || redisSetTimeout(ctx, wait) != REDIS_OK) {
		rc = bf_redis_fail_unreachable(&parsed, bf_redis_because(url), ctx ? ctx->errstr : "out of memory", err);
		if (ctx)
			redisFree(ctx);
		return rc;
	}
	struct bf_redis *r = bf_alloc(sizeof(*r));
	r->ctx = ctx;
	r->url = parsed;
	r->alive = true;
	bf_buf_init(&r->sent, BF_REDIS_CMD_MAX + 64);
	if (parsed.port)
		(void)redisEnableKeepAlive(ctx);
	rc = greet(r, err);
	(void)redisSetTimeout(ctx, (struct timeval){.tv_sec = COMMAND_SECONDS});
	if (rc) {
		bf_redis_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void bf_redis_close(struct bf_redis *r)
{
	if (!r)
		return;
	redisFree(r->ctx);
	bf_buf_release(&r->sent);
	free(r);
}

bool bf_redis_alive(const struct bf_redis *r)
{
	return r->alive;
}

const char *bf_redis_where(const struct bf_redis *r)
{
	return r->url.shown;
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

static int check_info(const struct bf_redis *r, const char *info, char *warning, size_t warning_size, struct bf_error *err)
{
	char version[40], limit[40], policy[40], aof[8];
	const char *where = r->url.shown;
	if (*info_field(info, "valkey_version", version, sizeof(version))) {
		if (!version_at_least(version, 7, 2))
			return bf_fail(err, BF_E_UNAVAILABLE, "Valkey at %s is version %s; 7.2 or later is needed", where, version);
	} else if (!version_at_least(info_field(info, "redis_version", version, sizeof(version)), 7, 0)) {
		return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s is version %s; 7.0 or later is needed", where,
					   *version ? version : "(not told)");
	}
	info_field(info, "maxmemory", limit, sizeof(limit));
	info_field(info, "maxmemory_policy", policy, sizeof(policy));
	if (*policy && strcmp(policy, "noeviction") != 0) /* also without a limit yet: it can be set at any time */
		return bf_fail(err, BF_E_UNAVAILABLE,
					   "Redis at %s may throw the queue away: maxmemory-policy is %s with maxmemory %s. "
					   "Set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction), or use another server",
					   where, policy, limit);
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
