/* report.c - how mcadmin says that something went wrong, and which exit code that is.
 *
 * Every complaint goes through here, so that scripts can rely on the codes and people on the form.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/admin.h"

static int exit_of(int error)
{
	switch (-error) {
	case EBADMSG:
	case EINVAL:
	case EKEYREJECTED:
	case ESTALE:
	case EEXIST:
	case EMSGSIZE:
	case EPERM:
		return ADMIN_REFUSED;
	case ETIMEDOUT:
		return ADMIN_TIMED_OUT;
	case EINTR:
		return ADMIN_INTERRUPTED;
	default:
		return ADMIN_FAILED;
	}
}

int admin_fail(const char *command, int error, const struct failure *failure)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s\n", command, failure->text);
	return exit_of(error);
}

int admin_usage_hint(const char *command)
{
	(void)fprintf(stderr, "Try '%s --help'.\n", command);
	return ADMIN_USAGE;
}

int admin_usage(const char *command, const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s: ", command);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	return admin_usage_hint(command);
}

int admin_help(const char *usage)
{
	(void)fputs(usage, stdout);
	return ADMIN_DONE;
}
