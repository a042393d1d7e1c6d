/* certificates.c - see certificates.h. */
#include "certificates.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#define NEW_KEY "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

__attribute__((format(printf, 2, 3))) static void run(const char *directory, const char *format,
						      ...)
{
	char command[1024];
	int used =
	    snprintf(command, sizeof(command), "cd '%s' && exec 2>openssl.log && ", directory);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command + used, sizeof(command) - (size_t)used, format, arguments);
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void authority(const char *directory, const char *name)
{
	run(directory,
	    "openssl req -x509 " NEW_KEY " -days 2 -subj /CN=%s -keyout %s.key -out %s.pem", name,
	    name, name);
}

static void certificate(const char *directory, const char *name, const char *of, int days)
{
	run(directory,
	    "openssl req " NEW_KEY " -subj / -keyout %s.key -out %s.csr && "
	    "echo 'subjectAltName=%s' >%s.ext && openssl x509 -req -in %s.csr -CA authority.pem "
	    "-CAkey authority.key -CAcreateserial -days %d -extfile %s.ext -out %s.pem && "
	    "chmod 644 %s.key",
	    name, name, of, name, name, days, name, name, name);
}

void certificates_make(const char *directory)
{
	static const char here[] = "IP:127.0.0.1,IP:::1,DNS:cache01.example.org";

	authority(directory, "authority");
	authority(directory, "stranger");
	certificate(directory, "server", here, 2);
	certificate(directory, "other", "IP:10.9.8.7", 2);
	certificate(directory, "expired", here, -1);
	certificate(directory, "client", "DNS:mcroster", 2);
	run(directory, "chmod 755 .");
}
