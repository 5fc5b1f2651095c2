#include "base/failpoint.h"

#include "base/log.h"

#ifdef BF_FAILPOINTS

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static void leave_trace(const char *name)
{
	const char *path = getenv("BF_FAILPOINT_LOG");
	if (!path)
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	dprintf(fd, "%s\n", name);
	close(fd);
}

bool bf_failpoint_hit(const char *name)
{
	static atomic_int passed;
	const char *set = getenv("BF_FAILPOINT");
	size_t n = strlen(name);
	if (!set || strncmp(set, name, n) != 0 || set[n] != ':')
		return false;
	const char *action = set + n + 1;
	const char *count = strchr(action, ':');
	int wanted = count ? (int)strtol(count + 1, NULL, 10) : 1;
	if (atomic_fetch_add(&passed, 1) + 1 != wanted)
		return false;
	leave_trace(name);
	bf_log_flush();
	if (strncmp(action, "kill", 4) == 0)
		kill(getpid(), SIGKILL);
	if (strncmp(action, "hang", 4) == 0)
		(void)raise(SIGSTOP); /* to this thread, which must not get one step further before the process stands still */
	return strncmp(action, "error", 5) == 0;
}

#else
typedef int bf_failpoint_unused; /* an empty translation unit is not C */
#endif
