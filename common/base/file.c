/* Opening the files that users name: only regular files, and without waiting for anybody. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const char *bf_file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a named pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something that is no file";
	}
}

static int fail_open(const char *path, int sys_errno, struct bf_error *err)
{
	if (sys_errno == ENOENT || sys_errno == ENOTDIR)
		return bf_fail(err, BF_E_NOT_FOUND, "%s: there is no such file", path);
	if (sys_errno == ENXIO) /* opening a socket, or a device that has no driver, says this */
		return bf_fail(err, BF_E_INPUT, "%s: found a socket or a device, expected a regular file", path);
	return bf_fail_errno(err, sys_errno, "open %s", path);
}

int bf_file_open(const char *path, struct bf_error *err)
{
	/* Looked at before it is opened, since opening a device can have effects, and after, since it may have been replaced. */
	struct stat st;
	if (stat(path, &st) < 0)
		return fail_open(path, errno, err);
	int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	if (fd < 0 && S_ISREG(st.st_mode))
		return fail_open(path, errno, err);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return bf_fail(err, BF_E_INPUT, "%s: found %s, expected a regular file", path, bf_file_kind(st.st_mode));
}
