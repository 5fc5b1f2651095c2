/* What a step looks back at before its first chunk ("warmup": "block"). */
#include "base/mem.h"
#include "core/plan_internal.h"

#define KEYS_NAMED 3 /* in a message */

/* The first of those that are not there. What failed before, or is held, is named only where nothing else is missing. */
static void name_keys(struct bf_buf *out, const struct bf_keys *keys, const struct bf_step_plan *seen)
{
	size_t n = seen->n_missing > 0 ? seen->n_missing : seen->n_lacks, named = 0;
	for (size_t i = 0; i < n; i++) {
		struct bf_span span = seen->n_missing > 0 ? seen->missing[i] : seen->lacks[i].span;
		for (int32_t k = span.first; k <= span.last; k++) {
			if (named++ == KEYS_NAMED) {
				bf_buf_addstr(out, " …");
				return;
			}
			bf_buf_printf(out, " --key=%s", bf_keys_at(keys, (size_t)k));
		}
	}
}

static int refuse_warmup(const struct bf_plan_ask *before, const struct bf_step_plan *s, const struct bf_step_plan *seen, int64_t gone,
						 struct bf_error *err)
{
	const struct bf_skip *held = NULL;
	BF_AUTOBUF struct bf_buf looks;
	BF_AUTOBUF struct bf_buf fill;
	char day[BF_DATE_TEXT], until[BF_DATE_TEXT];
	bf_buf_init(&looks, 4096);
	bf_buf_init(&fill, 4096);
	for (size_t i = 0; i < seen->n_skips; i++)
		if (seen->skips[i].reason == BF_SKIP_HELD)
			held = &seen->skips[i];
	if (before->keys) {
		bf_buf_printf(&looks, "step %s looks back %d keys (\"warmup\": \"block\"), and of those before what is asked for", s->step->name,
					  s->step->lookback);
		name_keys(&fill, before->keys, seen);
	} else {
		bf_buf_printf(&looks, "step %s looks back %d days (\"warmup\": \"block\"), and of those before %s", s->step->name,
					  s->step->lookback, bf_date_format(before->until + 1, day));
		bf_buf_printf(&fill, " --since=%s --until=%s", bf_date_format(before->since, day), bf_date_format(before->until, until));
	}
	bf_buf_addstr(&fill, seen->n_missing > 0 ? "" : " --reprocess=failed");
	if (held)
		return bf_fail(err, BF_E_INPUT, "%s run %s holds some and is not finished; expected it to be done first", looks.data, held->run);
	bool any_day = !before->keys && !seen->has_expected; /* then there is always one before */
	return bf_fail(err, BF_E_INPUT, "%s %lld are not there; expected them first: enqueue run %s --only=%s%s%s", looks.data, (long long)gone,
				   before->pipeline->name, s->step->name, fill.data,
				   any_day ? "; or \"expected\" on the step, which says from which day on there are any" : "");
}

/* The keys that are looked back at and not planned themselves. */
static int keys_before(const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct bf_keys *out, struct bf_error *err)
{
	const struct bf_keys *all = ask->all_keys;
	size_t lookback = (size_t)s->step->lookback, done = 0; /* all before `done` have been seen to */
	int rc = 0;
	for (size_t i = 0; i < s->n_missing; i++) {
		for (int32_t k = s->missing[i].first; rc == 0 && k <= s->missing[i].last; k++) {
			size_t at = 0;
			(void)bf_keys_find(all, bf_keys_at(ask->keys, (size_t)k), &at);
			for (size_t b = at > done + lookback ? at - lookback : done; rc == 0 && b < at; b++)
				rc = bf_keys_add(out, bf_keys_at(all, b), strlen(bf_keys_at(all, b)), err);
			done = at + 1;
		}
	}
	return rc;
}

int bf_plan_check_warmup(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct bf_error *err)
{
	struct bf_plan_ask before = *ask;
	struct bf_step_plan seen = {.jobs = 0};
	struct bf_keys keys;
	int64_t gone = 0;
	int rc = 0;
	if (!s->step->lookback_blocks || s->n_missing == 0)
		return 0;
	bf_keys_init(&keys);
	if (ask->keys)
		rc = keys_before(ask, s, &keys, err);
	before.keys = ask->keys ? &keys : NULL;
	before.until = s->missing[0].first - 1;
	before.since = s->missing[0].first - s->step->lookback;
	before.reprocess = BF_REPROCESS_NONE;
	bf_plan_shape(&before, s->step, &seen);
	if (rc == 0 && (!ask->keys || keys.count > 0))
		rc = bf_plan_look_at(pg, &before, &seen, err);
	for (size_t i = 0; i < seen.n_missing; i++)
		gone += seen.missing[i].last - seen.missing[i].first + 1;
	for (size_t i = 0; i < seen.n_skips; i++)
		if (seen.skips[i].reason == BF_SKIP_FAILED || seen.skips[i].reason == BF_SKIP_HELD)
			gone += seen.skips[i].count;
	if (rc == 0 && gone > 0)
		rc = refuse_warmup(&before, s, &seen, gone, err);
	free(seen.missing);
	free(seen.skips);
	free(seen.lacks);
	bf_keys_release(&keys);
	return rc;
}
