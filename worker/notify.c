/*
 * What the service manager is told, where it listens (sd_notify(3): datagrams to NOTIFY_SOCKET):
 *
 *     READY=1      once both servers have been greeted
 *     WATCHDOG=1   at half of WATCHDOG_USEC, from the loop's tick: a loop that hangs falls silent, and the manager starts the worker again
 *     STATUS=…     when it has changed, at most once a second
 *     STOPPING=1   when the worker drains
 *
 * A datagram that cannot be sent is dropped: nothing here may hold up the loop.
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker.h"

#define STATUS_EVERY_MS 1000

struct bf_notify {
	int fd;
	struct sockaddr_un address;
	socklen_t address_len;
	int64_t watchdog_ms; /* between two signs of life; 0: not asked for */
	int64_t next_watchdog_ms, next_status_ms;
	bool ready, stopping;
	char status[200];
};

/* A path, or "@name" for a name in the abstract namespace. False: neither. */
static bool parse_address(const char *text, struct bf_notify *n)
{
	size_t len = strlen(text);
	if ((*text != '/' && *text != '@') || len < 2 || len >= sizeof(n->address.sun_path))
		return false;
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, text, len);
	n->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (*text == '@')
		n->address.sun_path[0] = '\0';
	return true;
}

/* Half of what the manager allows, if it is this process that it watches. */
static int64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us, watched;
	if (!usec || bf_text_int(usec, 1, INT64_MAX, &us) < 0)
		return 0;
	if (pid && (bf_text_int(pid, 1, INT32_MAX, &watched) < 0 || watched != getpid()))
		return 0;
	return us / 2000 > 0 ? us / 2000 : 1;
}

static void say(const struct bf_notify *n, const char *text)
{
	(void)sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&n->address, n->address_len);
}

void bf_notify_new(struct bf_worker *w)
{
	const char *socket_name = getenv("NOTIFY_SOCKET");
	if (!socket_name || !*socket_name)
		return;
	struct bf_notify *n = bf_alloc(sizeof(*n));
	n->fd = parse_address(socket_name, n) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (n->fd < 0) {
		bf_warn("NOTIFY_SOCKET is no socket that the service manager could be told anything by");
		free(n);
		return;
	}
	n->watchdog_ms = watchdog_ms();
	w->notify = n;
}

void bf_notify_free(struct bf_worker *w)
{
	if (!w->notify)
		return;
	close(w->notify->fd);
	bf_free_ptr(&w->notify);
}

static bool is_there(const struct bf_pgc *c)
{
	enum bf_pgc_state state = bf_pgc_state(c);
	return state == BF_PGC_READY || state == BF_PGC_BUSY;
}

static void write_status(const struct bf_worker *w, bool redis, bool postgres, char *out, size_t size)
{
	const char *doing = w->draining         ? "draining"
						: redis && postgres ? "taking jobs"
						: redis             ? "waiting for PostgreSQL"
						: postgres          ? "waiting for Redis"
											: "waiting for Redis and PostgreSQL";
	snprintf(out, size, "STATUS=%s: %d jobs held, %zu running; %lld done, %lld failed", doing, w->held, w->at[BF_AT_RUNNING].count,
			 (long long)w->n_done, (long long)w->n_failed);
}

static void say_status(struct bf_worker *w, struct bf_notify *n, bool redis, bool postgres)
{
	char status[sizeof(n->status)];
	write_status(w, redis, postgres, status, sizeof(status));
	if (strcmp(status, n->status) == 0)
		return;
	snprintf(n->status, sizeof(n->status), "%s", status);
	say(n, status);
}

void bf_notify_tick(struct bf_worker *w)
{
	struct bf_notify *n = w->notify;
	if (!n || w->left)
		return;
	int64_t now = bf_mono_ms();
	bool redis = w->phase == BF_REDIS_HOLD || w->phase == BF_REDIS_READY; /* it has accepted the hello */
	bool postgres = is_there(w->opener) && is_there(w->settler);
	if (!n->ready && redis && postgres) {
		n->ready = true;
		say(n, "READY=1");
	}
	if (!n->stopping && w->draining) {
		n->stopping = true;
		say(n, "STOPPING=1");
	}
	if (n->watchdog_ms && now >= n->next_watchdog_ms) {
		n->next_watchdog_ms = now + n->watchdog_ms;
		say(n, "WATCHDOG=1");
	}
	if (now >= n->next_status_ms) {
		n->next_status_ms = now + STATUS_EVERY_MS;
		say_status(w, n, redis, postgres);
	}
}
