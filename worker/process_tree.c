#include "process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define STAT_MAX 512 /* more than enough for the fields before the parent's id */

struct process {
	pid_t pid, parent;
	bool below, told; /* a descendant; and its children are marked */
};

struct processes {
	struct process *p;
	size_t n, cap;
};

/* "pid (name) S parent …": the name may hold anything, brackets too. */
static pid_t parent_in(const char *stat)
{
	const char *bracket = strrchr(stat, ')');
	char *end;

	if (!bracket || strlen(bracket) < 5)
		return 0;
	long parent = strtol(bracket + 4, &end, 10);
	return *end == ' ' && parent > 0 ? (pid_t)parent : 0;
}

/* 0: it is gone meanwhile. */
static pid_t parent_of(const char *pid)
{
	char text[STAT_MAX];
	BF_AUTOFREE char *path = bf_asprintf("/proc/%s/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return parent_in(text);
}

static void add(struct processes *all, pid_t pid, pid_t parent)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 256;
		all->p = bf_realloc_array(all->p, all->cap, sizeof(*all->p));
	}
	all->p[all->n++] = (struct process){.pid = pid, .parent = parent};
}

static void list(struct processes *all)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int64_t pid;
		pid_t parent;

		if (bf_text_int(entry->d_name, 1, INT32_MAX, &pid) == 0 && (parent = parent_of(entry->d_name)) > 0)
			add(all, (pid_t)pid, parent);
	}
	if (dir)
		closedir(dir);
}

static void mark_children(struct processes *all, pid_t parent)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->p[i].parent == parent)
			all->p[i].below = true;
}

static void mark_descendants(struct processes *all, pid_t root)
{
	bool found = true;

	mark_children(all, root);
	while (found) {
		found = false;
		for (size_t i = 0; i < all->n; i++) {
			if (!all->p[i].below || all->p[i].told)
				continue;
			all->p[i].told = found = true;
			mark_children(all, all->p[i].pid);
		}
	}
}

void bf_process_tree_kill(pid_t root)
{
	struct processes all = {NULL, 0, 0};

	list(&all);
	mark_descendants(&all, root);
	for (size_t i = 0; i < all.n; i++)
		if (all.p[i].below)
			kill(all.p[i].pid, SIGKILL);
	free(all.p);
}
