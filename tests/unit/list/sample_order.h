/* sample_order.h - orders that obey every rule, one of each kind. */
#ifndef MCROSTER_TESTS_SAMPLE_ORDER_H
#define MCROSTER_TESTS_SAMPLE_ORDER_H

#include "list/order.h"
#include "sample.h"

#define SAMPLE_ACTIVE  "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
#define SAMPLE_PENDING "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c"

#define SAMPLE_ORDER(kind, pending, term, serial, phase)                                           \
	"mcroster-order 1\ncluster web\norder " kind "\ncreated 2026-11-22T10:00:00Z\n"            \
	"active " SAMPLE_ACTIVE "\npending " pending "\nterm " term "\nserial " serial             \
	"\nphase " phase "\n"

#define SAMPLE_ABORT SAMPLE_ORDER("abort", SAMPLE_PENDING, "3", "17", "COPY")
#define SAMPLE_GIVEUP                                                                              \
	SAMPLE_ORDER("giveup", SAMPLE_PENDING, "3", "17", "DRAIN")                                 \
	"target cache00 10.0.1.1:11211\ntarget cache02 10.0.1.3:11211\n"
#define SAMPLE_EXCUSE                                                                              \
	SAMPLE_ORDER("excuse", SAMPLE_PENDING, "3", "17", "PREPARE")                               \
	"target web01 [fd00::2]:11280\n"
#define SAMPLE_FAILOVER                                                                            \
	SAMPLE_ORDER("failover", "none", "4", "0", "none") "target web01 [fd00::2]:11280\n"

static const char *const sample_orders[ORDER_KIND_COUNT] = {SAMPLE_ABORT, SAMPLE_GIVEUP,
							    SAMPLE_EXCUSE, SAMPLE_FAILOVER};

static inline struct order *sample_order(const char *text)
{
	struct failure failure = {{0}};
	struct order *order = NULL;

	ck_assert_msg(order_parse(text, strlen(text), &order, &failure) == 0, "%s", failure.text);
	return order;
}

#endif
