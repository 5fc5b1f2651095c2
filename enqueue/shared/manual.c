/* What the manuals of both programs of the operator say alike. */
#include "shared/manual.h"

#include <stddef.h>

const struct bf_item bf_exit_codes[] = {
	{"0", "fine; of a run that is looked at: done, or under way"},
	{"1", "failed, or partly failed"},
	{"2", "wrong usage or bad input; nothing was written"},
	{"3", "the run waits for a person"},
	{"4", "the run is stopped or cancelled"},
	{"5", "a server cannot be reached"},
	{NULL, NULL},
};
