#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "core/pipeline_internal.h"

#define CONCURRENCY_DEFAULT     3
#define CONCURRENCY_MAX_DEFAULT 10
#define TIMEOUT_DEFAULT_MS      (3600 * 1000)
#define THROTTLE_DEFAULT_MS     10000
#define THROTTLE_MIN_MS         5000
#define TIMEZONE_MAX            64
#define TIMEZONE_CHARACTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-"

static const struct bf_retry retry_default = {
	.attempts = 3, .first_ms = 30 * 1000, .factor = 2, .max_ms = 600 * 1000, .jitter = 0.2, .patience_ms = 900 * 1000};

#define FIELDS_OF_FILE                                                                                                                \
	"pipeline", "description", "timezone", "queue", "chunk", "concurrency", "rate", "pause", "throttle", "env", "params", "defaults", \
		"artifacts", "steps"
static const char *const file_fields[] = {FIELDS_OF_FILE, NULL};
static const char *const body_fields[] = {FIELDS_OF_FILE, "files", NULL};
static const char *const concurrency_fields[] = {"default", "max", NULL};
static const char *const throttle_fields[] = {"file", "every", NULL};
static const char *const env_fields[] = {"pass", "set", NULL};
static const char *const defaults_fields[] = {"timeout", "retry", "on_failure", NULL};

static void read_concurrency(struct bf_reader *r, json_t *root)
{
	struct bf_at at = bf_at_field(NULL, "concurrency");
	json_t *o = bf_read_object(r, NULL, root, "concurrency", concurrency_fields);

	r->p->concurrency_max = CONCURRENCY_MAX_DEFAULT;
	r->p->concurrency_default = CONCURRENCY_DEFAULT;
	if (!o)
		return;
	bf_read_int(r, &at, o, "max", 1, BF_CONCURRENCY_MAX, &r->p->concurrency_max);
	if (r->p->concurrency_default > r->p->concurrency_max)
		r->p->concurrency_default = r->p->concurrency_max;
	bf_read_int(r, &at, o, "default", 1, BF_CONCURRENCY_MAX, &r->p->concurrency_default);
	if (r->p->concurrency_default > r->p->concurrency_max)
		bf_problem(r, &at, "found a default of %d, expected at most max, which is %d", r->p->concurrency_default, r->p->concurrency_max);
}

static void read_rate(struct bf_reader *r, json_t *root)
{
	struct bf_at at = bf_at_field(NULL, "rate");
	const char *text = bf_read_text(r, NULL, root, "rate");
	struct bf_error err;

	if (text && bf_rate_parse(text, &r->p->rate_interval_ms, &err) < 0)
		bf_problem(r, &at, "%s", err.text);
	bf_read_duration(r, NULL, root, "pause", 0, &r->p->pause_ms);
}

/* It is asked by the workers' upkeep, which comes by about each five seconds. */
static void read_throttle(struct bf_reader *r, json_t *root)
{
	static const struct bf_sql_use use = {.keys = true, .single = true};
	struct bf_at at = bf_at_field(NULL, "throttle"), file = bf_at_field(&at, "file");
	json_t *o = bf_read_object(r, NULL, root, "throttle", throttle_fields);

	r->p->throttle_ms = THROTTLE_DEFAULT_MS;
	if (!o)
		return;
	if (bf_require(r, &at, o, "file", "the name of an SQL file that yields true while runs are to be held back"))
		bf_read_sql(r, &file, json_object_get(o, "file"), &use, &r->p->throttle);
	bf_read_duration(r, &at, o, "every", THROTTLE_MIN_MS, &r->p->throttle_ms);
}

static void read_env_pass(struct bf_reader *r, const struct bf_at *env, json_t *object, json_t *set)
{
	struct bf_at at = bf_at_field(env, "pass");
	json_t *pass = bf_read(r, env, object, "pass", JSON_ARRAY), *name;
	size_t n = 0, i;

	r->p->env_pass = bf_alloc((json_array_size(pass) + 1) * sizeof(*r->p->env_pass));
	json_array_foreach (pass, i, name) {
		struct bf_at element = bf_at_index(&at, i);
		const char *text = json_string_value(name);

		if (!text || !bf_env_name_valid(text))
			bf_problem_found(r, &element, name, "the name of an environment variable: A-Z, a-z, 0-9 and '_', no digit first");
		else if (json_object_get(set, text))
			bf_problem_found(r, &element, name, "a variable that is passed or set, not both");
		else
			r->p->env_pass[n++] = bf_strdup(text);
	}
}

static void read_env_set(struct bf_reader *r, const struct bf_at *env, json_t *set)
{
	struct bf_at at = bf_at_field(env, "set");
	const char *name;
	json_t *value;

	if (json_object_size(set) == 0)
		return;
	r->p->env_set = bf_alloc(json_object_size(set) * sizeof(*r->p->env_set));
	json_object_foreach (set, name, value) {
		struct bf_at member = bf_at_field(&at, name);

		if (!bf_env_name_valid(name))
			bf_problem(r, &member, "found this name, expected that of an environment variable: A-Z, a-z, 0-9 and '_', no digit first");
		bf_check_template(r, &member, value);
		r->p->env_set[r->p->n_env_set++] = (struct bf_env_var){
			.name = bf_strdup(name),
			.value = bf_strdup(json_string_value(value)),
		};
	}
}

static void read_env(struct bf_reader *r, json_t *root)
{
	struct bf_at at = bf_at_field(NULL, "env");
	json_t *env = bf_read_object(r, NULL, root, "env", env_fields);
	json_t *set = env ? bf_read(r, &at, env, "set", JSON_OBJECT) : NULL;

	read_env_pass(r, &at, env, set);
	read_env_set(r, &at, set);
}

static struct bf_step_defaults read_defaults(struct bf_reader *r, json_t *root)
{
	struct bf_step_defaults d = {.timeout_ms = TIMEOUT_DEFAULT_MS, .retry = retry_default, .on_failure = BF_HALT};
	struct bf_at at = bf_at_field(NULL, "defaults");
	json_t *o = bf_read_object(r, NULL, root, "defaults", defaults_fields);

	if (o) {
		bf_read_duration(r, &at, o, "timeout", 1, &d.timeout_ms);
		bf_read_retry(r, &at, o, &d.retry);
		d.on_failure = bf_read_choice(r, &at, o, "on_failure", bf_on_failure_names, BF_HALT) == BF_CONTINUE ? BF_CONTINUE : BF_HALT;
	}
	return d;
}

/* Its form only: which time zones there are, PostgreSQL knows. */
static void read_timezone(struct bf_reader *r, json_t *root)
{
	const char *zone = bf_read_text(r, NULL, root, "timezone");
	struct bf_at at = bf_at_field(NULL, "timezone");
	bool plain = zone && *zone && strlen(zone) <= TIMEZONE_MAX && zone[strspn(zone, TIMEZONE_CHARACTERS)] == '\0';

	r->p->timezone = bf_strdup(plain ? zone : "UTC");
	if (zone && !plain)
		bf_problem_found(r, &at, json_object_get(root, "timezone"), "the name of a time zone: America/New_York");
}

static void read_pipeline(struct bf_reader *r, json_t *root)
{
	const char *description = bf_read_text(r, NULL, root, "description");
	struct bf_step_defaults defaults;

	bf_check_fields(r, NULL, root, r->pinned ? body_fields : file_fields);
	if (bf_require(r, NULL, root, "pipeline", "the pipeline's name"))
		bf_read_name(r, NULL, root, "pipeline", r->p->name);
	r->p->description = bf_strdup(description ? description : "");
	memcpy(r->p->queue, "default", sizeof("default"));
	bf_read_name(r, NULL, root, "queue", r->p->queue);
	read_timezone(r, root);
	bf_read_params(r, root); /* before whatever may name them */
	bf_read_chunking(r, NULL, root, false, &r->p->chunk);
	read_concurrency(r, root);
	read_rate(r, root);
	read_throttle(r, root);
	read_env(r, root);
	defaults = read_defaults(r, root);
	bf_read_steps(r, root, &defaults);
	bf_read_artifacts(r, root);
	if (!r->pinned) /* what runs under way were planned with stays as it was */
		bf_check_param_uses(r);
}

static int parse(const char *shown, const char *text, size_t len, struct bf_json_doc *out, struct bf_error *err)
{
	json_error_t e;
	int rc = bf_doc_load(text, len, JSON_REJECT_DUPLICATES, out, &e);

	if (rc < 0 && json_error_code(&e) == json_error_duplicate_key)
		return bf_fail(err, BF_E_INPUT, "%s:%d:%d: found a field for the second time: %s", shown, e.line, e.column, e.text);
	if (rc < 0)
		return bf_fail(err, BF_E_INPUT, "%s:%d:%d: not valid JSON: %s", shown, e.line, e.column, e.text);
	if (json_is_object(out->root))
		return 0;
	bf_doc_release(out);
	return bf_fail(err, BF_E_INPUT, "%s: found an array, expected an object: {\"pipeline\": …}", shown);
}

/* A new model, and what it is read from, which it keeps. */
static void begin_model(struct bf_reader *r, const struct bf_json_doc *doc)
{
	r->p = bf_alloc(sizeof(*r->p));
	r->p->body = bf_alloc(sizeof(*r->p->body));
	*r->p->body = *doc;
	r->doc = r->p->body;
}

/* Takes the model over from the reader, or frees it. `missing`: if nothing is wrong but that, it goes there; or NULL. */
static int finish(struct bf_reader *r, struct bf_buf *missing, struct bf_pipeline **out, struct bf_error *err)
{
	int rc = bf_reader_report(r, err);

	if (rc < 0 && missing && r->missing == r->found) {
		bf_buf_addstr(missing, r->lines.data);
		rc = 0;
	}
	if (rc < 0)
		bf_pipeline_free(r->p);
	else
		*out = r->p;
	bf_reader_release(r);
	return rc;
}

static int folder_of(const char *path, char **out, struct bf_error *err)
{
	const char *slash = strrchr(path, '/');
	BF_AUTOFREE char *folder = slash ? bf_strndup(path, (size_t)(slash - path) + 1) : bf_strdup(".");

	*out = realpath(folder, NULL);
	return *out ? 0 : bf_fail_errno(err, errno, "%s", folder);
}

int bf_pipeline_load_with_missing(const char *path, struct bf_pipeline **out, struct bf_buf *missing, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf text;
	struct bf_json_doc doc;
	struct bf_reader r;
	struct bf_error why;
	int rc;

	bf_buf_init(&text, BF_PIPELINE_FILE_MAX);
	if (bf_buf_read_file(&text, path, &why) < 0) /* too large or unreadable is the operator's to mend, too */
		return bf_fail(err, why.code == BF_E_NOT_FOUND ? BF_E_NOT_FOUND : BF_E_INPUT, "%s", why.text);
	bf_reader_init(&r, path);
	rc = parse(r.shown, text.data, text.len, &doc, err);
	if (rc < 0) {
		bf_reader_release(&r);
		return rc;
	}
	begin_model(&r, &doc);
	rc = folder_of(path, &r.p->dir, err);
	if (rc < 0) {
		bf_pipeline_free(r.p);
		bf_reader_release(&r);
		return rc;
	}
	r.files = json_object();
	read_pipeline(&r, doc.root);
	json_object_set_new(doc.root, "files", r.files);
	return finish(&r, missing, out, err);
}

int bf_pipeline_load_file(const char *path, struct bf_pipeline **out, struct bf_error *err)
{
	return bf_pipeline_load_with_missing(path, out, NULL, err);
}

/* $BF_PIPELINES/NAME, absolute. */
static char *usual_folder(const char *name)
{
	const char *pipelines = bf_pipelines_folder();
	BF_AUTOFREE char *here = pipelines[0] == '/' ? bf_strdup("") : getcwd(NULL, 0);

	return bf_asprintf("%s%s%s/%s", here ? here : "", pipelines[0] == '/' ? "" : "/", pipelines, name);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A body has the text of each file it names, and no other. */
static void check_files(struct bf_reader *r)
{
	struct bf_at at = bf_at_field(NULL, "files");
	const char *name;
	json_t *text;

	json_object_foreach (r->files, name, text) {
		struct bf_at member = bf_at_field(&at, name);

		if (!json_is_string(text))
			bf_problem_found(r, &member, text, "the text of the file");
		else if (!bf_pipeline_names_file(r->p, name))
			bf_problem(r, &member, "found a file that nothing names, expected only those of steps and keys");
	}
}

int bf_pipeline_load_body(const char *body, size_t len, const char *dir, struct bf_pipeline **out, struct bf_error *err)
{
	struct bf_json_doc doc;
	struct bf_reader r;
	struct bf_error why;
	const char *name;

	if (parse("pinned pipeline", body, len, &doc, &why) < 0)
		return bf_fail(err, BF_E_LIMIT, "%s", why.text);
	bf_reader_init(&r, "pinned pipeline");
	r.pinned = true;
	begin_model(&r, &doc);
	name = json_string_value(json_object_get(doc.root, "pipeline"));
	r.p->dir = is_folder(dir) ? bf_strdup(dir) : usual_folder(name ? name : "");
	if (bf_require(&r, NULL, doc.root, "files", "the texts of the SQL files"))
		r.files = bf_read(&r, NULL, doc.root, "files", JSON_OBJECT);
	read_pipeline(&r, doc.root);
	check_files(&r);
	return finish(&r, NULL, out, err);
}
