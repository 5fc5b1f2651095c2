/*
 * The ledger's schema. Migrations are the numbered files of deploy/migrations/, embedded; their first line says the oldest program that
 * can live with the schema they make: `-- oldest program that can live with this schema: 0.1.0`.
 */
#ifndef BF_CORE_MIGRATE_H
#define BF_CORE_MIGRATE_H

#include <stdbool.h>

#include "base/error.h"
#include "io/pg.h"

/* Applies what is missing, each in a transaction of its own, under an advisory lock. applied: how many (0: nothing to do).
 * report (may be NULL) is called for each one applied. -BF_E_CONFLICT: the schema is newer than this program can live with,
 * or the database is encoded in neither UTF8 nor SQL_ASCII. */
int bf_migrate(struct bf_pg *pg, void (*report)(void *data, int number, const char *name), void *data, int *applied, struct bf_error *err);

/*
 * Is the schema one that this program can work with? -BF_E_UNAVAILABLE when: no schema (run `enqueue migrate`); an older schema than
 * this program needs (the same); a newer one that this program is too old for (says which program is needed); a database in another
 * encoding than UTF8.
 */
int bf_migrate_check(struct bf_pg *pg, struct bf_error *err);

#endif
