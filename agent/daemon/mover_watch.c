/* mover_watch.c - see mover_watch.h. */
#include "daemon/mover_watch.h"

#include <stdlib.h>
#include <string.h>

#include <time.h>

#include "net/mc_conn.h"

#define SAMPLES		     32u
#define ENOUGH		     12u
#define FIRST_COUNT_NS	     10000000u
#define COUNT_NS	     500000000u
#define REDIAL_NS	     1000000000u
#define READY_AT_ANY_RATE_NS 300000000u
/* Fewer reads a second than this are nobody whom a move could hurt. */
#define OTHERS_A_SECOND 200u
/* Slow: a third slower than while the mover rests, and more than clocks and wake-ups vary by. */
#define SLOW_SLACK_NS 15000u
#define SECOND_NS     1000000000ull

/* How long the last answers took. */
struct samples {
	uint64_t took_ns[SAMPLES], count;
};

struct mover_watch {
	char probe, counting; /* their addresses tell the two commands apart */
	struct event_base *base;
	const char *address;
	const struct mc_access *access;
	uint32_t timeout_ms;
	struct mc_conn *conn;
	bool ready, probing, counting_now;
	uint64_t began_ns, dial_ns, probed_ns, asked_ns;
	enum mover_watch_while probed_while;
	struct samples samples[MOVER_WATCH_WHILES];
	uint64_t hits, sets, counted_ns; /* of the count before */
	uint64_t hits_now, sets_now;
	struct mover_own own_asked, own_before;
	unsigned counts;
	uint64_t others; /* reads a second */
};

static uint64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* The slowest quarter begins here: a single late wake-up says nothing of the server, and the middle
 * nothing of those who wait behind somebody. */
static uint64_t upper(const struct samples *samples)
{
	size_t count = samples->count < SAMPLES ? (size_t)samples->count : SAMPLES;
	uint64_t sorted[SAMPLES];

	memcpy(sorted, samples->took_ns, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), compare);
	return sorted[count * 3 / 4];
}

static void probed(struct mover_watch *watch)
{
	struct samples *samples = &watch->samples[watch->probed_while];

	watch->probing = false;
	samples->took_ns[samples->count++ % SAMPLES] = now() - watch->probed_ns;
}

/* Movers, others than this one too, reserve (a hit by memcached's count) and set one for one:
 * readers are what is left. */
static void counted(struct mover_watch *watch)
{
	uint64_t passed = watch->asked_ns - watch->counted_ns;
	uint64_t hits =
	    watch->hits_now - watch->hits - (watch->own_asked.hits - watch->own_before.hits);
	uint64_t sets =
	    watch->sets_now - watch->sets - (watch->own_asked.sets - watch->own_before.sets);
	/* What is under way was counted here and not there, or the other way round. */
	int64_t reads = (int64_t)(hits - sets);
	uint64_t own = watch->own_asked.hits - watch->own_before.hits;

	watch->counting_now = false;
	if (watch->counts++ > 0 && passed > 0) {
		watch->others = reads > 0 ? (uint64_t)reads * SECOND_NS / passed : 0;
		if (watch->others <= OTHERS_A_SECOND + own * SECOND_NS / passed / 20)
			watch->others = 0;
	}
	watch->hits = watch->hits_now;
	watch->sets = watch->sets_now;
	watch->own_before = watch->own_asked;
	watch->counted_ns = watch->asked_ns;
}

static void stat_line(struct mover_watch *watch, const struct mc_reply *reply)
{
	const char *name, *value;
	size_t name_bytes, value_bytes;
	uint64_t number;

	if (mc_stat_parse(reply->text, reply->text_bytes, &name, &name_bytes, &value,
			  &value_bytes) < 0 ||
	    !mc_number_parse(value, value_bytes, &number))
		return;
	if (name_bytes == 8 && memcmp(name, "get_hits", 8) == 0)
		watch->hits_now = number;
	else if (name_bytes == 7 && memcmp(name, "cmd_set", 7) == 0)
		watch->sets_now = number;
}

static void conn_ready(void *context)
{
	struct mover_watch *watch = context;

	watch->ready = true;
}

static void conn_reply(void *context, void *command, const struct mc_reply *reply)
{
	struct mover_watch *watch = context;

	if (reply->code == MC_LOST)
		return;
	if (command == &watch->probe)
		probed(watch);
	else if (reply->code == MC_LINE)
		stat_line(watch, reply);
	else
		counted(watch);
}

/* What it had counted may be another process's; what it has learnt of the time stays. */
static void conn_closed(void *context, const char *why)
{
	struct mover_watch *watch = context;

	(void)why;
	watch->conn = NULL;
	watch->ready = watch->probing = watch->counting_now = false;
	watch->counts = 0;
}

static const struct mc_conn_events events = {
    .ready = conn_ready, .reply = conn_reply, .closed = conn_closed};

static void dial(struct mover_watch *watch, uint64_t now_ns)
{
	struct failure failure;

	if (watch->dial_ns != 0 && now_ns - watch->dial_ns < REDIAL_NS)
		return;
	watch->dial_ns = now_ns;
	if (mc_conn_open(watch->base, watch->address, watch->access, watch->timeout_ms, MC_LINE_MAX,
			 &events, watch, &watch->conn, &failure) < 0)
		watch->conn = NULL;
}

static bool ask(struct mover_watch *watch, const char *text, bool lines, void *command)
{
	size_t length = strlen(text);
	char *room = mc_conn_room(watch->conn, length);

	if (room == NULL)
		return false;
	memcpy(room, text, length);
	if (lines)
		mc_conn_send_lines(watch->conn, length, command);
	else
		mc_conn_send(watch->conn, length, command);
	return true;
}

void mover_watch_tick(struct mover_watch *watch, enum mover_watch_while doing,
		      const struct mover_own *own, uint64_t now_ns)
{
	if (watch->began_ns == 0)
		watch->began_ns = now_ns;
	if (watch->conn == NULL)
		dial(watch, now_ns);
	if (!watch->ready)
		return;
	if (!watch->probing && !watch->counting_now) {
		if (watch->counts == 0 ||
		    now_ns - watch->counted_ns > (watch->counts == 1 ? FIRST_COUNT_NS : COUNT_NS)) {
			watch->asked_ns = now_ns;
			watch->own_asked = *own;
			watch->counting_now = ask(watch, "stats\r\n", true, &watch->counting);
			return;
		}
		if (doing == MOVER_WATCH_NEITHER)
			return;
		watch->probed_ns = now_ns;
		watch->probed_while = doing;
		watch->probing = ask(watch, "mn\r\n", false, &watch->probe);
	}
}

bool mover_watch_ready(const struct mover_watch *watch)
{
	return (watch->samples[MOVER_WATCH_RESTS].count >= ENOUGH && watch->counts > 1) ||
	       (watch->began_ns != 0 && now() - watch->began_ns > READY_AT_ANY_RATE_NS);
}

uint64_t mover_watch_reads(const struct mover_watch *watch)
{
	return watch->others;
}

bool mover_watch_slow(const struct mover_watch *watch)
{
	const struct samples *rests = &watch->samples[MOVER_WATCH_RESTS];
	const struct samples *works = &watch->samples[MOVER_WATCH_WORKS];
	uint64_t rested_ns;

	if (rests->count < ENOUGH || works->count < ENOUGH)
		return false;
	rested_ns = upper(rests);
	return upper(works) > rested_ns + rested_ns / 3 + SLOW_SLACK_NS;
}

struct mover_watch *mover_watch_new(struct event_base *base, const char *address,
				    const struct mc_access *access, uint32_t timeout_ms)
{
	struct mover_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->base = base;
	watch->address = address;
	watch->access = access;
	watch->timeout_ms = timeout_ms;
	return watch;
}

void mover_watch_free(struct mover_watch *watch)
{
	if (watch == NULL)
		return;
	mc_conn_close(watch->conn);
	free(watch);
}
