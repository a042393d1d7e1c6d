/* failure.c - see failure.h.  Reentrant; touches nothing but its argument. */
#include "list/failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, int error, const char *format, ...)
{
	if (failure != NULL) {
		va_list arguments;

		va_start(arguments, format);
		(void)vsnprintf(failure->text, sizeof(failure->text), format, arguments);
		va_end(arguments);
	}
	return -error;
}
