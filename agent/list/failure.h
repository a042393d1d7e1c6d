/* failure.h - one sentence that says what happened, to which thing, and which rule it broke.
 *
 * Functions that can be refused take a `struct failure *` and fill it before they return a negative
 * errno; it is untouched on success.  NULL is allowed everywhere: then only the number is returned.
 */
#ifndef MCROSTER_FAILURE_H
#define MCROSTER_FAILURE_H

#define FAILURE_BYTES 512

struct failure {
	char text[FAILURE_BYTES]; /* NUL-terminated, no newline at the end */
};

/* Writes the sentence (cut at FAILURE_BYTES) and returns -error.  `error` is a positive errno. */
int failure_set(struct failure *failure, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For "%" PRIu32 " key%s": what makes the noun a plural. */
#define PLURAL(count) ((count) == 1 ? "" : "s")

#endif
