#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/redis_loop_internal.h"

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

void bf_redisc_drop_socket(struct bf_redisc *c)
{
	if (c->poll) {
		uv_poll_stop(c->poll);
		uv_close((uv_handle_t *)c->poll, free_handle);
		c->poll = NULL;
		c->events = 0;
	}
	if (c->fd >= 0) {
		(void)close(c->fd);
		c->fd = -1;
	}
}

void bf_redisc_connect_forget(struct bf_redisc *c)
{
	if (c->lookup) {
		c->lookup->owner = NULL;
		(void)uv_cancel((uv_req_t *)&c->lookup->req);
		c->lookup = NULL;
	}
	if (c->addresses)
		uv_freeaddrinfo(c->addresses);
	c->addresses = c->address = NULL;
}

/* 0: connected; EINPROGRESS: it will be told by the socket; else why not. */
static int connect_to(struct bf_redisc *c, int family, const struct sockaddr *address, socklen_t len)
{
	const int on = 1;
	c->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return errno;
	if (family != AF_UNIX) {
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		(void)setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	int rc = connect(c->fd, address, len) == 0 ? 0 : errno;
	if (rc && rc != EINPROGRESS) {
		bf_redisc_drop_socket(c);
		return rc;
	}
	c->poll = bf_alloc(sizeof(*c->poll));
	int uv = uv_poll_init(c->loop, c->poll, c->fd);
	if (uv) {
		free(c->poll);
		c->poll = NULL;
		bf_redisc_drop_socket(c);
		return -uv;
	}
	c->poll->data = c;
	return rc;
}

/* Tries the addresses from c->address on. `rc` is why the one before did not do. */
static void try_addresses(struct bf_redisc *c, int rc)
{
	c->phase = PHASE_CONNECT;
	for (; c->address; c->address = c->address->ai_next) {
		rc = connect_to(c, c->address->ai_family, c->address->ai_addr, c->address->ai_addrlen);
		if (rc == 0) {
			bf_redisc_connected(c);
			return;
		}
		if (rc == EINPROGRESS) {
			bf_redisc_watch(c, UV_WRITABLE);
			return;
		}
	}
	bf_redisc_lost(c, strerror(rc));
}

static void on_addresses(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct bf_redisc_lookup *lookup = req->data;
	struct bf_redisc *c = lookup->owner;
	free(lookup);
	if (!c) {
		uv_freeaddrinfo(found);
		return;
	}
	c->lookup = NULL;
	if (status) {
		bf_redisc_lost(c, uv_strerror(status));
		return;
	}
	bf_redisc_start_timer(c, c->limit_ms);
	c->addresses = c->address = found;
	try_addresses(c, EADDRNOTAVAIL);
}

static void start_lookup(struct bf_redisc *c)
{
	char port[8];
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	(void)snprintf(port, sizeof(port), "%d", c->place.port);
	c->phase = PHASE_LOOKUP;
	bf_redisc_start_timer(c, c->opt.timeout_ms); /* also of a sentinel: each lookup that is given up keeps a thread busy for a while */
	c->lookup = bf_alloc(sizeof(*c->lookup));
	c->lookup->owner = c;
	c->lookup->req.data = c->lookup;
	int rc = uv_getaddrinfo(c->loop, &c->lookup->req, on_addresses, c->place.host, port, &hints);
	if (rc) {
		free(c->lookup);
		c->lookup = NULL;
		bf_redisc_lost(c, uv_strerror(rc));
	}
}

/* A plain IP address needs no thread of the pool, where a slow name service may hold up everybody. */
void bf_redisc_connect(struct bf_redisc *c)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct addrinfo one = {.ai_next = NULL};
	if (c->url.n_sentinels)
		bf_redisc_search_place(c);
	bf_redisc_start_timer(c, c->limit_ms);
	if (c->place.port == 0) {
		memcpy(local.sun_path, c->place.host, strlen(c->place.host) + 1);
		one = (struct addrinfo){.ai_family = AF_UNIX, .ai_addr = (struct sockaddr *)&local, .ai_addrlen = sizeof(local)};
	} else if (uv_ip4_addr(c->place.host, c->place.port, &v4) == 0) {
		one = (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&v4, .ai_addrlen = sizeof(v4)};
	} else if (uv_ip6_addr(c->place.host, c->place.port, &v6) == 0) {
		one = (struct addrinfo){.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&v6, .ai_addrlen = sizeof(v6)};
	} else {
		start_lookup(c);
		return;
	}
	c->address = &one;
	try_addresses(c, 0);
	c->address = NULL;
}

void bf_redisc_connect_event(struct bf_redisc *c)
{
	int rc = 0;
	socklen_t len = sizeof(rc);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &rc, &len))
		rc = errno;
	if (rc == 0) {
		bf_redisc_connected(c);
		return;
	}
	bf_redisc_drop_socket(c);
	c->address = c->address ? c->address->ai_next : NULL;
	try_addresses(c, rc);
}
