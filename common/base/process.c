#include "base/process.h"

#include <sys/prctl.h>

void bf_process_keep_private(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* fails for no reason that there is on Linux */
}
