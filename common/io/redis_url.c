#include "io/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "io/redis_internal.h"

#define DEFAULT_URL "redis://127.0.0.1:6379/0"
#define POSSIBLE                                                                      \
	"possible are redis://[user:password@]host[:port][/db], unix:///path[?db=N] and " \
	"sentinel://[user:password@]host:port,…/master[?db=N]"
#define PORT          6379
#define SENTINEL_PORT 26379

static const char *environment_url(void)
{
	const char *url = getenv("BF_REDIS_URL");
	return url && *url ? url : NULL;
}

const char *bf_redis_because(const char *given)
{
	if (given)
		return "";
	if (environment_url())
		return " It was looked for there because of BF_REDIS_URL;";
	return " BF_REDIS_URL is not set, so the default was tried;";
}

/* What was found, quoted. What stands before an '@' may be a password and is never shown. */
static int refuse(struct bf_error *err, const char *what, const char *found, size_t len)
{
	struct bf_buf quoted BF_AUTOBUF;
	bf_buf_init(&quoted, 512);
	size_t secret = bf_url_secret_length(found, len);
	bf_text_quote(&quoted, found + secret, len - secret, 80);
	return bf_fail(err, BF_E_INPUT, "the address of Redis (BF_REDIS_URL): %s %s; " POSSIBLE, what, quoted.data);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undoes %XX into out. The text is not shown in an error: it may be a secret. */
static int percent_decode(const char *s, size_t len, char *out, size_t size, const char *what, struct bf_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '%') {
			int high = i + 1 < len ? hex_digit(s[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0)
				return bf_fail(
					err, BF_E_INPUT,
					"the address of Redis (BF_REDIS_URL): a %% in the %s is not followed by two hexadecimal digits (%%25 is a %%)", what);
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (n + 1 >= size)
			return bf_fail(err, BF_E_INPUT, "the address of Redis (BF_REDIS_URL): the %s is longer than %zu bytes", what, size - 1);
		out[n++] = c;
	}
	out[n] = '\0';
	return 0;
}

/* "user:password" or ":password". A word alone is refused: clients do not agree on whether it is the one or the other. */
static int parse_userinfo(const char *s, size_t len, struct bf_redis_url *out, struct bf_error *err)
{
	const char *colon = memchr(s, ':', len);
	if (!colon)
		return bf_fail(err, BF_E_INPUT,
					   "the address of Redis (BF_REDIS_URL): before the @ stands no \":\"; write user:password@ or :password@");
	size_t user_len = (size_t)(colon - s);
	int rc = percent_decode(s, user_len, out->user, sizeof(out->user), "user", err);
	if (rc)
		return rc;
	return percent_decode(colon + 1, len - user_len - 1, out->password, sizeof(out->password), "password", err);
}

static int parse_number(const char *s, size_t len, int min, int max, const char *what, int *out, struct bf_error *err)
{
	char text[16];
	int64_t n;
	if (len < sizeof(text)) {
		memcpy(text, s, len);
		text[len] = '\0';
		if (bf_text_int(text, min, max, &n) == 0) {
			*out = (int)n;
			return 0;
		}
	}
	return refuse(err, what, s, len);
}

/* "host", "host:6379", "[::1]:6379" or nothing at all. */
static int parse_place(const char *s, size_t len, int default_port, struct bf_redis_place *out, struct bf_error *err)
{
	const char *end = s + len, *host = s, *host_end, *port = NULL;
	if (len && *s == '[') {
		host = s + 1;
		host_end = memchr(s, ']', len);
		if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
			return refuse(err, "the host is not of the form [IPv6 address]:port:", s, len);
		port = host_end + 1 < end ? host_end + 2 : NULL;
	} else {
		host_end = memchr(s, ':', len);
		port = host_end ? host_end + 1 : NULL;
		host_end = host_end ? host_end : end;
	}
	out->port = default_port;
	if (port && parse_number(port, (size_t)(end - port), 1, 65535, "the port must be a number from 1 to 65535, found", &out->port, err))
		return -BF_E_INPUT;
	if (host == host_end) {
		(void)snprintf(out->host, sizeof(out->host), "127.0.0.1");
		return 0;
	}
	return percent_decode(host, (size_t)(host_end - host), out->host, sizeof(out->host), "host", err);
}

/* Where the host begins: behind the last '@', so that a password in which somebody forgot to write %40 or %2F is still taken as a
 * password, and never shown. NULL: what stands before it is not as it must be. */
static const char *skip_userinfo(const char *s, struct bf_redis_url *out, struct bf_error *err)
{
	size_t secret = bf_url_secret_length(s, strlen(s));
	if (secret == 0)
		return s;
	return parse_userinfo(s, secret - 1, out, err) ? NULL : s + secret;
}

/* "" or "?db=N" */
static int parse_query(const char *query, const char *what, struct bf_redis_url *out, struct bf_error *err)
{
	if (!*query)
		return 0;
	if (strncmp(query, "?db=", 4) != 0)
		return refuse(err, what, query, strlen(query));
	return parse_number(query + 4, strlen(query + 4), 0, 1000000, "?db= needs the number of a database, found", &out->db, err);
}

static int parse_tcp(const char *s, struct bf_redis_url *out, struct bf_error *err)
{
	struct bf_redis_place place;
	const char *host = skip_userinfo(s, out, err);
	if (!host)
		return -BF_E_INPUT;
	size_t host_len = strcspn(host, "/?#");
	if (parse_place(host, host_len, PORT, &place, err))
		return -BF_E_INPUT;
	const char *rest = host + host_len;
	if (*rest == '/')
		rest++;
	if (*rest && parse_number(rest, strlen(rest), 0, 1000000, "after the host may stand the number of a database, found", &out->db, err))
		return -BF_E_INPUT;
	memcpy(out->host, place.host, sizeof(out->host));
	out->port = place.port;
	(void)snprintf(out->shown, sizeof(out->shown), strchr(out->host, ':') ? "redis://[%s]:%d/%d" : "redis://%s:%d/%d", out->host, out->port,
				   out->db);
	return 0;
}

static int parse_unix(const char *s, struct bf_redis_url *out, struct bf_error *err)
{
	const char *at = *s == '/' ? NULL : strstr(s, "@/");
	if (at && parse_userinfo(s, (size_t)(at - s), out, err))
		return -BF_E_INPUT;
	const char *path = at ? at + 1 : s;
	size_t len = strcspn(path, "?");
	if (*path != '/' || len < 2)
		return refuse(err, "a unix socket needs its whole path, as in unix:///run/redis/redis.sock, found", path, len);
	if (percent_decode(path, len, out->host, sizeof(out->host), "path", err))
		return -BF_E_INPUT;
	if (strlen(out->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return refuse(err, "the path of a unix socket may have 107 bytes, found", path, len);
	if (parse_query(path + len, "after the path may stand only ?db=N, found", out, err))
		return -BF_E_INPUT;
	int n = snprintf(out->shown, sizeof(out->shown), "unix://%s", out->host);
	if (out->db)
		(void)snprintf(out->shown + n, sizeof(out->shown) - (size_t)n, "?db=%d", out->db);
	return 0;
}

/* "host:26379,[::1]:26379" */
static int parse_sentinels(const char *s, size_t len, struct bf_redis_url *out, struct bf_error *err)
{
	for (const char *end = s + len, *next; s <= end; s = next + 1) {
		next = memchr(s, ',', (size_t)(end - s));
		if (!next)
			next = end;
		if (next == s)
			return refuse(err, "a sentinel must be named as host:port, found", s, 0);
		if (out->n_sentinels == BF_REDIS_SENTINELS_MAX)
			return refuse(err, "at most nine sentinels may be named, found one more:", s, (size_t)(end - s));
		if (parse_place(s, (size_t)(next - s), SENTINEL_PORT, &out->sentinels[out->n_sentinels], err))
			return -BF_E_INPUT;
		out->n_sentinels++;
	}
	return 0;
}

static void show_sentinels(struct bf_redis_url *out)
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, sizeof(out->shown) - 1); /* a very long list is shown in part */
	for (int i = 0; i < out->n_sentinels; i++)
		bf_buf_printf(&shown, strchr(out->sentinels[i].host, ':') ? "%s[%s]:%d" : "%s%s:%d", i ? "," : "sentinel://",
					  out->sentinels[i].host, out->sentinels[i].port);
	bf_buf_printf(&shown, out->db ? "/%s?db=%d" : "/%s", out->master, out->db);
	(void)snprintf(out->shown, sizeof(out->shown), "%s", shown.data);
}

static int parse_sentinel(const char *s, struct bf_redis_url *out, struct bf_error *err)
{
	const char *hosts = skip_userinfo(s, out, err);
	if (!hosts)
		return -BF_E_INPUT;
	size_t len = strcspn(hosts, "/?#");
	if (parse_sentinels(hosts, len, out, err))
		return -BF_E_INPUT;
	const char *name = hosts[len] == '/' ? hosts + len + 1 : hosts + len;
	size_t name_len = strcspn(name, "?#");
	if (name_len == 0 || hosts[len] != '/')
		return refuse(err, "after the sentinels must stand the name of a master, as in sentinel://host:26379/mymaster, found", hosts + len,
					  strlen(hosts + len));
	/* what SENTINEL MONITOR accepts */
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") < name_len || name_len >= sizeof(out->master))
		return refuse(err, "the name of a master may have up to 127 letters, digits, '.', '-' and '_', found", name, name_len);
	memcpy(out->master, name, name_len);
	if (parse_query(name + name_len, "after the name of a master may stand only ?db=N, found", out, err))
		return -BF_E_INPUT;
	show_sentinels(out);
	return 0;
}

int bf_redis_url_parse(const char *url, struct bf_redis_url *out, struct bf_error *err)
{
	if (!url)
		url = environment_url();
	if (!url)
		url = DEFAULT_URL;
	memset(out, 0, sizeof(*out));
	const char *sep = strstr(url, "://");
	size_t scheme = sep ? (size_t)(sep - url) : 0;
	if (scheme == 5 && strncasecmp(url, "redis", 5) == 0)
		return parse_tcp(sep + 3, out, err);
	if (scheme == 4 && strncasecmp(url, "unix", 4) == 0)
		return parse_unix(sep + 3, out, err);
	if (scheme == 6 && strncasecmp(url, "rediss", 6) == 0)
		return bf_fail(err, BF_E_INPUT,
					   "the address of Redis (BF_REDIS_URL) begins with rediss://, but this build does not speak TLS: "
					   "let stunnel do it, as docs/operations.md shows under TLS, and name its socket as unix:///run/backfill/redis.sock");
	if (scheme == 8 && strncasecmp(url, "sentinel", 8) == 0)
		return parse_sentinel(sep + 3, out, err);
	if (sep)
		return refuse(err, "unknown scheme", url, scheme);
	return refuse(err, "no scheme in", url, strlen(url));
}

int bf_redis_fail_unreachable(const char *where, const char *because, const char *reason, struct bf_error *err)
{
	return bf_fail(err, BF_E_UNAVAILABLE, "Redis cannot be reached at %s (%s).%s `deploy/local up` starts a private one.", where, reason,
				   because);
}

int bf_redis_fail_greeting(const char *where, const char *command, const char *answer, struct bf_error *err)
{
	if (strncmp(answer, "LOADING", 7) == 0)
		return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s is not ready yet: %s", where, answer);
	if (strncmp(answer, "NOAUTH", 6) == 0)
		return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s wants a password: put user:password@ or :password@ into BF_REDIS_URL", where);
	return bf_fail(err, BF_E_UNAVAILABLE, "Redis at %s refuses %s: %s", where, command, answer);
}

static void add_auth(const struct bf_redis_url *url, struct bf_redis_cmd *cmd)
{
	bf_redis_arg(cmd, "AUTH");
	if (*url->user)
		bf_redis_arg(cmd, url->user);
	bf_redis_arg(cmd, url->password);
}

const char *bf_redis_greeting(const struct bf_redis_url *url, const char *client_name, int i, struct bf_redis_cmd *cmd)
{
	static const char *const names[] = {"AUTH", "ROLE", "SELECT", "CLIENT SETNAME", "PING"};
	const bool wanted[] = {*url->password != '\0', url->n_sentinels > 0, url->db != 0, client_name != NULL, true};
	size_t place = 0;
	while (place < BF_COUNT_OF(names) && !(wanted[place] && i-- == 0))
		place++;
	if (place == BF_COUNT_OF(names))
		return NULL;
	bf_redis_cmd_clear(cmd);
	if (place == 0) {
		add_auth(url, cmd);
	} else if (place == 2) {
		bf_redis_arg(cmd, "SELECT");
		bf_redis_arg_int(cmd, url->db);
	} else if (place == 3) {
		bf_redis_arg(cmd, "CLIENT");
		bf_redis_arg(cmd, "SETNAME");
		bf_redis_arg(cmd, client_name);
	} else {
		bf_redis_arg(cmd, names[place]);
	}
	return names[place];
}
