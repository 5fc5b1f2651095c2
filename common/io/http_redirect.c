/* What a redirect means for the request behind it: RFC 9110, 15.4, as the Fetch standard makes it definite. */
#include "io/http_redirect.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct origin {
	char *scheme, *host, *port; /* libcurl's; NULL: the URL is none */
};

static void read_origin(const char *url, struct origin *o)
{
	CURLU *parsed = curl_url();

	*o = (struct origin){.scheme = NULL};
	if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(parsed, CURLUPART_SCHEME, &o->scheme, 0) == CURLUE_OK &&
		curl_url_get(parsed, CURLUPART_HOST, &o->host, 0) == CURLUE_OK)
		(void)curl_url_get(parsed, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT);
	curl_url_cleanup(parsed);
}

static void release_origin(struct origin *o)
{
	curl_free(o->scheme);
	curl_free(o->host);
	curl_free(o->port);
}

static bool is_usual_port(const struct origin *o)
{
	return !o->port || strcmp(o->port, strcasecmp(o->scheme, "https") == 0 ? "443" : "80") == 0;
}

char *bf_http_host(const char *url)
{
	struct origin o;
	char *host = NULL;

	read_origin(url, &o);
	if (o.host)
		host = bf_asprintf("%s%s%s", o.host, is_usual_port(&o) ? "" : ":", is_usual_port(&o) ? "" : o.port);
	release_origin(&o);
	return host;
}

bool bf_http_same_origin(const char *a, const char *b)
{
	struct origin x, y;

	read_origin(a, &x);
	read_origin(b, &y);
	bool same = x.host && y.host && x.port && y.port && strcasecmp(x.scheme, y.scheme) == 0 && strcasecmp(x.host, y.host) == 0 &&
				strcmp(x.port, y.port) == 0;
	release_origin(&x);
	release_origin(&y);
	return same;
}

bool bf_http_redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

const char *bf_http_redirected_method(const char *method, int status)
{
	if (status == 303 && strcmp(method, "HEAD") != 0)
		return "GET";
	return (status == 301 || status == 302) && strcmp(method, "POST") == 0 ? "GET" : method;
}
