/*
 * What a redirect means for the request behind it, and whom a URL asks. Pure: texts in, texts out.
 */
#ifndef BF_IO_HTTP_REDIRECT_H
#define BF_IO_HTTP_REDIRECT_H

#include <stdbool.h>

/* "example.org:8080", without the port where it is the scheme's own; NULL: the URL has none. The caller frees. */
char *bf_http_host(const char *url);

/* The same scheme, host and port: what was meant for one may go to the other. */
bool bf_http_same_origin(const char *a, const char *b);

/* 301, 302, 303, 307 or 308 */
bool bf_http_redirects(int status);

/* The method after a redirect, as browsers do it: 303 asks for another page (GET), 301 and 302 make a GET of a POST, whose body has
 * been taken already; everything else is asked again as it is, with its body. */
const char *bf_http_redirected_method(const char *method, int status);

#endif
