/* Where the secret part of a URL ends: one rule for all servers. See url.h. */
#include "base/url.h"

#include <string.h>

size_t bf_url_secret_length(const char *s, size_t len)
{
	const char *at = memrchr(s, '@', len);
	return at ? (size_t)(at + 1 - s) : 0;
}
