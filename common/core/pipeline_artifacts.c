#include "base/mem.h"
#include "core/pipeline_internal.h"

#define ARTIFACTS_MAX     50
#define BATCH_SIZE        100
#define BATCH_SIZE_MAX    100000
#define ARTIFACT_NAME_MAX 200

static const char *const what_names[] = {"summary", "results",  "batches", "checks",
										 "soak",    "sign_off", NULL}; /* as enum bf_artifact_what */
static const char *const artifact_fields[] = {"what", "step", "size", NULL};

static void read_step_of(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_artifact *a)
{
	struct bf_at at = bf_at_field(up, "step");
	const char *name = bf_read_text(r, up, object, "step");

	a->step = -1;
	if (!name || !r->step_names) /* without steps, which is reported, there is none of any name */
		return;
	if (a->what != BF_ARTIFACT_BATCHES && a->what != BF_ARTIFACT_SOAK) {
		bf_problem(r, &at, "found beside \"what\": \"%s\", expected only beside batches and soak", what_names[a->what]);
		return;
	}
	a->step = bf_step_ordinal(r, name);
	if (a->step < 0)
		bf_problem_word(r, &at, name, "the name of a step of this file", r->step_names);
	else if (a->what == BF_ARTIFACT_SOAK && r->p->steps[a->step].kind != BF_KIND_SOAK)
		bf_problem(r, &at, "found %s, expected a step of kind soak", name);
}

static void read_artifact(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *file, struct bf_artifact *a)
{
	struct bf_at size = bf_at_field(at, "size");
	size_t stars = 0;
	int what;

	*a = (struct bf_artifact){.file = bf_strdup(file), .step = -1, .size = BATCH_SIZE};
	if (!bf_file_name_inside(file) || strlen(file) > ARTIFACT_NAME_MAX)
		bf_problem(r, at, "found this name, expected that of a file in the folder of the report, such as \"summary.md\"");
	if (!json_is_object(object)) {
		bf_problem_found(r, at, object, "an object: {\"what\": \"summary\"}");
		return;
	}
	bf_check_fields(r, at, object, artifact_fields);
	what = bf_read_choice(r, at, object, "what", what_names, -1);
	if (!bf_require(r, at, object, "what", "summary, results, batches, checks, soak or sign_off") || what < 0)
		return;
	a->what = (enum bf_artifact_what)what;
	for (const char *p = file; *p; p++)
		stars += *p == '*';
	if (stars != (a->what == BF_ARTIFACT_BATCHES ? 1 : 0))
		bf_problem(r, at, "found %zu '*' in the name, expected %s", stars,
				   a->what == BF_ARTIFACT_BATCHES ? "one, for the number of the batch: \"batch_*.json\"" : "none");
	read_step_of(r, at, object, a);
	if (a->what == BF_ARTIFACT_SOAK && !json_object_get(object, "step"))
		bf_problem(r, at, "found no \"step\", expected the name of the soak");
	if (a->what != BF_ARTIFACT_BATCHES && json_object_get(object, "size"))
		bf_problem(r, &size, "found beside \"what\": \"%s\", expected only beside batches", what_names[a->what]);
	bf_read_int(r, at, object, "size", 1, BATCH_SIZE_MAX, &a->size);
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
}
