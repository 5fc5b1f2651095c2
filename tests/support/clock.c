/*
 * A clock that a test moves: preloaded into a program, it adds to the time of day what the file named by BF_TEST_CLOCK says, eight
 * characters like +0003600, seconds. The file is mapped, so a change counts at once. CLOCK_MONOTONIC is left alone, as it is when a host's
 * clock is set. It calls the kernel itself, since it is asked for the time before anything else of the program is ready.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 8

static const char *mapped;

__attribute__((constructor)) static void map_clock(void)
{
	const char *path = getenv("BF_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *at = mmap(NULL, WIDTH, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		mapped = at;
}

static time_t offset(void)
{
	time_t n = 0;
	for (int i = 1; mapped && i < WIDTH; i++)
		n = n * 10 + (mapped[i] - '0');
	return mapped && mapped[0] == '-' ? -n : n;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += offset();
	return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *t)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}
