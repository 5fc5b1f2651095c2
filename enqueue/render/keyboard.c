/* The terminal without line editing and echo, and back again whatever happens. */
#include "render/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define WAIT_MAX_MS 60000

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* For the handler of faults, which knows nothing else. */
static struct {
	volatile sig_atomic_t on;
	int fd;
	struct termios before;
	const char *restore;
} screen;

static void on_fault(int number)
{
	if (screen.on) {
		(void)tcsetattr(screen.fd, TCSANOW, &screen.before);
		(void)!write(STDOUT_FILENO, screen.restore, strlen(screen.restore));
	}
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/* A sanitizer that has handlers of its own keeps them. */
static void catch_faults(void)
{
	struct sigaction action = {.sa_handler = on_fault}, before;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < BF_COUNT_OF(faults); i++)
		if (sigaction(faults[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			(void)sigaction(faults[i], &action, NULL);
}

void bf_keyboard_open(struct bf_keyboard *k, int fd, const char *restore)
{
	struct termios raw;
	*k = (struct bf_keyboard){.fd = fd};
	if (tcgetpgrp(fd) != getpgrp() || tcgetattr(fd, &k->before) < 0)
		return;
	screen.fd = fd;
	screen.before = k->before;
	screen.restore = restore;
	screen.on = 1;
	catch_faults();
	raw = k->before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	k->open = tcsetattr(fd, TCSADRAIN, &raw) == 0;
}

void bf_keyboard_close(struct bf_keyboard *k)
{
	if (k->open)
		(void)tcsetattr(k->fd, TCSADRAIN, &k->before);
	k->open = false;
	screen.on = 0;
}

int bf_keyboard_wait(struct bf_keyboard *k, int64_t ms)
{
	struct pollfd in = {.fd = k->open ? k->fd : -1, .events = POLLIN};
	char key = 0;
	int wait = ms < 0 ? 0 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int)ms; /* below 0, poll would wait for ever */
	int rc = poll(&in, 1, wait);
	if (rc <= 0 || !k->open)
		return 0;
	ssize_t n = read(k->fd, &key, 1);
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) { /* the terminal is gone */
		bf_keyboard_close(k);
		return 0;
	}
	return n > 0 ? (unsigned char)key : 0;
}
