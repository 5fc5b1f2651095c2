/* The pipeline JSON as it is pinned in the ledger: what is accepted has one written form, which reads and writes as itself. */
#include "core/pipeline.h"
#include "fuzz.h"

static void check_step(const struct bf_pipeline *p, int i)
{
	const struct bf_step *s = &p->steps[i];

	MUST(bf_name_valid(s->name) && s->ordinal == i && bf_pipeline_step(p, s->name) == s);
	for (size_t n = 0; n < s->n_needs; n++)
		MUST(s->needs[n] >= 0 && s->needs[n] < p->n_steps && s->needs[n] != i);
	MUST(s->concurrency >= 0 && s->concurrency <= BF_CONCURRENCY_MAX);
	MUST((s->timeout_ms > 0) == (s->kind != BF_KIND_APPROVAL) && s->retry.attempts >= 1 && s->chunk.size >= (s->chunk.by_key ? 0 : 1));
	MUST((s->kind == BF_KIND_SQL) == (s->sql.text != NULL));
	MUST((s->kind == BF_KIND_EXEC) == (s->argv != NULL && s->argv[0] != NULL));
	MUST((s->n_checks > 0) == (s->kind == BF_KIND_CHECK || s->kind == BF_KIND_SOAK));
	for (size_t n = 0; n < s->n_checks; n++)
		MUST(s->checks[n].of >= -1 && s->checks[n].of < p->n_steps && (*s->checks[n].name != '\0') == (s->kind == BF_KIND_SOAK));
	MUST(s->kind != BF_KIND_SOAK || (s->soak.interval_ms > 0 && s->soak.interval_ms <= s->soak.duration_ms && s->soak.failure_limit >= 1));
	MUST(s->approval.timeout_ms >= 0 && s->max_failed_ratio <= 1);
}

static void check_again(const struct bf_pipeline *p)
{
	struct bf_error err;
	struct bf_pipeline *again = NULL;
	struct bf_buf first, second;

	bf_buf_init(&first, (size_t)64 << 20);
	bf_buf_init(&second, (size_t)64 << 20);
	MUST(bf_pipeline_body(p, &first, &err) == 0);
	MUST(bf_pipeline_load_body(first.data, first.len, "/", &again, &err) == 0);
	MUST(bf_pipeline_body(again, &second, &err) == 0);
	MUST(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	bf_pipeline_free(again);
	bf_buf_release(&first);
	bf_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bf_error err;
	struct bf_pipeline *p = NULL;
	char *text = fuzz_text(bytes, size);
	int rc = bf_pipeline_load_body(text, size, "/", &p, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
	} else {
		MUST(bf_name_valid(p->name) && p->n_steps >= 1 && p->n_steps <= BF_STEPS_MAX);
		MUST(p->concurrency_default >= 1 && p->concurrency_default <= p->concurrency_max);
		for (int i = 0; i < p->n_steps; i++)
			check_step(p, i);
		check_again(p);
		bf_pipeline_free(p);
	}
	free(text);
	return 0;
}
