#include <strings.h>

#include "base/mem.h"
#include "core/pipeline_internal.h"

#define REDIRECTS_MAX 10
#define HEADERS_MAX   50

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};

/* Headers whose value is a secret: the ledger keeps the file's text. */
static const char *const secret_headers[] = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key",
											 "apikey",        "x-auth-token"};
/* Headers that the client writes itself. */
static const char *const own_headers[] = {"content-length", "transfer-encoding", "connection", "host"};

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(name, list[i]) == 0)
			return true;
	return false;
}

/* RFC 9110, 5.6.2: a token. */
static bool header_name_valid(const char *s)
{
	return *s && s[strspn(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0';
}

static void read_header(struct bf_reader *r, const struct bf_at *at, const char *name, json_t *value)
{
	const char *text = json_string_value(value);

	bf_check_template(r, at, value);
	if (!header_name_valid(name))
		bf_problem(r, at, "found this name, expected that of a header: letters, digits and '-'");
	else if (is_one_of(name, own_headers, BF_COUNT_OF(own_headers)))
		bf_problem(r, at, "found a header that is written by itself, expected others");
	else if (text && is_one_of(name, secret_headers, BF_COUNT_OF(secret_headers)) && !strstr(text, "{{env."))
		bf_problem(r, at,
				   "found a secret as it is, expected one of the environment, such as \"{{env.NAME}}\": the ledger keeps this file's text");
	if (text && strpbrk(text, "\r\n"))
		bf_problem(r, at, "found a line break, expected a value of one line");
}

static void read_headers(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http)
{
	struct bf_at at = bf_at_field(up, "headers");
	json_t *headers = bf_read(r, up, object, "headers", JSON_OBJECT), *value;
	const char *name;

	if (json_object_size(headers) > HEADERS_MAX) {
		bf_problem(r, &at, "found %zu headers, expected at most %d", json_object_size(headers), HEADERS_MAX);
		return;
	}
	http->headers = bf_alloc((json_object_size(headers) + 1) * sizeof(*http->headers));
	json_object_foreach (headers, name, value) {
		struct bf_at member = bf_at_field(&at, name);

		read_header(r, &member, name, value);
		http->headers[http->n_headers++] = (struct bf_env_var){.name = bf_strdup(name), .value = bf_strdup(json_string_value(value))};
	}
}

/* https://user:password@host is a secret as it is, too. */
static bool has_userinfo(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len = host ? strcspn(host + 3, "/?#") : 0;
	const char *at = host ? memchr(host + 3, '@', len) : NULL;

	return at && !strstr(url, "{{env.");
}

static void read_url(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http)
{
	static const char expected[] = "a URL that begins with http://, https:// or {{env.NAME}}";
	struct bf_at at = bf_at_field(up, "url");
	json_t *value = json_object_get(object, "url");
	const char *text = json_string_value(value);

	if (!bf_require(r, up, object, "url", expected))
		return;
	bf_check_template(r, &at, value);
	if (!text)
		return;
	if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0 && strncmp(text, "{{env.", 6) != 0)
		bf_problem_found(r, &at, value, expected);
	else if (has_userinfo(text))
		bf_problem(r, &at,
				   "found a name or password in the URL, expected the environment's, in a header or as {{env.NAME}}: the ledger keeps this "
				   "file's text");
	else if (strpbrk(text, " \t\r\n"))
		bf_problem_found(r, &at, value, "a URL without spaces and line breaks: %%20 is a space");
	http->url = bf_strdup(text);
}

/* A text is sent as it is; anything else as JSON. */
static void read_body(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http)
{
	struct bf_at at = bf_at_field(up, "body");
	json_t *body = json_object_get(object, "body");

	if (!body)
		return;
	http->body_is_json = json_is_object(body) || json_is_array(body);
	if (http->body_is_json) {
		struct bf_buf text;

		bf_buf_init(&text, BF_PIPELINE_FILE_MAX * 6); /* an escape is up to six bytes for one */
		bf_doc_write(r->doc, body, &text);
		json_auto_t *whole = json_string(text.data);
		bf_check_template(r, &at, whole);
		http->body = bf_buf_detach(&text);
	} else if (json_is_string(body)) {
		bf_check_template(r, &at, body);
		http->body = bf_strdup(json_string_value(body));
	} else {
		bf_problem_found(r, &at, body, "a text, or an object or array that is sent as JSON");
	}
	if (http->method && http->body && (strcmp(http->method, "GET") == 0 || strcmp(http->method, "HEAD") == 0))
		bf_problem(r, &at, "found beside the method %s, expected POST, PUT, PATCH or DELETE", http->method);
}

static void read_status(struct bf_reader *r, const struct bf_at *at, json_t *value, struct bf_http_spec *http)
{
	json_int_t status = json_integer_value(value);

	if (!json_is_integer(value) || status < 200 || status > 599)
		bf_problem_found(r, at, value, "a status from 200 to 599");
	else
		http->statuses[http->n_statuses++] = (int)status;
}

static void read_statuses(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http)
{
	struct bf_at at = bf_at_field(up, "expected_status");
	json_t *statuses = json_object_get(object, "expected_status"), *status;
	size_t i;

	if (!statuses)
		return;
	if (!json_is_array(statuses)) {
		read_status(r, &at, statuses, http);
		return;
	}
	if (json_array_size(statuses) < 1 || json_array_size(statuses) > BF_STATUSES_MAX) {
		bf_problem(r, &at, "found %zu elements, expected 1 to %d: the statuses that count as done", json_array_size(statuses),
				   BF_STATUSES_MAX);
		return;
	}
	json_array_foreach (statuses, i, status) {
		struct bf_at element = bf_at_index(&at, i);

		read_status(r, &element, status, http);
	}
}

void bf_read_http(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_http_spec *http)
{
	int method = bf_read_choice(r, up, object, "method", methods, json_object_get(object, "body") ? 2 : 0);

	http->method = bf_strdup(methods[method]);
	read_url(r, up, object, http);
	read_headers(r, up, object, http);
	read_body(r, up, object, http);
	read_statuses(r, up, object, http);
	bf_read_int(r, up, object, "redirects", 0, REDIRECTS_MAX, &http->redirects);
}

void bf_http_spec_release(struct bf_http_spec *http)
{
	free(http->method);
	free(http->url);
	for (size_t i = 0; i < http->n_headers; i++) {
		free(http->headers[i].name);
		free(http->headers[i].value);
	}
	free(http->headers);
	free(http->body);
}
