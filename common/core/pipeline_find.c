#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/pipeline_internal.h"

#define LISTED_MAX 1000 /* pipelines of a folder that are looked at */

const char *bf_pipelines_folder(void)
{
	const char *folder = getenv("BF_PIPELINES");

	return folder && *folder ? folder : "deploy/pipelines";
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && strcmp(s + len - n, end) == 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int find_path(const char *path, char **out, struct bf_error *err)
{
	*out = is_folder(path) ? bf_asprintf("%s%spipeline.json", path, ends_with(path, "/") ? "" : "/") : bf_strdup(path);
	if (access(*out, F_OK) == 0)
		return 0;
	(void)bf_fail(err, BF_E_NOT_FOUND, "%s: there is no such pipeline file", *out);
	free(*out);
	*out = NULL;
	return -BF_E_NOT_FOUND;
}

/* The file of the pipeline `name` in `folder`, or NULL. */
static char *file_of(const char *folder, const char *name)
{
	static const char *const forms[] = {"/pipeline.json", ".json"};

	for (size_t i = 0; i < BF_COUNT_OF(forms); i++) {
		BF_AUTOFREE char *path = bf_asprintf("%s/%s%s", folder, name, forms[i]);

		if (access(path, F_OK) == 0)
			return bf_steal(&path);
	}
	return NULL;
}

struct names {
	char *items[LISTED_MAX + 1]; /* ends with NULL */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_pipelines(const char *folder, DIR *dir, struct names *names)
{
	const struct dirent *entry;

	while (names->count < LISTED_MAX && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		BF_AUTOFREE char *name = bf_strndup(entry->d_name, ends_with(entry->d_name, ".json") ? len - strlen(".json") : len);
		BF_AUTOFREE char *file = bf_name_valid(name) ? file_of(folder, name) : NULL;

		if (file)
			names->items[names->count++] = bf_steal(&name);
	}
	qsort(names->items, names->count, sizeof(names->items[0]), compare);
}

/* What else there is. `names` is sorted; a folder and a file of the same name are one pipeline. */
static void describe(struct bf_buf *out, const char *folder, const char *wanted, const struct names *names)
{
	const char *const *candidates = (const char *const *)names->items;
	const char *near = bf_text_nearest(wanted, candidates);

	if (names->count == 0)
		bf_buf_printf(out, "there is none in %s (BF_PIPELINES)", folder);
	else
		bf_buf_printf(out, "expected a path, or one of those in %s (BF_PIPELINES)", folder);
	if (near)
		bf_buf_printf(out, " (did you mean \"%s\"?)", near);
	for (size_t i = 0; i < names->count; i++)
		if (i == 0 || strcmp(candidates[i], candidates[i - 1]) != 0)
			bf_buf_printf(out, "%s%s", i ? ", " : ": ", candidates[i]);
}

static int unknown(const char *folder, const char *wanted, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown, rest;
	struct names names = {.count = 0};
	DIR *dir = opendir(folder);

	bf_buf_init(&shown, 512);
	bf_buf_init(&rest, BF_ERROR_TEXT_MAX);
	bf_text_quote(&shown, wanted, strlen(wanted), 60);
	if (dir) {
		list_pipelines(folder, dir, &names);
		describe(&rest, folder, wanted, &names);
		(void)closedir(dir);
	} else {
		bf_buf_printf(&rest, "and the folder of pipelines %s (BF_PIPELINES) cannot be read: %s", folder, strerror(errno));
	}
	for (size_t i = 0; i < names.count; i++)
		free(names.items[i]);
	return bf_fail(err, BF_E_NOT_FOUND, "found no pipeline %s, %s", shown.data, rest.data);
}

int bf_pipeline_find(const char *name_or_path, char **path, struct bf_error *err)
{
	const char *folder = bf_pipelines_folder();

	if (strchr(name_or_path, '/') || ends_with(name_or_path, ".json"))
		return find_path(name_or_path, path, err);
	*path = bf_name_valid(name_or_path) ? file_of(folder, name_or_path) : NULL;
	return *path ? 0 : unknown(folder, name_or_path, err);
}
