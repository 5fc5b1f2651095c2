#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

void bf_process_keep_private(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* fails for no reason that there is on Linux */
}

/* The lowest free number is given first, so each missing one is opened in its turn. */
void bf_process_open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
			abort();
}
