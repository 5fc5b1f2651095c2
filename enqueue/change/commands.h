/*
 * The commands of `enqueue`, one file each, and what they share. Each takes the arguments after its name and returns the exit code.
 */
#ifndef BF_CHANGE_COMMANDS_H
#define BF_CHANGE_COMMANDS_H

#include "core/pipeline.h"
#include "shared/program.h"

#define BF_PROGRAM "enqueue"

extern const struct bf_command bf_command_run, bf_command_stop, bf_command_resume, bf_command_cancel, bf_command_retry, bf_command_stop_all,
	bf_command_resume_all, bf_command_approve, bf_command_reject, bf_command_rollback, bf_command_close, bf_command_validate,
	bf_command_migrate;

int bf_run_main(const struct bf_command *command, int argc, char **argv);
int bf_decide_main(const struct bf_command *command, int argc, char **argv);  /* stop, resume, cancel, retry */
int bf_approve_main(const struct bf_command *command, int argc, char **argv); /* approve, reject */
int bf_rollback_main(const struct bf_command *command, int argc, char **argv);
int bf_close_main(const struct bf_command *command, int argc, char **argv);
int bf_decide_all_main(const struct bf_command *command, int argc, char **argv); /* stop-all, resume-all */
int bf_validate_main(const struct bf_command *command, int argc, char **argv);
int bf_migrate_main(const struct bf_command *command, int argc, char **argv);

/* user@host, for the ledger's events. */
#define BF_WHO_MAX 160
char *bf_who(char out[static BF_WHO_MAX]);

/* The files that were checked when the pipeline was loaded: SQL, programs, keys; each once. Ends with NULL; the caller frees the array. */
const char **bf_files_checked(const struct bf_pipeline *p);

#endif
