#include "steps/exec_message.h"

#include "base/mem.h"
#include "core/vars.h"
#include "supervisor.h"
#include "supervisor_start.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

struct words { /* ends with NULL */
	char **w;
	size_t n;
};

static void words_add(struct words *l, char *owned)
{
	l->w = bf_realloc_array(l->w, l->n + 2, sizeof(*l->w));
	l->w[l->n++] = owned;
	l->w[l->n] = NULL;
}

static void words_release(struct words *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->w[i]);
	free(l->w);
}

static void env_set(struct words *env, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *var = bf_asprintf("%s=%s", name, value);

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->w[i], name, len) == 0 && env->w[i][len] == '=') {
			free(env->w[i]);
			env->w[i] = var;
			return;
		}
	}
	words_add(env, var);
}

static void env_set_int(struct words *env, const char *name, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	env_set(env, name, text);
}

static void env_set_if(struct words *env, const char *name, const char *value)
{
	if (value && *value)
		env_set(env, name, value);
}

/* What only this program says; a pipeline cannot set it to something else. */
static void add_fixed(const struct bf_job *j, const struct bf_vars *v, struct words *env)
{
	BF_AUTOFREE char *job = bf_job_key(v);

	env_set(env, "BF_RUN", v->run);
	env_set(env, "BF_STEP", v->step);
	env_set(env, "BF_CHUNK", v->chunk);
	env_set(env, "BF_SINCE", v->since);
	env_set(env, "BF_UNTIL", v->until);
	env_set(env, "BF_KEY", v->key);
	env_set(env, "BF_JOB", job);
	env_set_int(env, "BF_ATTEMPT", j->attempts + 1);
	env_set_int(env, "BF_EPOCH", j->epoch);
	env_set(env, "BF_PROGRESS_FD", BF_PROGRESS_FD_NUMBER);
	env_set_if(env, "BF_CHECKPOINT", j->checkpoint);
	env_set_if(env, "BF_LOOKBACK_SINCE", v->lookback_since);
	env_set_if(env, "BF_LOOKBACK_KEY", v->lookback_key);
}

static int render(const char *text, const struct bf_vars *v, struct bf_buf *out, struct bf_error *err, const char *where, const char *name)
{
	bf_buf_init(out, BF_SUPERVISOR_START_MAX);
	return bf_template_render(text, v, BF_ESCAPE_NONE, out, err) < 0 ? bf_error_prefix(err, "%s%s", where, name) : 0;
}

static int add_env(const struct bf_job *j, const struct bf_vars *v, struct words *env, struct bf_error *err)
{
	const struct bf_pipeline *p = j->def->pipeline;
	const char *path = getenv("PATH");

	env_set(env, "PATH", path && *path ? path : DEFAULT_PATH);
	for (char **name = p->env_pass; name && *name; name++)
		if (getenv(*name))
			env_set(env, *name, getenv(*name));
	for (size_t i = 0; i < p->n_env_set; i++) {
		BF_AUTOBUF struct bf_buf value;
		int rc = render(p->env_set[i].value, v, &value, err, "env.set.", p->env_set[i].name);
		if (rc < 0)
			return rc;
		env_set(env, p->env_set[i].name, value.data);
	}
	add_fixed(j, v, env);
	return 0;
}

static int add_argv(const struct bf_job *j, const struct bf_vars *v, struct words *argv, struct bf_error *err)
{
	for (char **arg = j->step->argv; *arg; arg++) {
		BF_AUTOBUF struct bf_buf value;
		int rc = render(*arg, v, &value, err, "argv: ", *arg);
		if (rc < 0)
			return rc;
		words_add(argv, bf_strdup(value.data));
	}
	return 0;
}

int bf_exec_message(const struct bf_job *j, int64_t grace_ms, struct bf_buf *out, struct bf_error *err)
{
	struct words argv = {NULL, 0}, env = {NULL, 0};
	struct bf_vars v;

	bf_job_vars(j, &v);
	int rc = add_argv(j, &v, &argv, err);
	if (rc == 0)
		rc = add_env(j, &v, &env, err);
	if (rc == 0) {
		/* Redis counts a lease from the last exchange, which may be a fifth of one older than the last heartbeat (exchange.c). The program
		 * has to have ended when the job goes to another worker. */
		int64_t lease_ms = j->worker->opt.lease_ms * 4 / 5;
		struct bf_supervisor_start start = {
			.dir = j->def->pipeline->dir, .argv = argv.w, .env = env.w, .lease_ms = lease_ms, .grace_ms = grace_ms};
		rc = bf_supervisor_pack(&start, out, err);
	}
	words_release(&argv);
	words_release(&env);
	return rc;
}
