/* Functions that bite. Included by every .c file of the project through the compiler's command line. */
#ifndef BF_BASE_BANNED_H
#define BF_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca  /* a macro of <stdlib.h>, and a macro cannot be poisoned silently */
#undef sprintf /* a macro of the fortified <stdio.h> under clang */
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gmtime localtime ctime asctime atoi atol alloca gets

#endif
