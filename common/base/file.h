/*
 * Opening the files that users name: pipelines, SQL, keys, data of checks, certificates.
 *
 * A name may lead to anything. Opening a named pipe without a writer waits for ever, some devices act when they are opened, and
 * reading a terminal waits for a person. So only a regular file is opened, and opening never waits.
 */
#ifndef BF_BASE_FILE_H
#define BF_BASE_FILE_H

#include <sys/stat.h>

#include "base/error.h"

/* "a named pipe", "a directory", …, for messages; "a regular file" for what may be opened. A constant text. */
const char *bf_file_kind(mode_t mode);

/* Opens a regular file to read; the caller closes the descriptor. Returns it, or -BF_E_NOT_FOUND (there is none), -BF_E_INPUT (it
 * is something else, which the error names), -BF_E_IO. */
int bf_file_open(const char *path, struct bf_error *err);

#endif
