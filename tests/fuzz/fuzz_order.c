/* fuzz_order.c - the parser of orders under arbitrary bytes.
 *
 * An order that is taken has one spelling: writing it must give its body back to the byte; and it
 * is for the state of the register that it names.  Bytes that the one trusted key has not signed
 * must never verify.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "list/order.h"
#include "stranger.h"

static void written_again(const struct order *order, const uint8_t *body, size_t body_bytes)
{
	struct failure failure;
	void *text = NULL;
	size_t bytes = 0;

	if (order_write(order, &text, &bytes, &failure) != 0 || bytes != body_bytes ||
	    memcmp(text, body, bytes) != 0)
		abort();
	free(text);
}

static void bound(const struct order *order)
{
	struct order_binding now = order->binding;
	struct failure failure;

	if (order->kind == ORDER_FAILOVER)
		now.term--;
	if (order_is_for(order, &now, &failure) != 0)
		abort();
	now.term++;
	if (order_is_for(order, &now, &failure) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure failure;
	struct order *order = NULL;
	size_t body_bytes = 0;
	uint32_t signatures = 0;

	if (order_open(data, size, stranger_trust(), "web", &order, &failure) == 0)
		abort();
	if (order_parse(data, size, &order, &failure) != 0)
		return 0;
	if (document_split(data, size, &body_bytes, &signatures, &failure) != 0)
		abort();
	written_again(order, data, body_bytes);
	bound(order);
	order_free(order);
	return 0;
}
