/*
 * What a check's answer means: its figure, the judgement, and both in words for people, with the command that shows more.
 */
#ifndef BF_WORKER_CHECK_JUDGE_H
#define BF_WORKER_CHECK_JUDGE_H

#include "worker.h"

enum bf_judgement { BF_PASS, BF_WARN, BF_FAIL };
const char *bf_judgement_name(enum bf_judgement j); /* pass, warn, fail */

struct bf_finding {
	enum bf_judgement judgement;
	char *figure;         /* a decimal (base/decimal.h); NULL: none was found */
	char *expected;       /* of equals; NULL: none was found */
	bool passing;         /* it failed, and another try may fare better */
	char *violations;     /* JSON; NULL: none */
	struct bf_buf text;   /* what was found */
	struct bf_buf wanted; /* what was expected, shortly */
};

void bf_finding_init(struct bf_finding *f);
void bf_finding_release(struct bf_finding *f);

struct bf_outside_answer;
void bf_check_judge_outside(const struct bf_job *j, const struct bf_check *c, const struct bf_outside_answer *a, struct bf_finding *out);

/* The answer to bf_check_question. */
void bf_check_judge(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *answer, struct bf_finding *out);

#endif
