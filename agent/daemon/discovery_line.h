/* discovery_line.h - memcached's text protocol as far as the discovery endpoint is spoken to in it:
 * bytes in, requests out.  Pure.
 *
 * Stock clients take the endpoint for one of their memcacheds until they have the list, and then
 * store there too: the data that comes with a command is recognised, so that no value is ever taken
 * for a command, and passed over.
 */
#ifndef MCROSTER_DISCOVERY_LINE_H
#define MCROSTER_DISCOVERY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISCOVERY_LINE_MAX 2048u /* memcached's own limit */
#define DISCOVERY_KEY	   "AmazonElastiCache:cluster"

enum discovery_request {
	DISCOVERY_NONE,	  /* nothing to answer: data, or the rest of a line that was too long */
	DISCOVERY_CONFIG, /* config get cluster */
	DISCOVERY_CONFIG_ABSENT, /* config get of something else */
	DISCOVERY_GET,		 /* get, of DISCOVERY_KEY among others */
	DISCOVERY_GET_ABSENT,	 /* get, of other keys */
	DISCOVERY_VERSION,
	DISCOVERY_STATS,
	DISCOVERY_STATS_ABSENT, /* stats of something */
	DISCOVERY_QUIT,
	DISCOVERY_STORE,    /* a storage command: its data is passed over */
	DISCOVERY_BAD,	    /* a storage command without a length that could be passed over */
	DISCOVERY_TOO_LONG, /* no line end within DISCOVERY_LINE_MAX bytes */
	DISCOVERY_UNKNOWN,
};

/* Of one connection; zero at first. */
struct discovery_reader {
	uint64_t data; /* bytes still to be passed over */
	bool in_line;  /* within a line that was too long */
};

/* The next request of `bytes`, as far as they go: returns how many of them are used up.  0: there
 * is no whole request yet; with more than DISCOVERY_LINE_MAX bytes in hand something is always
 * used. */
size_t discovery_read(struct discovery_reader *reader, const char *bytes, size_t length,
		      enum discovery_request *request);

#endif
