#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"
#include "core/pipeline_internal.h"

#define ARTIFACTS_MAX     50
#define BATCH_SIZE        100
#define BATCH_SIZE_MAX    100000
#define ARTIFACT_NAME_MAX 200

#define ARRAY_NAME_MAX 40
#define DATE           "{{date}}"

static const char *const what_names[] = {"summary",  "results",  "batches",    "checks", "soak",
										 "sign_off", "rollback", "violations", NULL}; /* as enum bf_artifact_what */
static const char *const artifact_fields[] = {"what", "step", "size", "array", NULL};

/* Of a soak the step that it is about, of violations the check; of batches, checks and rollback only these steps. */
static void check_step(struct bf_reader *r, const struct bf_at *at, json_t *value, const struct bf_artifact *a)
{
	const char *name = json_string_value(value);
	int ordinal = name ? bf_step_ordinal(r, name) : -1;
	enum bf_kind kind = ordinal >= 0 ? r->p->steps[ordinal].kind : BF_KIND_NOOP;

	if (!name)
		bf_problem_found(r, at, value, "the name of a step of this file");
	else if (ordinal < 0)
		bf_problem_word(r, at, name, "the name of a step of this file", r->step_names);
	else if (a->what == BF_ARTIFACT_SOAK && kind != BF_KIND_SOAK)
		bf_problem(r, at, "found %s, expected a step of kind soak", name);
	else if (a->what == BF_ARTIFACT_VIOLATIONS && kind != BF_KIND_CHECK)
		bf_problem(r, at, "found %s, expected a step of kind check", name);
	else if (a->what == BF_ARTIFACT_ROLLBACK && !r->p->steps[ordinal].rollback.file.name)
		bf_problem(r, at, "found %s, expected a step with a \"rollback\" file", name);
}

static void read_steps_of(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_artifact *a)
{
	struct bf_at at = bf_at_field(up, "step");
	json_t *value = json_object_get(object, "step"), *name;
	bool one = a->what == BF_ARTIFACT_SOAK || a->what == BF_ARTIFACT_VIOLATIONS;
	size_t i;

	if (!value && one)
		bf_problem(r, up, "found no \"step\", expected the name of the %s", a->what == BF_ARTIFACT_SOAK ? "soak" : "check");
	if (!value || !r->step_names) /* without steps, which is reported, there is none of any name */
		return;
	if (!one && a->what != BF_ARTIFACT_BATCHES && a->what != BF_ARTIFACT_CHECKS && a->what != BF_ARTIFACT_ROLLBACK) {
		bf_problem(r, &at, "found beside \"what\": \"%s\", expected only beside batches, checks, soak, rollback and violations",
				   what_names[a->what]);
		return;
	}
	if (one || !json_is_array(value)) {
		check_step(r, &at, value, a);
		return;
	}
	if (json_array_size(value) == 0)
		bf_problem(r, &at, "found no name, expected those of steps of this file");
	json_array_foreach (value, i, name) {
		struct bf_at element = bf_at_index(&at, i);

		check_step(r, &element, name, a);
	}
}

/* A part of a path that the folder can have: not empty, "." or "..". */
static bool is_part(const char *part, size_t len)
{
	return len > 0 && !(len <= 2 && strspn(part, ".") >= len);
}

bool bf_artifact_name_valid(const char *name)
{
	size_t left = strlen(name), n = 1;

	if (left > ARTIFACT_NAME_MAX || strncmp(name, BF_REPORT_LIST, strlen(BF_REPORT_LIST)) == 0)
		return false;
	for (const char *s = name; left > 0 && n > 0; s += n, left -= n) {
		n = bf_utf8_char(s, left);
		if (n == 0 || bf_show_hides(s, n) || *s == '\\')
			return false;
	}
	for (const char *part = name;; part += strcspn(part, "/") + 1) {
		if (!is_part(part, strcspn(part, "/")))
			return false;
		if (!part[strcspn(part, "/")])
			return true;
	}
}

/* "{{date}}" is the only thing that is replaced. */
static void check_name(struct bf_reader *r, const struct bf_at *at, const char *file)
{
	const char *open = strstr(file, "{{");

	if (!(r->pinned ? bf_file_name_inside(file) : bf_artifact_name_valid(file)))
		bf_problem(
			r, at,
			"found this name, expected that of a file in the folder of the report, such as \"summary.md\" or \"logs/run.json\": without "
			"\"..\", \".\", an empty part, a backslash or a character that is not seen, at most %d bytes",
			ARTIFACT_NAME_MAX);
	for (; open; open = strstr(open + 2, "{{"))
		if (strncmp(open, DATE, strlen(DATE)) != 0)
			bf_problem(r, at, "found \"{{\" in the name, expected only " DATE ", the day on which the run was planned");
}

static void read_array_name(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_artifact *a)
{
	struct bf_at at = bf_at_field(up, "array");
	const char *name = bf_read_text(r, up, object, "array");

	if (name && a->what != BF_ARTIFACT_VIOLATIONS)
		bf_problem(r, &at, "found beside \"what\": \"%s\", expected only beside violations", what_names[a->what]);
	else if (name && (!*name || strlen(name) > ARRAY_NAME_MAX))
		bf_problem_found(r, &at, json_object_get(object, "array"), "a name of 1 to 40 bytes");
}

static void read_artifact(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *file, struct bf_artifact *a)
{
	struct bf_at size = bf_at_field(at, "size");
	size_t stars = 0;
	int what;

	*a = (struct bf_artifact){.file = bf_strdup(file), .size = BATCH_SIZE};
	check_name(r, at, file);
	if (!json_is_object(object)) {
		bf_problem_found(r, at, object, "an object: {\"what\": \"summary\"}");
		return;
	}
	bf_check_fields(r, at, object, artifact_fields);
	what = bf_read_choice(r, at, object, "what", what_names, -1);
	if (!bf_require(r, at, object, "what", "summary, results, batches, checks, soak, sign_off, rollback or violations") || what < 0)
		return;
	a->what = (enum bf_artifact_what)what;
	for (const char *p = file; *p; p++)
		stars += *p == '*';
	if (stars != (a->what == BF_ARTIFACT_BATCHES ? 1 : 0))
		bf_problem(r, at, "found %zu '*' in the name, expected %s", stars,
				   a->what == BF_ARTIFACT_BATCHES ? "one, for the number of the batch: \"batch_*.json\"" : "none");
	read_steps_of(r, at, object, a);
	read_array_name(r, at, object, a);
	if (a->what != BF_ARTIFACT_BATCHES && json_object_get(object, "size"))
		bf_problem(r, &size, "found beside \"what\": \"%s\", expected only beside batches", what_names[a->what]);
	bf_read_int(r, at, object, "size", 1, BATCH_SIZE_MAX, &a->size);
}

/* "dir" beside "dir/x": the one is a file, the other needs a folder of that name. */
static void check_folders(struct bf_reader *r, const struct bf_at *up)
{
	for (size_t i = 0; i < r->p->n_artifacts; i++) {
		const char *file = r->p->artifacts[i].file;
		size_t len = strlen(file);
		for (size_t k = 0; k < r->p->n_artifacts; k++) {
			const char *other = r->p->artifacts[k].file;
			struct bf_at at = bf_at_field(up, file);

			if (strncmp(other, file, len) == 0 && other[len] == '/')
				bf_problem(r, &at, "found a file of this name beside %s, which is in a folder of the same name", other);
		}
	}
}

void bf_read_artifacts(struct bf_reader *r, json_t *root)
{
	struct bf_at at = bf_at_field(NULL, "artifacts");
	json_t *artifacts = bf_read(r, NULL, root, "artifacts", JSON_OBJECT), *object;
	const char *file;

	if (json_object_size(artifacts) == 0)
		return;
	if (json_object_size(artifacts) > ARTIFACTS_MAX) {
		bf_problem(r, &at, "found %zu files, expected at most %d", json_object_size(artifacts), ARTIFACTS_MAX);
		return;
	}
	r->p->artifacts = bf_alloc(json_object_size(artifacts) * sizeof(*r->p->artifacts));
	json_object_foreach (artifacts, file, object) {
		struct bf_at member = bf_at_field(&at, file);

		read_artifact(r, &member, object, file, &r->p->artifacts[r->p->n_artifacts++]);
	}
	if (!r->pinned) /* what a run was planned with stays readable */
		check_folders(r, &at);
}
