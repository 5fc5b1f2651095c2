#include "core/queue.h"

#include "base/mem.h"
#include "bf_lua.h"

static const char *const ack_names[BF_ACKS] = {"done", "failed", "skipped", "cancelled", "retry", "later", "held", "return", "drop"};

const char *bf_ack_name(enum bf_ack a)
{
	return ack_names[a];
}

int bf_job_name_parse(const char *job, struct bf_job_name *out)
{
	const char *step = strchr(job, '/');
	const char *chunk = step ? strchr(step + 1, '/') : NULL;
	const char *number = chunk ? strrchr(chunk, '#') : NULL;
	int64_t seq;
	if (!number || bf_text_int(number + 1, 1, INT32_MAX, &seq) < 0)
		return -BF_E_INPUT;
	*out = (struct bf_job_name){.run = job,
								.run_len = (int)(step - job),
								.step = step + 1,
								.step_len = (int)(chunk - step - 1),
								.chunk = chunk + 1,
								.chunk_len = (int)(number - chunk - 1),
								.seq = (int)seq};
	if (out->run_len > BF_RUN_MAX || out->step_len > BF_NAME_MAX || out->chunk_len > BF_CHUNK_MAX)
		return -BF_E_INPUT;
	return 0;
}

void bf_queue_fcall(struct bf_redis_cmd *cmd, const char *function, int64_t generation)
{
	bf_redis_arg(cmd, "FCALL");
	bf_redis_argf(cmd, "bf_v1_%s", function);
	bf_redis_arg(cmd, "0");
	bf_redis_arg_int(cmd, generation);
}

enum bf_queue_answer bf_queue_answer(const struct bf_redis_reply *r)
{
	static const struct {
		const char *word;
		enum bf_queue_answer answer;
	} words[] = {{"ok", BF_QUEUE_OK},
				 {"generation", BF_QUEUE_GENERATION},
				 {"unknown", BF_QUEUE_UNKNOWN},
				 {"condemned", BF_QUEUE_CONDEMNED},
				 {"resync", BF_QUEUE_RESYNC}};
	const char *word = bf_redis_text(bf_redis_at(r, 0));
	for (size_t i = 0; i < BF_COUNT_OF(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].answer;
	return BF_QUEUE_NONSENSE;
}

bool bf_queue_needs_load(const struct bf_error *err)
{
	return err->code == BF_E_REDIS && strstr(err->text, "Function not found") != NULL;
}

static void load_cmd(struct bf_redis_cmd *cmd, int i)
{
	bf_redis_arg(cmd, "FUNCTION");
	bf_redis_arg(cmd, "LOAD");
	bf_redis_arg(cmd, "REPLACE");
	bf_redis_arg_len(cmd, bf_lua_all[i].text, bf_lua_all[i].len);
}

/* The revision stands in a library's second line: "-- revision 3". 0: not said. */
static int64_t revision_of(const char *code)
{
	const char *at = strstr(code, "-- revision ");
	return at ? strtoll(at + strlen("-- revision "), NULL, 10) : 0;
}

/* Whether the library has to be loaded: it is missing, or of an older revision. */
static int needs_loading(struct bf_redis *r, const struct bf_embedded *library, bool *needed, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "FUNCTION");
	bf_redis_arg(&cmd, "LIST");
	bf_redis_arg(&cmd, "LIBRARYNAME");
	bf_redis_arg(&cmd, library->name);
	bf_redis_arg(&cmd, "WITHCODE");
	int rc = bf_redis_exec(r, &cmd, &reply, err);
	bf_redis_cmd_release(&cmd);
	if (rc < 0)
		return rc;
	*needed = true;
	const struct bf_redis_reply *first = bf_redis_at(reply, 0);
	for (size_t i = 0; i + 1 < bf_redis_count(first); i += 2) {
		if (strcmp(bf_redis_text(bf_redis_at(first, i)), "library_code") != 0)
			continue;
		const char *code = bf_redis_text(bf_redis_at(first, i + 1));
		int64_t present = revision_of(code), ours = revision_of(library->text);
		*needed = present < ours;
	}
	return 0;
}

int bf_queue_load(struct bf_redis *r, struct bf_error *err)
{
	for (int i = 0; bf_lua_all[i].name; i++) {
		bool needed;
		int rc = needs_loading(r, &bf_lua_all[i], &needed, err);
		if (rc < 0)
			return rc;
		if (!needed)
			continue;
		struct bf_redis_cmd cmd;
		BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
		bf_redis_cmd_init(&cmd);
		load_cmd(&cmd, i);
		rc = bf_redis_exec(r, &cmd, &reply, err);
		bf_redis_cmd_release(&cmd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int bf_queue_generation(struct bf_redis *r, int64_t *out, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "GET");
	bf_redis_arg(&cmd, "bf:generation");
	int rc = bf_redis_exec(r, &cmd, &reply, err);
	bf_redis_cmd_release(&cmd);
	if (rc < 0)
		return rc;
	*out = bf_redis_int(reply);
	return 0;
}

static int take_answer(struct bf_redis_reply *reply, struct bf_redis_reply **out, struct bf_error *err)
{
	enum bf_queue_answer answer = bf_queue_answer(reply);
	if (answer == BF_QUEUE_OK && out) {
		*out = reply;
		return 0;
	}
	bf_redis_reply_free(reply);
	if (answer == BF_QUEUE_OK)
		return 0;
	return bf_fail(err, BF_E_CONFLICT,
				   answer == BF_QUEUE_GENERATION ? "the queue in Redis is of another generation" : "the queue refused the call");
}

int bf_queue_answer_to(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	struct bf_redis_reply *reply = NULL;
	int rc = bf_redis_receive(r, &reply, err);
	if (rc < 0 && bf_queue_needs_load(err)) {
		rc = bf_queue_load(r, err);
		if (rc == 0)
			rc = bf_redis_exec(r, cmd, &reply, err);
	}
	return rc < 0 ? rc : take_answer(reply, out, err);
}

int bf_queue_call(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	int rc = bf_redis_send(r, cmd, err);
	return rc < 0 ? rc : bf_queue_answer_to(r, cmd, out, err);
}
