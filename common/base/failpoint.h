/*
 * Named fail points in the real binaries (docs/reliability.md): BF_FAILPOINT=name:kill|hang|error[:n] makes the n-th passage (default the
 * first) of the point `name` kill the process, hang it, or report an error. Compiled in only with -DBF_FAILPOINTS=ON; otherwise it costs
 * nothing. That it fired is written to the file named by BF_FAILPOINT_LOG (one line: the name), so a test can assert it.
 */
#ifndef BF_BASE_FAILPOINT_H
#define BF_BASE_FAILPOINT_H

#include <stdbool.h>

#ifdef BF_FAILPOINTS
bool bf_failpoint_hit(const char *name); /* true: the caller should behave as if the operation had failed */
#define BF_FAILPOINT(name) bf_failpoint_hit(name)
#else
#define BF_FAILPOINT(name) false
#endif

#endif
