/*
 * `bfstat report`: files about a run, out of the ledger alone, the same every time once it has ended. report.c is the command,
 * report_files.c has the folder; what stands in the files is in report_pages.c and report_watch.c
 * (Markdown), report_data.c (JSON) and report_rollback.c (SQL).
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
	struct bf_pg_result *named;    /* of report_artifacts.sql */
	const char *folder;
	int root;                        /* the folder, open; -1: not yet */
	int files;                       /* written */
	struct bf_report_entry *written; /* what the folder's list has, and what this report has written */
	size_t n_written;
};

struct bf_report_entry {
	uint64_t digest;
	char *pipeline, *name;
	bool fresh; /* written by this report */
};

/* A file as the pipeline names it; texts borrowed from the ledger's answer. */
struct bf_report_ask {
	const char *file, *what;
	const char *step;  /* the first of those that it is about; "": none is named */
	const char *steps; /* all of them, {a,b}; {}: of all steps */
	const char *array;
	int size;
};
bool bf_report_about(const struct bf_report_ask *a, const char *step); /* whether it is about that step, too */

/* Makes and opens the folder. bf_report_end removes what an earlier report has written and this one has not, when rc, of what wrote it, is
 * 0. */
int bf_report_begin(struct bf_report *r, struct bf_error *err);
int bf_report_end(struct bf_report *r, int rc, struct bf_error *err);

/* A file of the folder, and folders in between; it appears under its name when it is closed without an error. */
struct bf_report_file {
	FILE *out;
	int dir;           /* that it is in */
	char *name, *part; /* as the pipeline names it; the name that it has until it is closed */
};
int bf_report_open(struct bf_report *r, const char *name, struct bf_report_file *out, struct bf_error *err);
/* rc: of what wrote it; below 0 nothing is kept. */
int bf_report_close(struct bf_report *r, struct bf_report_file *file, int rc, struct bf_error *err);

/* What people did with the run; approvals: only what they decided about it. */
int bf_report_decisions(struct bf_report *r, const char *title, bool approvals, FILE *out, struct bf_error *err);
int bf_report_summary(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_sign_off(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_soak_page(struct bf_report *r, const char *step, FILE *out, struct bf_error *err);

void bf_report_add_criteria(struct bf_json *j, const struct bf_report *r); /* the member "criteria" of an object that is open */
int bf_report_results(struct bf_report *r, FILE *out, struct bf_error *err);
int bf_report_all_checks(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err);
int bf_report_check_page(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err); /* each one's last word */
int bf_report_rollback(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err);
/* Several files: the name has a '*' for the number. */
int bf_report_batches(struct bf_report *r, const struct bf_report_ask *a, struct bf_error *err);
/* A file only where the check has found something. */
int bf_report_violations(struct bf_report *r, const struct bf_report_ask *a, struct bf_error *err);

#endif
