/*
 * The ledger's schema. Tables and columns are the numbered migrations of common/sql/migrations/, embedded; their first
 * line says the oldest program that can live with the schema they make:
 * `-- oldest program that can live with this schema: 0.1.0`. A migration is never edited after its release.
 *
 * Functions and views have one file each in common/sql/functions/ and common/sql/views/, their present definition,
 * `create or replace`. All of them are applied behind the migrations whenever their hash differs from what the ledger
 * has, but never where the ledger is newer than this program. A function whose arguments or result change, a view
 * that loses a column, and what is not needed any more are dropped by a migration.
 */
#ifndef BF_CORE_MIGRATE_H
#define BF_CORE_MIGRATE_H

#include <stdbool.h>

#include "base/error.h"
#include "io/pg.h"

/* Applies what is missing, all in one transaction under an advisory lock; so it may be called from two shells at once.
 * applied: how many migrations, plus one for functions and views (0: nothing to do). report (NULL: nobody) is called for each of them after
 * the commit. -BF_E_CONFLICT: the schema is newer than this program can live with, or the database is encoded in
 * neither UTF8 nor SQL_ASCII. */
int bf_migrate(struct bf_pg *pg, void (*report)(void *data, const char *name), void *data, int *applied, struct bf_error *err);

/*
 * Is the schema one that this program can work with? -BF_E_UNAVAILABLE when: no schema (run `enqueue migrate`); an older schema than
 * this program needs, or other functions and views than its own (the same); a newer one that this program is too old for (says which
 * program is needed); a database in another encoding than UTF8.
 */
int bf_migrate_check(struct bf_pg *pg, struct bf_error *err);

#endif
