#include <pwd.h>
#include <unistd.h>

#include "base/mem.h"
#include "change/commands.h"

char *bf_who(char out[static BF_WHO_MAX])
{
	char host[65] = "";
	const struct passwd *user = getpwuid(getuid());
	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
		snprintf(host, sizeof(host), "localhost");
	if (user)
		snprintf(out, BF_WHO_MAX, "%.80s@%s", user->pw_name, host);
	else
		snprintf(out, BF_WHO_MAX, "uid %u@%s", (unsigned)getuid(), host);
	return out;
}

static void add_file(const char **files, size_t *n, const char *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < *n; i++)
		if (strcmp(files[i], file) == 0)
			return;
	files[(*n)++] = file;
}

/* A file of the pipeline's folder as the pipeline names it. */
static const char *within(const struct bf_pipeline *p, const char *path)
{
	size_t n = strlen(p->dir);
	return path && strncmp(path, p->dir, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

/* At most so many are named. */
static size_t files_of(const struct bf_pipeline *p)
{
	size_t n = (size_t)p->n_steps * 7;
	for (int i = 0; i < p->n_steps; i++)
		n += 3 * p->steps[i].n_checks;
	return n;
}

const char **bf_files_checked(const struct bf_pipeline *p)
{
	const char **files = bf_realloc_array(NULL, files_of(p) + 4, sizeof(*files));
	size_t n = 0;
	add_file(files, &n, p->chunk.keys_sql.name);
	add_file(files, &n, within(p, p->chunk.keys_file));
	add_file(files, &n, p->throttle.name);
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		add_file(files, &n, s->sql.name);
		add_file(files, &n, s->argv ? within(p, s->argv[0]) : NULL);
		add_file(files, &n, s->expected.name);
		add_file(files, &n, s->present.name);
		add_file(files, &n, s->rollback.file.name);
		add_file(files, &n, s->rollback.changed.name);
		add_file(files, &n, s->rollback.verify.name);
		for (size_t k = 0; k < s->n_checks; k++) {
			add_file(files, &n, s->checks[k].query.name);
			add_file(files, &n, s->checks[k].expected.name);
			add_file(files, &n, s->checks[k].present.name);
		}
	}
	files[n] = NULL;
	return files;
}
