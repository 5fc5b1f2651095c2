/*
 * The folder of a report. Files are written under a random name and renamed; below the folder that
 * was named no symbolic link is followed. What was written is listed in the folder, in
 * ".bfstat-report": a digest, the pipeline and the name of each. So a later report of the same
 * pipeline removes what it does not write any more, but only what is still as it was written: a
 * file that somebody has changed is his.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/pipeline.h"
#include "look/report.h"

#define LIST_NAME BF_REPORT_LIST
#define LIST_HEAD \
	"# Written by bfstat report: digest, pipeline, file. What is still like this may be replaced or removed by the next report.\n"
#define LIST_MAX   ((size_t)16 << 20)
#define RANDOM_LEN 12

/* ---- the way to a file ---- */

/* Opens the folder `name` in `parent`, making it where it is missing. Consumes `parent`. */
static int enter(int parent, const char *name, const char *path, struct bf_error *err)
{
	int rc = mkdirat(parent, name, 0777) < 0 && errno != EEXIST ? -1 : 0;
	int dir = rc < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && (errno == ENOTDIR || errno == ELOOP))
		(void)bf_fail(err, BF_E_IO, "%s: found a symbolic link or a file at %s, expected a folder; nothing is written through it", path,
					  name);
	else if (dir < 0)
		(void)bf_fail_errno(err, errno, "%s", path);
	close(parent);
	return dir;
}

/*
 * The folder inside the report's that `name` is in, as a descriptor, and the last part of the
 * name. Below 0: an error.
 */
static int enter_all(struct bf_report *r, const char *name, const char **last, struct bf_error *err)
{
	int dir = fcntl(r->root, F_DUPFD_CLOEXEC, 0);
	BF_AUTOFREE char *path = bf_asprintf("%s/%s", r->folder, name);
	for (const char *slash; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		BF_AUTOFREE char *part = bf_strndup(name, (size_t)(slash - name));
		if (*part && strcmp(part, ".") != 0)
			dir = enter(dir, part, path, err);
	}
	*last = name;
	return dir;
}

/* mkdir -p of what the user has named; here links are his own. */
static int make_folder(const char *path, struct bf_error *err)
{
	BF_AUTOFREE char *part = bf_asprintf("%s/", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return bf_fail_errno(err, errno, "%s", part);
		*slash = '/';
	}
	return 0;
}

/* ---- what was written ---- */

/*
 * FNV-1a of the file's bytes: tells a file that somebody has changed from one that nobody has. 0:
 * it is no plain file.
 */
static uint64_t digest_of(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *f = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	if (!f) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (int c; (c = getc(f)) != EOF;)
		hash = (hash ^ (uint64_t)c) * UINT64_C(0x100000001b3);
	fclose(f);
	return hash;
}

static void remember(struct bf_report *r, uint64_t digest, const char *pipeline, const char *name, bool fresh)
{
	r->written = bf_realloc_array(r->written, r->n_written + 1, sizeof(*r->written));
	r->written[r->n_written++] =
		(struct bf_report_entry){.digest = digest, .pipeline = bf_strdup(pipeline), .name = bf_strdup(name), .fresh = fresh};
}

static struct bf_report_entry *find_entry(struct bf_report *r, const char *name)
{
	for (size_t i = 0; i < r->n_written; i++)
		if (strcmp(r->written[i].name, name) == 0)
			return &r->written[i];
	return NULL;
}

/* A list that is not as it was written is no list: then nothing is removed. */
static void read_list(struct bf_report *r)
{
	int fd = openat(r->root, LIST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	BF_AUTOFREE char *line = NULL;
	size_t size = 0, total = 0;
	while (f && getline(&line, &size, f) > 0 && (total += strlen(line)) < LIST_MAX) {
		char pipeline[BF_NAME_MAX + 1];
		uint64_t digest;
		int at = 0;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%16" SCNx64 " %40s %n", &digest, pipeline, &at) == 2 && at > 0 && bf_artifact_name_valid(line + at))
			remember(r, digest, pipeline, line + at, false);
	}
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

static void remove_stale(struct bf_report *r, const struct bf_report_entry *e)
{
	const char *last;
	struct bf_error ignored;
	int dir = enter_all(r, e->name, &last, &ignored);
	if (dir < 0)
		return;
	if (digest_of(dir, last) == e->digest)
		(void)unlinkat(dir, last, 0);
	close(dir);
}

static int write_list(struct bf_report *r, struct bf_error *err)
{
	struct bf_report_file file;
	int rc = bf_report_open(r, LIST_NAME, &file, err);
	if (rc < 0)
		return rc;
	fputs(LIST_HEAD, file.out);
	for (size_t i = 0; i < r->n_written; i++)
		if (r->written[i].name[0])
			fprintf(file.out, "%016" PRIx64 " %s %s\n", r->written[i].digest, r->written[i].pipeline, r->written[i].name);
	return bf_report_close(r, &file, 0, err);
}

/* ---- the report's files ---- */

int bf_report_begin(struct bf_report *r, struct bf_error *err)
{
	int rc = make_folder(r->folder, err);
	if (rc < 0)
		return rc;
	r->root = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0)
		return bf_fail_errno(err, errno, "%s", r->folder);
	read_list(r);
	return 0;
}

int bf_report_end(struct bf_report *r, int rc, struct bf_error *err)
{
	struct bf_error second;
	int listed = 0;
	for (size_t i = 0; rc == 0 && i < r->n_written; i++) {
		struct bf_report_entry *e = &r->written[i];
		if (e->fresh || strcmp(e->pipeline, r->view.pipeline) != 0)
			continue;
		remove_stale(r, e);
		e->name[0] = '\0'; /* removed, or somebody's own by now */
	}
	if (r->root >= 0)
		listed = write_list(r, rc < 0 ? &second : err);
	for (size_t i = 0; i < r->n_written; i++) {
		free(r->written[i].pipeline);
		free(r->written[i].name);
	}
	free(r->written);
	if (r->root >= 0)
		close(r->root);
	return rc < 0 ? rc : listed;
}

int bf_report_open(struct bf_report *r, const char *name, struct bf_report_file *out, struct bf_error *err)
{
	char random[RANDOM_LEN + 1];
	const char *last;
	if (!bf_artifact_name_valid(name) && strcmp(name, LIST_NAME) != 0)
		return bf_fail(err, BF_E_INPUT, "the artifact %s of the pipeline is no name of a file inside the folder; nothing is written there",
					   name);
	int dir = enter_all(r, name, &last, err);
	if (dir < 0)
		return -BF_E_IO;
	bf_text_random(random, RANDOM_LEN);
	*out = (struct bf_report_file){.dir = dir, .name = bf_strdup(name), .part = bf_asprintf(BF_REPORT_LIST ".%s", random)};
	int fd = openat(dir, out->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	out->out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (out->out)
		return 0;
	(void)bf_fail_errno(err, errno, "%s/%s", r->folder, name);
	if (fd >= 0)
		close(fd);
	close(dir);
	free(out->name);
	free(out->part);
	return -BF_E_IO;
}

static void note_written(struct bf_report *r, const struct bf_report_file *file, const char *last)
{
	struct bf_report_entry *e = find_entry(r, file->name);
	uint64_t digest = digest_of(file->dir, last);
	if (strcmp(file->name, LIST_NAME) == 0)
		return;
	r->files++;
	if (!e)
		remember(r, digest, r->view.pipeline, file->name, true);
	else if (strcmp(e->pipeline, r->view.pipeline) == 0)
		*e = (struct bf_report_entry){.digest = digest, .pipeline = e->pipeline, .name = e->name, .fresh = true};
	else
		e->name[0] = '\0', remember(r, digest, r->view.pipeline, file->name, true);
}

int bf_report_close(struct bf_report *r, struct bf_report_file *file, int rc, struct bf_error *err)
{
	const char *slash = strrchr(file->name, '/'), *last = slash ? slash + 1 : file->name;
	bool bad = ferror(file->out);
	bad = fclose(file->out) != 0 || bad;
	if (rc == 0 && (bad || renameat(file->dir, file->part, file->dir, last) < 0))
		rc = bf_fail_errno(err, errno, "%s/%s", r->folder, file->name);
	if (rc < 0)
		(void)unlinkat(file->dir, file->part, 0);
	else
		note_written(r, file, last);
	close(file->dir);
	free(file->name);
	free(file->part);
	return rc;
}
