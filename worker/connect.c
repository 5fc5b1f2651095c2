/*
 * Connecting, in a thread of its own: name resolution, connecting, and a server's first answers block for as long as they like, and
 * cannot be interrupted. The main thread waits for whichever comes first, the servers or a signal that ends the worker.
 */
#include "connect.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "core/migrate.h"
#include "worker.h"

struct connecting {
	struct bf_upkeep *upkeep;
	struct bf_error *err;
	int rc;
	int done; /* an eventfd */
};

/* ---- signals ---- */

bool bf_hangup_ignored(void)
{
	struct sigaction now;
	return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void ending_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	if (!bf_hangup_ignored())
		sigaddset(set, SIGHUP);
}

void bf_signals_hold(void)
{
	sigset_t set;
	ending_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void bf_signals_release(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- connecting ---- */

static int connect_servers(struct bf_upkeep *u, struct bf_error *err)
{
	char warning[512];
	int rc = bf_steward_connect(u, err);
	if (rc == 0)
		rc = bf_redis_check_server(u->redis, warning, sizeof(warning), err);
	if (rc == 0 && warning[0])
		bf_warn("%s", warning);
	if (rc == 0)
		rc = bf_migrate_check(u->pg, err);
	if (rc == 0 && bf_pg_is_read_only(u->pg))
		rc = bf_fail(err, BF_E_UNAVAILABLE,
					 "PostgreSQL (%s) is read-only: a worker has to write to the ledger; point BF_DATABASE_URL at the primary",
					 bf_pg_where(u->pg));
	if (rc == 0)
		rc = bf_reconcile_generation(u, NULL, err);
	return rc;
}

static void *connect_in_thread(void *data)
{
	struct connecting *c = data;
	c->rc = connect_servers(c->upkeep, c->err);
	(void)eventfd_write(c->done, 1);
	return NULL;
}

static _Noreturn void leave_on(int signals)
{
	struct signalfd_siginfo info = {.ssi_signo = SIGTERM};
	if (read(signals, &info, sizeof(info)) < 0)
		bf_err("signalfd: %s", strerror(errno));
	bf_info("SIG%s while connecting to the servers: leaving, no job was taken", sigabbrev_np((int)info.ssi_signo));
	bf_log_flush();
	_exit(0); /* the other thread still waits for a server, and nothing else is to be put in order */
}

static void wait_for_either(int signals, int done)
{
	struct pollfd wait[] = {{.fd = signals, .events = POLLIN}, {.fd = done, .events = POLLIN}};
	while (poll(wait, 2, -1) < 0 && errno == EINTR)
		;
	if (!wait[1].revents && wait[0].revents)
		leave_on(signals);
}

int bf_connect_servers(struct bf_upkeep *u, struct bf_error *err)
{
	struct connecting c = {.upkeep = u, .err = err};
	sigset_t set;
	pthread_t thread;
	ending_signals(&set);
	int signals = signalfd(-1, &set, SFD_CLOEXEC);
	c.done = eventfd(0, EFD_CLOEXEC);
	bool started = signals >= 0 && c.done >= 0 && (errno = pthread_create(&thread, NULL, connect_in_thread, &c)) == 0;
	if (started) {
		wait_for_either(signals, c.done);
		(void)pthread_join(thread, NULL);
	} else {
		c.rc = bf_fail_errno(err, errno, "cannot wait for the servers");
	}
	if (signals >= 0)
		(void)close(signals);
	if (c.done >= 0)
		(void)close(c.done);
	return c.rc;
}
