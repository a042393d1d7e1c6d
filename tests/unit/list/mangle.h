/* mangle.h - a good body with its lines left out, repeated and exchanged: none of it may be taken.
 *
 * For bodies in which each line is needed and no two may change places.
 */
#ifndef MCROSTER_TESTS_MANGLE_H
#define MCROSTER_TESTS_MANGLE_H

#include "sample.h"

#define MANGLE_LINES_MAX 64u

struct mangle {
	const char *line[MANGLE_LINES_MAX]; /* each ends in its newline */
	unsigned count;
	int (*parse)(const char *text, struct failure *failure);
};

/* The lines named by `order`, put together, must be refused with a line's number. */
static inline void mangle_refused(const struct mangle *mangle, const unsigned *order,
				  unsigned count)
{
	struct failure failure = {{0}};
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%.*s", (int)strcspn(mangle->line[order[i]], "\n") + 1,
			mangle->line[order[i]]);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_msg(mangle->parse(text, &failure) < 0, "this is taken:\n%s", text);
	ck_assert_msg(strncmp(failure.text, "line ", 5) == 0 || count == 0, "`%s`", failure.text);
	free(text);
}

static inline void mangle_missing(const struct mangle *mangle)
{
	for (unsigned missing = 0; missing < mangle->count; missing++) {
		unsigned order[MANGLE_LINES_MAX], count = 0;

		for (unsigned i = 0; i < mangle->count; i++)
			if (i != missing)
				order[count++] = i;
		mangle_refused(mangle, order, count);
	}
}

static inline void mangle_twice(const struct mangle *mangle)
{
	for (unsigned twice = 0; twice < mangle->count; twice++) {
		for (unsigned at = 0; at <= mangle->count; at++) {
			unsigned order[MANGLE_LINES_MAX + 1], count = 0;

			for (unsigned i = 0; i <= mangle->count; i++) {
				if (i == at)
					order[count++] = twice;
				if (i < mangle->count)
					order[count++] = i;
			}
			mangle_refused(mangle, order, count);
		}
	}
}

static inline void mangle_exchanged(const struct mangle *mangle)
{
	for (unsigned a = 0; a < mangle->count; a++) {
		for (unsigned b = a + 1; b < mangle->count; b++) {
			unsigned order[MANGLE_LINES_MAX];

			for (unsigned i = 0; i < mangle->count; i++)
				order[i] = i == a ? b : i == b ? a : i;
			mangle_refused(mangle, order, mangle->count);
		}
	}
}

/* Also every beginning of the body, at a newline or not. */
static inline void mangle_body(const char *body,
			       int (*parse)(const char *text, struct failure *failure))
{
	struct mangle mangle = {.parse = parse};
	struct failure failure = {{0}};
	char *beginning = strdup(body);

	for (const char *at = body; *at != '\0'; at = strchr(at, '\n') + 1) {
		ck_assert_uint_lt(mangle.count, MANGLE_LINES_MAX);
		mangle.line[mangle.count++] = at;
	}
	ck_assert_msg(parse(body, &failure) == 0, "%s", failure.text);
	mangle_missing(&mangle);
	mangle_twice(&mangle);
	mangle_exchanged(&mangle);
	for (size_t bytes = strlen(body); bytes-- > 0;) {
		beginning[bytes] = '\0';
		ck_assert_msg(parse(beginning, &failure) < 0, "%zu bytes are taken", bytes);
	}
	free(beginning);
}

#endif
