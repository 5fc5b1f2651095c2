/* This process among others. */
#ifndef BF_BASE_PROCESS_H
#define BF_BASE_PROCESS_H

/* Keeps what this process holds, passwords among it, to itself: no core is dumped, no debugger of the same user may attach, and its files
 * in /proc (environ, mem) are root's, so that a program which it starts for a job cannot read them. Early in main(): a program
 * that is executed begins without it. */
void bf_process_keep_private(void);

/* Opens /dev/null on each of the descriptors 0, 1 and 2 that is closed, so that no socket or file of this process gets one of these
 * numbers, and with it what is printed. Before anything else in main(). Ends the process where not even that is possible. */
void bf_process_open_standard(void);

#endif
