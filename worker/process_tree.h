/*
 * Ending processes so that none is left. The caller is a child subreaper: whatever its descendants leave behind, however they
 * forked away, becomes its child, so that "no child" means "no descendant".
 */
#ifndef BF_WORKER_PROCESS_TREE_H
#define BF_WORKER_PROCESS_TREE_H

#include <sys/types.h>

/* Sends SIGKILL to every descendant of `root` that /proc shows. One call may miss what is forked meanwhile: call again until
 * waitpid says that there is no child. */
void bf_process_tree_kill(pid_t root);

#endif
