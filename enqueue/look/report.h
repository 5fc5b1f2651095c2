/*
 * `bfstat report`: files about a run, out of the ledger alone, the same every time once it has ended. report.c is the command and opens the
 * files; what stands in them is in report_pages.c (Markdown) and report_data.c (JSON).
 */
#ifndef BF_LOOK_REPORT_H
#define BF_LOOK_REPORT_H

#include "core/stat.h"
#include "look/look.h"
#include "look/view.h"

struct bf_report {
	struct bf_look *look;
	struct bf_view view;
	struct bf_pg_result *criteria; /* of report_criteria.sql */
	const char *folder;
	int files; /* written */
};

/* A file of the folder, and folders in between; it appears under its name when it is closed without an error. */
struct bf_report_file {
	FILE *out;
	char *path, *part;
};
int bf_report_open(struct bf_report *r, const char *name, struct bf_report_file *out, struct bf_error *err);
/* rc: of what wrote it; below 0 nothing is kept. */
int bf_report_close(struct bf_report *r, struct bf_report_file *file, int rc, struct bf_error *err);

int bf_report_summary(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_sign_off(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_soak_page(struct bf_report *r, const char *step, FILE *out, struct bf_error *err);

void bf_report_add_criteria(struct bf_json *j, const struct bf_report *r); /* the member "criteria" of an object that is open */
int bf_report_results(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_all_checks(struct bf_report *r, FILE *out, struct bf_error *err);
/* name has a '*' for the number; step "": of all. */
int bf_report_batches(struct bf_report *r, const char *name, const char *step, int size, struct bf_error *err);

#endif
