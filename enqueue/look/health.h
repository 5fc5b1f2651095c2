/*
 * How the installation is: one finding each for both servers, the workers, each queue, the runs, and whether queue and ledger
 * agree. A server that cannot be reached is a finding, not an error: the others are still asked.
 */
#ifndef BF_LOOK_HEALTH_H
#define BF_LOOK_HEALTH_H

#include "base/buf.h"
#include "look/look.h"

enum bf_health { BF_PASS, BF_WARN, BF_FAIL };
#define BF_FINDINGS_MAX 300

struct bf_finding {
	const char *component; /* "postgresql", "queue"; the same word in JSON */
	char name[64];         /* of which one: a queue; "" where there is one only */
	enum bf_health status;
	int64_t value;    /* what was measured, in `unit`; -1: nothing was */
	const char *unit; /* "ms", "workers", "jobs", "runs", "differences" */
	char text[400];   /* what was found, in words */
};

struct bf_health_report {
	struct bf_finding list[BF_FINDINGS_MAX];
	size_t n;
	enum bf_health status;                                                               /* the worst of them */
	int64_t workers, slots, busy, ready, failed, waiting, stopped, stalled, differences; /* -1: not known */
};

void bf_health_look(struct bf_look *l, struct bf_health_report *out);
const char *bf_health_name(enum bf_health h); /* "pass" */

#endif
