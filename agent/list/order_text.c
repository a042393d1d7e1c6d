/* order_text.c - the one canonical text of an order, read and written.
 *
 * Reading refuses what breaks a rule with the line's number; writing goes through reading, so the
 * rules stand in one place.  Reentrant.
 */
#include "list/order.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/identity.h"
#include "list/line_values.h"

/* What lines->made points to. */
struct order_parser {
	struct order *order;
	struct identities targets; /* the array is the order's */
};

static struct order *order_of(const struct lines *lines)
{
	return ((const struct order_parser *)lines->made)->order;
}

static int take_magic(struct lines *lines, const struct word *words)
{
	return line_format(lines, words[1]);
}

static int take_cluster(struct lines *lines, const struct word *words)
{
	return line_name(lines, words[1], "cluster", order_of(lines)->cluster);
}

static int take_kind(struct lines *lines, const struct word *words)
{
	for (int kind = 0; kind < ORDER_KIND_COUNT; kind++) {
		if (text_is(words[1], order_kind_name((enum order_kind)kind))) {
			order_of(lines)->kind = (enum order_kind)kind;
			return 0;
		}
	}
	return lines_refuse(lines, "order `%.*s`: want abort, giveup, excuse or failover",
			    (int)words[1].bytes, words[1].text);
}

static int take_created(struct lines *lines, const struct word *words)
{
	return line_created(lines, words[1], order_of(lines)->created);
}

static int take_active(struct lines *lines, const struct word *words)
{
	return line_hash(lines, words[1], "active", order_of(lines)->binding.active);
}

static int take_pending(struct lines *lines, const struct word *words)
{
	struct order_binding *binding = &order_of(lines)->binding;

	return line_hash_or_none(lines, words[1], "pending", &binding->has_pending,
				 binding->pending);
}

/* The first register there can be has term 1, so the first one to fail over to has 2. */
static int take_term(struct lines *lines, const struct word *words)
{
	struct order *order = order_of(lines);

	return line_number(lines, words[1], "term", order->kind == ORDER_FAILOVER ? 2 : 1,
			   LIST_EPOCH_MAX, &order->binding.term);
}

static int take_serial(struct lines *lines, const struct word *words)
{
	struct order *order = order_of(lines);
	const bool failover = order->kind == ORDER_FAILOVER;

	return line_number(lines, words[1], failover ? "a failover's serial" : "serial",
			   failover ? 0 : 1, failover ? 0 : LIST_EPOCH_MAX, &order->binding.serial);
}

/* Does the kind make sense in this phase, and the phase with the lists? */
static int phase_check(struct lines *lines, const struct order *order, enum phase phase)
{
	const bool settled = phase == PHASE_STEADY;

	if (settled == order->binding.has_pending)
		return lines_refuse(lines,
				    "phase %s with%s a pending list: there is one while a "
				    "change runs, and only then",
				    phase_name(phase), settled ? "" : "out");
	if (order->kind == ORDER_ABORT && phase != PHASE_PREPARE && phase != PHASE_COPY)
		return lines_refuse(lines,
				    "abort in phase %s: it is possible in PREPARE and COPY; "
				    "later, going back is a new change",
				    phase_name(phase));
	if (order->kind == ORDER_GIVEUP && settled)
		return lines_refuse(lines, "giveup in phase STEADY: no change runs; the next list "
					   "names the servers that are gone");
	return 0;
}

static int take_phase(struct lines *lines, const struct word *words)
{
	struct order *order = order_of(lines);
	const int phase = phase_find(words[1].text, words[1].bytes);

	if (order->kind == ORDER_FAILOVER) {
		if (!text_is(words[1], "none"))
			return lines_refuse(lines,
					    "phase `%.*s`: a failover says none, for the "
					    "register that knows is gone",
					    (int)words[1].bytes, words[1].text);
		return 0;
	}
	if (phase < 0)
		return lines_refuse(lines, "phase `%.*s`: want the name of a phase, like COPY",
				    (int)words[1].bytes, words[1].text);
	order->binding.has_phase = true;
	order->binding.phase = (enum phase)phase;
	return phase_check(lines, order, order->binding.phase);
}

static int take_target(struct lines *lines, const struct word *words)
{
	struct order_parser *parser = lines->made;
	struct order *order = parser->order;
	int error;

	if (order->kind == ORDER_ABORT)
		return lines_refuse(lines, "an abort has no target: it is for the whole change");
	if (order->kind == ORDER_FAILOVER && order->target_count == 1)
		return lines_refuse(lines,
				    "a failover has one target: the agent `%s` stands here "
				    "already",
				    order->targets[0].name);
	error = identity_take(lines, words, "target", ORDER_TARGETS_MAX, &parser->targets);
	order->targets = parser->targets.items;
	order->target_count = parser->targets.count;
	return error;
}

static int order_end(struct lines *lines)
{
	const struct order *order = order_of(lines);

	if (order->kind != ORDER_ABORT && order->target_count == 0)
		return lines_refuse(lines,
				    "the order ends here: want `target NAME ADDRESS`, the "
				    "%s that the %s is for",
				    order->kind == ORDER_GIVEUP ? "server" : "agent",
				    order_kind_name(order->kind));
	return 0;
}

static const struct lines_step steps[] = {
    {"mcroster-order", "mcroster-order 1", 2, 2, false, false, take_magic},
    {"cluster", "cluster NAME", 2, 2, false, false, take_cluster},
    {"order", "order abort|giveup|excuse|failover", 2, 2, false, false, take_kind},
    {"created", "created TIME", 2, 2, false, false, take_created},
    {"active", "active HASH", 2, 2, false, false, take_active},
    {"pending", "pending HASH|none", 2, 2, false, false, take_pending},
    {"term", "term N", 2, 2, false, false, take_term},
    {"serial", "serial N", 2, 2, false, false, take_serial},
    {"phase", "phase NAME", 2, 2, false, false, take_phase},
    {"target", "target NAME ADDRESS", 3, 3, true, true, take_target},
};

static const struct lines_form order_form = {
    .name = "order",
    .steps = steps,
    .step_count = sizeof(steps) / sizeof(steps[0]),
    .end = order_end,
};

int order_parse(const void *document, size_t document_bytes, struct order **order,
		struct failure *failure)
{
	struct order_parser parser = {.order = calloc(1, sizeof(*parser.order))};
	size_t body_bytes = 0;
	int error;

	if (parser.order == NULL)
		return failure_set(failure, ENOMEM, "no memory for an order");
	error = lines_parse(&order_form, &parser, document, document_bytes, &body_bytes, failure);
	if (error == 0)
		error = lines_keep(document, document_bytes, &parser.order->document,
				   &parser.order->document_bytes, failure);
	if (error != 0) {
		order_free(parser.order);
		return error;
	}
	document_hash(document, body_bytes, parser.order->hash);
	*order = parser.order;
	return 0;
}

static int order_print(const void *what, FILE *out)
{
	const struct order *order = what;
	const struct order_binding *binding = &order->binding;
	char active[2 * LIST_HASH_BYTES + 1], pending[2 * LIST_HASH_BYTES + 1] = "none";

	(void)sodium_bin2hex(active, sizeof(active), binding->active, LIST_HASH_BYTES);
	if (binding->has_pending)
		(void)sodium_bin2hex(pending, sizeof(pending), binding->pending, LIST_HASH_BYTES);
	fprintf(out, "mcroster-order 1\ncluster %s\norder %s\ncreated %s\n", order->cluster,
		order_kind_name(order->kind), order->created);
	fprintf(out, "active %s\npending %s\n", active, pending);
	fprintf(out, "term %" PRIu64 "\nserial %" PRIu64 "\nphase %s\n", binding->term,
		binding->serial, binding->has_phase ? phase_name(binding->phase) : "none");
	return identity_print("target", order->targets, order->target_count, out);
}

int order_write(const struct order *order, void **body, size_t *body_bytes, struct failure *failure)
{
	struct order *again = NULL;
	struct failure reason;
	char *text = NULL;
	size_t bytes = 0;
	int error = lines_write(order_print, order, &text, &bytes);

	if (error == 0)
		error = order_parse(text, bytes, &again, &reason);
	/* A newline inside a name would make targets that the fields do not have. */
	if (error == 0 && again->target_count != order->target_count)
		error = failure_set(&reason, EINVAL, "a name or address contains lines");
	order_free(again);
	if (error == 0) {
		*body = text;
		*body_bytes = bytes;
		return 0;
	}
	free(text);
	if (error == -ENOMEM)
		return failure_set(failure, ENOMEM, "no memory to write the order");
	return failure_set(failure, EINVAL, "the order breaks a rule: %s", reason.text);
}
