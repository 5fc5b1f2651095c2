#include "steps/http_request.h"

#include <strings.h>

#include "base/mem.h"
#include "core/vars.h"

#define URL_MAX    ((size_t)64 << 10)
#define HEADER_MAX ((size_t)64 << 10)
#define SHOWN_MAX  ((size_t)600)
#define BODY_MAX   ((size_t)4 << 20)
#define SECRET_MIN 4 /* bytes; a shorter value would be found everywhere */

void bf_request_init(struct bf_request *q)
{
	*q = (struct bf_request){0};
	bf_buf_init(&q->shown, SHOWN_MAX);
}

void bf_request_release(struct bf_request *q)
{
	bf_request_cancel(q);
	for (size_t i = 0; i < q->n_secrets; i++)
		free(q->secrets[i]);
	free(q->secrets);
	bf_buf_release(&q->shown);
	free(q->host);
	q->host = NULL;
}

void bf_request_cancel(struct bf_request *q)
{
	if (q->call)
		bf_http_cancel(bf_steal(&q->call));
}

/* ---- what nobody is to see ---- */

static void keep_secret(const char *name, size_t len, bool has_default, void *data)
{
	(void)has_default;
	struct bf_request *q = data;
	BF_AUTOFREE char *variable = bf_strndup(name, len);
	const char *value = getenv(variable);

	if (!value || strlen(value) < SECRET_MIN)
		return;
	q->secrets = bf_realloc_array(q->secrets, q->n_secrets + 1, sizeof(*q->secrets));
	q->secrets[q->n_secrets++] = bf_strdup(value);
}

static void keep_secrets(struct bf_request *q, const struct bf_http_spec *http)
{
	bf_template_each_env(http->url, keep_secret, q);
	for (size_t i = 0; i < http->n_headers; i++)
		bf_template_each_env(http->headers[i].value, keep_secret, q);
	if (http->body)
		bf_template_each_env(http->body, keep_secret, q);
}

static const char *secret_at(const struct bf_request *q, const char *s, size_t len)
{
	const char *longest = NULL;

	for (size_t i = 0; i < q->n_secrets; i++) {
		size_t n = strlen(q->secrets[i]);

		if (n <= len && memcmp(s, q->secrets[i], n) == 0 && (!longest || n > strlen(longest)))
			longest = q->secrets[i];
	}
	return longest;
}

void bf_request_mask(const struct bf_request *q, const char *s, size_t len, struct bf_buf *out)
{
	for (size_t i = 0; i < len && !out->overflow;) { /* whole secrets are found, also where `out` ends */
		const char *secret = secret_at(q, s + i, len - i);

		if (secret)
			bf_buf_addstr(out, "***");
		else
			bf_buf_addch(out, s[i]);
		i += secret ? strlen(secret) : 1;
	}
}

/* The URL without its query, for people: what the environment put into it stays a variable's name, but the host is told, unless it is
 * a value of the environment itself. */
static void show(struct bf_request *q, const struct bf_http_spec *http, const struct bf_vars *v, const char *asked)
{
	BF_AUTOFREE char *host = bf_http_host(asked);
	BF_AUTOBUF struct bf_buf url, masked;

	bf_buf_init(&url, URL_MAX);
	bf_template_render(http->url, v, BF_ESCAPE_URL_SHOWN, &url, NULL);
	bf_buf_clear(&q->shown);
	bf_buf_printf(&q->shown, "%s %.*s", http->method, (int)strcspn(url.data, "?#"), url.data);
	if (q->shown.overflow)
		bf_buf_printf(&q->shown, "%s (a long URL)", http->method);
	bf_buf_init(&masked, SHOWN_MAX);
	bf_request_mask(q, host ? host : "", host ? strlen(host) : 0, &masked);
	if (host && strcmp(masked.data, host) == 0 && !strstr(q->shown.data, host)) /* it came out of the environment */
		bf_buf_printf(&q->shown, " (%s)", host);
	q->host = bf_strdup(host);
}

/* ---- making it ---- */

struct made {
	struct bf_buf url, body;
	char **headers; /* ends with NULL */
	bool *secret;   /* of each header: the environment is in it */
	size_t n_headers;
};

static void add_header(struct made *m, char *owned, bool secret)
{
	m->headers = bf_realloc_array(m->headers, m->n_headers + 2, sizeof(*m->headers));
	m->secret = bf_realloc_array(m->secret, m->n_headers + 1, sizeof(*m->secret));
	m->secret[m->n_headers] = secret;
	m->headers[m->n_headers++] = owned;
	m->headers[m->n_headers] = NULL;
}

static void made_release(struct made *m)
{
	bf_buf_release(&m->url);
	bf_buf_release(&m->body);
	for (size_t i = 0; i < m->n_headers; i++)
		free(m->headers[i]);
	free(m->headers);
	free(m->secret);
}

static bool has_header(const struct bf_http_spec *http, const char *name)
{
	for (size_t i = 0; i < http->n_headers; i++)
		if (strcasecmp(http->headers[i].name, name) == 0)
			return true;
	return false;
}

static void note_env(const char *name, size_t len, bool has_default, void *data)
{
	(void)name;
	(void)len;
	(void)has_default;
	*(bool *)data = true;
}

static bool has_env(const char *template)
{
	bool has = false;
	bf_template_each_env(template, note_env, &has);
	return has;
}

static int make_header(const struct bf_env_var *header, const struct bf_vars *v, struct made *m, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf value;

	bf_buf_init(&value, HEADER_MAX);
	if (bf_template_render(header->value, v, BF_ESCAPE_NONE, &value, err) < 0)
		return bf_error_prefix(err, "headers.%s", header->name);
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
			return bf_fail(err, BF_E_INPUT, "headers.%s: found a line break or another control character in a value, expected one line",
						   header->name);
	add_header(m, bf_asprintf("%s: %s", header->name, value.data), has_env(header->value));
	return 0;
}

/* The job's, which stays the same for every try; what a header cannot hold is percent-encoded. */
static void make_key(const struct bf_vars *v, struct made *m)
{
	BF_AUTOFREE char *name = bf_job_key(v);
	BF_AUTOBUF struct bf_buf key;

	bf_buf_init(&key, HEADER_MAX);
	bf_buf_addstr(&key, "Idempotency-Key: ");
	for (const char *c = name; *c; c++) {
		if (*c > 0x20 && *c < 0x7f && *c != '%')
			bf_buf_addch(&key, *c);
		else
			bf_buf_printf(&key, "%%%02X", (unsigned char)*c);
	}
	add_header(m, bf_buf_detach(&key), false);
}

static int make(const struct bf_http_spec *http, const struct bf_vars *v, bool key, struct made *m, struct bf_error *err)
{
	int rc;

	if (bf_template_render(http->url, v, BF_ESCAPE_URL, &m->url, err) < 0)
		return bf_error_prefix(err, "url");
	if (http->body && bf_template_render(http->body, v, http->body_is_json ? BF_ESCAPE_JSON : BF_ESCAPE_NONE, &m->body, err) < 0)
		return bf_error_prefix(err, "body");
	for (size_t i = 0; i < http->n_headers; i++)
		if ((rc = make_header(&http->headers[i], v, m, err)) < 0)
			return rc;
	if (http->body_is_json && !has_header(http, "Content-Type"))
		add_header(m, bf_strdup("Content-Type: application/json"), false);
	if (http->body && !http->body_is_json && !has_header(http, "Content-Type"))
		add_header(m, bf_strdup("Content-Type: text/plain; charset=utf-8"), false);
	if (!has_header(http, "User-Agent"))
		add_header(m, bf_strdup("User-Agent: backfill-worker/" BF_VERSION), false);
	if (key && !has_header(http, "Idempotency-Key"))
		make_key(v, m);
	return 0;
}

int bf_request_start(struct bf_request *q, const struct bf_job *j, const struct bf_http_spec *http, bool key, bf_http_cb *cb, void *data,
					 struct bf_error *err)
{
	struct bf_worker *w = j->worker;
	struct made m = {0};
	struct bf_vars v;

	bf_job_vars(j, &v);
	bf_buf_init(&m.url, URL_MAX);
	bf_buf_init(&m.body, BODY_MAX);
	keep_secrets(q, http);
	int rc = make(http, &v, key, &m, err);
	show(q, http, &v, m.url.data);
	if (rc == 0 && !w->http)
		rc = bf_http_open(w->loop, &w->http, err);
	if (rc == 0) {
		struct bf_http_request request = {.method = http->method,
										  .url = m.url.data,
										  .headers = (const char *const *)m.headers,
										  .secret_headers = m.secret,
										  .secret_body = http->body && has_env(http->body),
										  .body = http->body ? m.body.data : NULL,
										  .body_len = m.body.len,
										  .redirects = http->redirects};
		rc = bf_http_start(w->http, &request, cb, data, &q->call, err);
	}
	made_release(&m);
	return rc;
}

/* ---- what came back ---- */

bool bf_request_expects(const struct bf_http_spec *http, int status)
{
	if (http->n_statuses == 0)
		return status >= 200 && status < 300;
	for (size_t i = 0; i < http->n_statuses; i++)
		if (http->statuses[i] == status)
			return true;
	return false;
}

void bf_request_add_expected(const struct bf_http_spec *http, struct bf_buf *out)
{
	if (http->n_statuses == 0)
		bf_buf_addstr(out, "200 to 299");
	for (size_t i = 0; i < http->n_statuses; i++)
		bf_buf_printf(out, "%s%d", i == 0 ? "" : i + 1 == http->n_statuses ? " or " : ", ", http->statuses[i]);
}

bool bf_request_passing(int status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

void bf_request_unexpected(const struct bf_request *q, const struct bf_http_spec *http, const struct bf_http_answer *a, struct bf_buf *out)
{
	bf_buf_addstr(out, q->shown.data);
	if (a->host && q->host && strcmp(a->host, q->host) != 0) {
		bf_buf_addstr(out, ", redirected to ");
		bf_request_mask(q, a->host, strlen(a->host), out);
		bf_buf_addch(out, ',');
	}
	bf_buf_printf(out, " answered %d, expected ", a->status);
	bf_request_add_expected(http, out);
	if (!a->location)
		return;
	bf_buf_addstr(out, "; it redirects to ");
	bf_request_mask(q, a->location, strcspn(a->location, "?#"), out);
	if (a->not_followed)
		bf_buf_printf(out, ", %s", a->not_followed);
	else
		bf_buf_printf(out, ", and \"redirects\" is %d", http->redirects);
}

void bf_request_unanswered(const struct bf_request *q, const struct bf_error *why, struct bf_buf *out)
{
	bf_buf_printf(out, "%s: ", q->shown.data);
	bf_request_mask(q, why->text, strlen(why->text), out);
}
