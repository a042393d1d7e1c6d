/* read.c - get and get_many: a batch of reads, of which one alone is the smallest.
 *
 * The plans of a batch are made together; then each step goes to all its servers together, and who
 * has his answer has no further one.  A read that overran its plan is thrown away and made again;
 * one that missed while the generation moved on is made again once.
 */
#include "pool.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the reads of one plan ---- */

static struct wire *reading_wire(const struct reading *reading)
{
	return reading->run->wire[reading->step];
}

/* True: it has a next step, which has `timeout_ms` at most; else it is through. */
static bool reading_asks(struct session *session, struct reading *reading, int *timeout_ms)
{
	const struct run *run = reading->run;
	int step_ms;

	if (reading->step == run->plan.step_count ||
	    run->plan.step[reading->step].send != MCR_SEND_READ) {
		reading->found = reading->failed ? FOUND_UNKNOWN : FOUND_NOTHING;
		reading->through = true;
		return false;
	}
	if (mcr_check(session->reader, &run->plan) != MCR_OK) {
		reading->found = FOUND_LATE;
		reading->through = true;
		return false;
	}
	step_ms = mcr_run_step_timeout_ms(session, run, reading->step);
	if (step_ms < *timeout_ms)
		*timeout_ms = step_ms;
	return true;
}

static void reading_answered(struct session *session, struct reading *reading)
{
	const struct mcr_step *step = &reading->run->plan.step[reading->step];
	const enum wire_answer answer = reading->query.answer;

	if (answer == WIRE_FAILED) {
		mcr_session_reason(session, "get", reading_wire(reading));
		reading->failed = true;
	}
	if (answer == WIRE_DONE && (reading->query.value->length || !step->empty_is_miss)) {
		reading->found = FOUND;
		reading->through = true;
	} else {
		reading->step++;
	}
}

/* Nothing to sort, and nobody to wait for. */
void mcr_reading_run(struct session *session, struct reading *reading)
{
	while (!reading->through) {
		int timeout_ms = (int)session->op_timeout_ms;

		if (!reading_asks(session, reading, &timeout_ms))
			return;
		mcr_wire_get(reading_wire(reading), &reading->query, timeout_ms);
		reading_answered(session, reading);
	}
}

/* ---- reads and their plans ---- */

/* One of many reads, until its answer is final. */
struct look {
	struct mcr_pool_read *read;
	struct run run;
	struct reading reading;
	bool missed_before;
	bool final; /* its plan has been ended, and what it says is the answer */
};

static void look_new(struct look *look, struct mcr_pool_read *read)
{
	look->read = read;
	look->missed_before = false;
	read->status = MCR_POOL_FAILED;
	read->value = (struct mcr_pool_value){.bytes = NULL};
	read->plans = 0;
}

/* True: it is planned; else it is refused. */
static bool look_begin(struct session *session, struct look *look, uint64_t now_ns)
{
	struct mcr_pool_read *read = look->read;
	const int rc =
	    mcr_run_begin(session, &look->run, now_ns, MCR_OP_GET, read->key, read->key_bytes);

	read->plans++;
	if (rc != MCR_OK) {
		read->status = mcr_session_refuse(session, rc);
		return false;
	}
	look->reading = (struct reading){.run = &look->run,
					 .query = {.key = read->key,
						   .key_bytes = read->key_bytes,
						   .wants_token = read->wants_token,
						   .value = &read->value}};
	return true;
}

/* The plan of a look has been carried out.  True: the answer is final. */
static bool look_ends(struct session *session, struct look *look)
{
	struct mcr_pool_read *read = look->read;
	const enum found found = look->reading.found;
	const int end = mcr_end(session->reader, &look->run.plan);

	read->phase = (enum mcr_phase)look->run.plan.phase;
	read->steps = look->run.plan.step_count;
	read->generation = look->run.plan.generation;
	if (end == MCR_REPEAT || found == FOUND_LATE) {
		if (found == FOUND)
			free(read->value.bytes);
		read->value.bytes = NULL;
		return false;
	}
	if (found == FOUND_NOTHING && end == MCR_NEWER && !look->missed_before) {
		look->missed_before = true;
		return false;
	}
	read->status = found == FOUND		? MCR_POOL_OK
		       : found == FOUND_UNKNOWN ? MCR_POOL_FAILED
						: MCR_POOL_NOT_FOUND;
	return true;
}

static void overtaken(struct session *session)
{
	(void)snprintf(session->report.reason, sizeof(session->report.reason),
		       "read %d times, each time overtaken by a new generation", PLANS_MAX);
}

/* ---- one step of many plans ---- */

/* What goes to one server in one request. */
struct request {
	struct wire *wire;
	enum wire_protocol protocol;
	unsigned first, count; /* of `sorted` */
	bool connected;
};

struct exchange {
	struct look *asked[READS_MAX], *sorted[READS_MAX];
	struct wire_query *queries[READS_MAX]; /* of `sorted` */
	struct request requests[READS_MAX], *in_order[READS_MAX];
	unsigned asked_count, request_count;
	int timeout_ms;
};

static struct request *request_for(struct exchange *exchange, const struct reading *reading)
{
	struct wire *wire = reading_wire(reading);
	const enum wire_protocol protocol =
	    mcr_wire_protocol_for(reading->query.key, reading->query.key_bytes);
	struct request *request = exchange->requests;

	for (unsigned i = 0; i < exchange->request_count; i++, request++)
		if (request->wire == wire && request->protocol == protocol)
			return request;
	*request = (struct request){
	    .wire = wire, .protocol = protocol, .connected = mcr_wire_connected(wire, protocol)};
	exchange->request_count++;
	return request;
}

/* A session asks its servers in one order each time, so that the kernel finds everything where it
 * was; sessions in different orders, so that they do not meet at one server. */
static uint64_t place_of(const struct session *session, const struct request *request)
{
	return (mcr_wire_server_id(request->wire) ^ (uint64_t)(uintptr_t)session) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

static void exchange_order(const struct session *session, struct exchange *exchange)
{
	for (unsigned i = 0; i < exchange->request_count; i++) {
		struct request *request = &exchange->requests[i];
		const uint64_t own = place_of(session, request);
		unsigned place = i;

		for (; place > 0 && place_of(session, exchange->in_order[place - 1]) > own; place--)
			exchange->in_order[place] = exchange->in_order[place - 1];
		exchange->in_order[place] = request;
	}
}

/* Sorts what is asked by request: those of one stand together, in their order. */
static void exchange_sort(const struct session *session, struct exchange *exchange)
{
	struct request *of[READS_MAX];
	unsigned first = 0;

	exchange->request_count = 0;
	for (unsigned i = 0; i < exchange->asked_count; i++) {
		of[i] = request_for(exchange, &exchange->asked[i]->reading);
		of[i]->count++;
	}
	for (unsigned i = 0; i < exchange->request_count; i++) {
		exchange->requests[i].first = first;
		first += exchange->requests[i].count;
		exchange->requests[i].count = 0;
	}
	for (unsigned i = 0; i < exchange->asked_count; i++) {
		const unsigned place = of[i]->first + of[i]->count++;

		exchange->sorted[place] = exchange->asked[i];
		exchange->queries[place] = &exchange->asked[i]->reading.query;
	}
	exchange_order(session, exchange);
}

/* Takes the answers and ends what they end, while other servers are still at work. */
static void request_fetch(struct session *session, const struct exchange *exchange,
			  const struct request *request, int timeout_ms)
{
	mcr_wire_fetch(request->wire, request->protocol, &exchange->queries[request->first],
		       request->count, timeout_ms);
	for (unsigned i = 0; i < request->count; i++) {
		struct look *look = exchange->sorted[request->first + i];

		reading_answered(session, &look->reading);
		if (look->reading.through)
			look->final = look_ends(session, look);
	}
}

static int left_ms(uint64_t until_ns)
{
	const uint64_t now_ns = mcr_pool_now_ns();

	return now_ns + 1000000u < until_ns ? (int)((until_ns - now_ns) / 1000000u) : 1;
}

/* Waits until some of the answers in `in_order` come.  False: that cannot be seen, or none did. */
static bool some_come(const struct exchange *exchange, unsigned left, struct pollfd *sockets,
		      int timeout_ms)
{
	for (unsigned i = 0; i < left; i++) {
		const struct request *request = exchange->in_order[i];

		sockets[i] = (struct pollfd){
		    .fd = mcr_wire_socket(request->wire, request->protocol), .events = POLLIN};
		if (sockets[i].fd < 0)
			return false;
	}
	return poll(sockets, left, timeout_ms) > 0;
}

/* Answers are taken as they come, those that come together in their order. */
static void exchange_fetch(struct session *session, struct exchange *exchange, uint64_t until_ns)
{
	struct pollfd sockets[READS_MAX];
	unsigned left = exchange->request_count;

	while (left > 1 && some_come(exchange, left, sockets, left_ms(until_ns))) {
		unsigned kept = 0;

		for (unsigned i = 0; i < left; i++)
			if (sockets[i].revents)
				request_fetch(session, exchange, exchange->in_order[i],
					      left_ms(until_ns));
			else
				exchange->in_order[kept++] = exchange->in_order[i];
		left = kept;
	}
	for (unsigned i = 0; i < left; i++)
		request_fetch(session, exchange, exchange->in_order[i], left_ms(until_ns));
}

/* All requests go out before the first answer is waited for: those on connections that are there
 * first, so that a server that lets itself be waited for holds up nobody's question; for those
 * that are still to be made the time is divided. */
static void exchange_run(struct session *session, struct exchange *exchange)
{
	const uint64_t until_ns =
	    mcr_pool_now_ns() + (uint64_t)exchange->timeout_ms * UINT64_C(1000000);
	unsigned unconnected = 0;

	for (unsigned i = 0; i < exchange->request_count; i++) {
		const struct request *request = exchange->in_order[i];

		if (request->connected)
			mcr_wire_ask(request->wire, request->protocol,
				     &exchange->queries[request->first], request->count,
				     exchange->timeout_ms);
		else
			unconnected++;
	}
	for (unsigned i = 0; i < exchange->request_count; i++) {
		const struct request *request = exchange->in_order[i];

		if (request->connected)
			continue;
		const int share_ms = left_ms(until_ns) / (int)unconnected--;
		mcr_wire_ask(request->wire, request->protocol, &exchange->queries[request->first],
			     request->count, share_ms > 0 ? share_ms : 1);
	}
	exchange_fetch(session, exchange, until_ns);
}

/* READS_MAX at most, the steps of each in their order. */
static void looks_ask(struct session *session, struct look *const *looks, unsigned count)
{
	struct exchange exchange;

	for (;;) {
		exchange.timeout_ms = (int)session->op_timeout_ms;
		exchange.asked_count = 0;
		for (unsigned i = 0; i < count; i++) {
			struct look *look = looks[i];

			if (look->reading.through)
				continue;
			if (reading_asks(session, &look->reading, &exchange.timeout_ms))
				exchange.asked[exchange.asked_count++] = look;
			else
				look->final = look_ends(session, look);
		}
		if (!exchange.asked_count)
			return;
		exchange_sort(session, &exchange);
		exchange_run(session, &exchange);
	}
}

/* READS_MAX at most. */
static void looks_run(struct session *session, struct mcr_pool_read *reads, unsigned count)
{
	struct look looks[READS_MAX], *open[READS_MAX];
	unsigned open_count = count;

	for (unsigned i = 0; i < count; i++) {
		look_new(&looks[i], &reads[i]);
		open[i] = &looks[i];
	}
	for (int turn = 0; open_count && turn < PLANS_MAX; turn++) {
		const uint64_t now_ns = mcr_pool_now_ns();
		unsigned planned = 0, left = 0;

		for (unsigned i = 0; i < open_count; i++)
			if (look_begin(session, open[i], now_ns))
				open[planned++] = open[i];
		looks_ask(session, open, planned);
		for (unsigned i = 0; i < planned; i++)
			if (!open[i]->final)
				open[left++] = open[i];
		open_count = left;
	}
	if (open_count)
		overtaken(session);
}

void mcr_pool_get_many(struct mcr_pool *pool, struct mcr_pool_read *reads, size_t count,
		       struct mcr_pool_report *report)
{
	struct session *session = mcr_session_take(pool);

	if (!session) {
		(void)mcr_session_none(report);
		for (size_t i = 0; i < count; i++) {
			reads[i].status = MCR_POOL_REFUSED;
			reads[i].value.bytes = NULL;
		}
		return;
	}
	for (size_t i = 0; i < count; i += READS_MAX)
		looks_run(session, &reads[i],
			  (unsigned)(count - i < READS_MAX ? count - i : READS_MAX));
	for (size_t i = 0; i < count; i++)
		if (reads[i].status == MCR_POOL_FAILED || reads[i].status == MCR_POOL_REFUSED)
			session->report.status = reads[i].status;
	(void)mcr_session_leave(session, report);
}

/* The same for one key, without what sorting many takes. */
static void look_run(struct session *session, struct look *look)
{
	for (int turn = 0; turn < PLANS_MAX; turn++) {
		if (!look_begin(session, look, mcr_pool_now_ns()))
			return;
		mcr_reading_run(session, &look->reading);
		if (look_ends(session, look))
			return;
	}
	overtaken(session);
}

static enum mcr_pool_status get_one(struct mcr_pool *pool, struct mcr_pool_read *read,
				    struct mcr_pool_value *value, struct mcr_pool_report *report)
{
	struct session *session = mcr_session_take(pool);
	struct look look;

	if (!session)
		return mcr_session_none(report);
	look_new(&look, read);
	look_run(session, &look);
	if (read->status == MCR_POOL_OK)
		*value = read->value;
	session->report.status = read->status;
	session->report.phase = read->phase;
	session->report.steps = read->steps;
	session->report.generation = read->generation;
	return mcr_session_leave(session, report);
}

enum mcr_pool_status mcr_pool_get(struct mcr_pool *pool, const void *key, size_t key_bytes,
				  struct mcr_pool_value *value, struct mcr_pool_report *report)
{
	struct mcr_pool_read read = {.key = key, .key_bytes = key_bytes};

	return get_one(pool, &read, value, report);
}

enum mcr_pool_status mcr_pool_gets(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   struct mcr_pool_value *value, struct mcr_pool_report *report)
{
	struct mcr_pool_read read = {.key = key, .key_bytes = key_bytes, .wants_token = 1};

	return get_one(pool, &read, value, report);
}
