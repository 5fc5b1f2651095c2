/*
 * The part of a URL that is nobody's business: "user:password@". Passwords are pasted with an '@'
 * or a '/' in them, which ought to be %40 and %2F; so the host begins behind the last '@', and what
 * stands before it is never shown.
 */
#ifndef BF_BASE_URL_H
#define BF_BASE_URL_H

#include <stddef.h>

/* Bytes of s that stand before its last '@', the '@' included; 0 where there is none. */
size_t bf_url_secret_length(const char *s, size_t len);

#endif
