/* What the manuals of both programs of the operator say alike. */
#ifndef BF_SHARED_MANUAL_H
#define BF_SHARED_MANUAL_H

#include "base/manual.h"

#define BF_ITEM_DATABASE_URL                                                                  \
	{                                                                                         \
		"BF_DATABASE_URL", "PostgreSQL with the ledger (else DATABASE_URL, else libpq's own " \
						   "variables)"                                                       \
	}
#define BF_ITEM_REDIS_URL                                                         \
	{                                                                             \
		"BF_REDIS_URL", "Redis with the queue (default redis://127.0.0.1:6379/0)" \
	}
#define BF_ITEM_PIPELINES                                                               \
	{                                                                                   \
		"BF_PIPELINES", "the folder in which pipelines are looked up by name (default " \
						"deploy/pipelines)"                                             \
	}

extern const struct bf_item bf_exit_codes[];

#endif
