/* This process among others. */
#ifndef BF_BASE_PROCESS_H
#define BF_BASE_PROCESS_H

/* Keeps what this process holds, passwords among it, to itself: no core is dumped, no debugger of the same user may attach, and its files
 * in /proc (environ, mem) are root's, so that a program which it starts for a job cannot read them. The first call in main(): a program
 * that is executed begins without it. */
void bf_process_keep_private(void);

#endif
