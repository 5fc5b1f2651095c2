/* A file that the build has put into the program. */
#ifndef BF_CORE_EMBEDDED_H
#define BF_CORE_EMBEDDED_H

#include <stddef.h>

#include "io/pg.h"

struct bf_embedded {
	const char *name; /* the file's name without its ending */
	const char *text;
	size_t len;
};

#endif
