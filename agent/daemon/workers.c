/* workers.c - see workers.h.  The sum over the servers is what the host reports. */
#include "daemon/workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fields.h"
#include "daemon/agent.h"
#include "daemon/log.h"
#include "daemon/mover.h"

#define WORKERS_RETRY_MS 1000u
#define MARK_BYTES	 (LIST_HASH_BYTES + LIST_ADDRESS_MAX + 1 + 2 + 3 * 8)

struct worker {
	struct workers *workers;
	uint32_t server;
	struct mover *mover; /* NULL: it could not be started yet, or it is finished and freed */
	bool finished, stopped;
	struct work result;
	struct mover_failures failures;
	struct mover_counts counted; /* the most that was seen of each */
};

struct workers {
	struct agent *agent;
	struct reg reg;
	bool running, stopping, restarted;
	uint64_t retry_ms;
	uint32_t count;
	struct worker *worker;
	struct mover_pace pace;
	struct mover_counts counts[PHASE_COUNT];
};

/* ---- marks: how far a source's values are known to be at their new owners, and up to where a new
 * owner's items are copies ---- */

/* A server may gain and lose keys in one change. */
static void mark_file_name(const char *server, uint8_t phase, char name[128])
{
	const bool gained = phase == PHASE_SWITCH || phase == PHASE_SETTLE;

	(void)snprintf(name, 128, "%s.%s", gained ? "copies" : "mark", server);
}

static int mark_save(void *context, const struct mover_mark *mark)
{
	const struct worker *worker = context;
	struct agent *agent = worker->workers->agent;
	const struct change_server *server = &agent->host_change->servers[worker->server];
	uint8_t bytes[MARK_BYTES], *at = bytes;
	struct failure failure;
	char name[128];
	int error;

	field_put_bytes(&at, worker->workers->reg.pending, LIST_HASH_BYTES);
	field_put_name(&at, server->address, LIST_ADDRESS_MAX + 1);
	field_put_u8(&at, mark->known);
	field_put_u8(&at, mark->full_pass_done);
	field_put_u64(&at, mark->cas);
	field_put_u64(&at, mark->pid);
	field_put_u64(&at, mark->start_time);
	mark_file_name(server->name, worker->workers->reg.phase, name);
	error = state_store(agent->state, name, bytes, sizeof(bytes), &failure);
	if (error != 0)
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
	return error;
}

/* A mark of another change, another server or in pieces is no mark: every key counts as changed. */
static struct mover_mark mark_load(struct agent *agent, const struct change_server *server,
				   const struct reg *reg)
{
	struct mover_mark mark = {0};
	struct field_reader reader;
	uint8_t of[LIST_HASH_BYTES];
	char address[LIST_ADDRESS_MAX + 1], name[128];
	struct failure failure;
	void *bytes;
	size_t length;
	int error;

	mark_file_name(server->name, reg->phase, name);
	error = state_load(agent->state, name, MARK_BYTES, &bytes, &length, &failure);
	if (error != 0) {
		if (error != -ENOENT)
			log_line(LOG_LEVEL_WARNING, "%s", failure.text);
		return mark;
	}
	reader = (struct field_reader){bytes, (uint8_t *)bytes + length, false};
	field_get_bytes(&reader, of, sizeof(of));
	field_get_name(&reader, address, sizeof(address));
	mark.known = field_get_bool(&reader);
	mark.full_pass_done = field_get_bool(&reader);
	mark.cas = field_get_u64(&reader);
	mark.pid = field_get_u64(&reader);
	mark.start_time = field_get_u64(&reader);
	if (reader.bad || memcmp(of, reg->pending, sizeof(of)) != 0 ||
	    strcmp(address, server->address) != 0)
		memset(&mark, 0, sizeof(mark));
	free(bytes);
	return mark;
}

/* ---- counts since the agent started ---- */

static void count_on(uint64_t *all, uint64_t *counted, uint64_t now)
{
	if (now <= *counted)
		return;
	*all += now - *counted;
	*counted = now;
}

static void worker_count(struct worker *worker)
{
	struct mover_counts *all = &worker->workers->counts[worker->workers->reg.phase];
	struct mover_counts *counted = &worker->counted;
	const struct mover_failures *failed = &worker->failures;
	const struct work *work = &worker->result;

	count_on(&all->found, &counted->found, work->found);
	count_on(&all->moved, &counted->moved, work->moved);
	count_on(&all->present, &counted->present, work->present);
	count_on(&all->expired, &counted->expired, work->expired);
	count_on(&all->gone, &counted->gone, work->gone);
	count_on(&all->cold, &counted->cold, work->cold);
	count_on(&all->failed.refused, &counted->failed.refused, failed->refused);
	count_on(&all->failed.both_sides, &counted->failed.both_sides, failed->both_sides);
	count_on(&all->failed.too_often, &counted->failed.too_often, failed->too_often);
	count_on(&all->failed.late, &counted->failed.late, failed->late);
	count_on(&all->failed.given_up, &counted->failed.given_up, failed->given_up);
}

const struct mover_counts *workers_counts(const struct workers *workers, unsigned phase)
{
	return &workers->counts[phase];
}

/* ---- the movers' events ---- */

static bool worker_may_work(void *context, uint64_t *until_ns)
{
	const struct worker *worker = context;
	uint64_t until_ms;
	bool may = host_may_work(&worker->workers->agent->host, clock_now_ms(), &until_ms);

	*until_ns = until_ms * 1000000u;
	return may && !worker->workers->stopping;
}

static void workers_settle(struct workers *workers)
{
	struct agent *agent = workers->agent;

	for (uint32_t i = 0; i < workers->count; i++)
		if (!workers->worker[i].finished && !workers->worker[i].stopped)
			return;
	for (uint32_t i = 0; i < workers->count; i++)
		mover_free(workers->worker[i].mover);
	memset(workers->worker, 0, workers->count * sizeof(*workers->worker));
	workers->count = 0;
	workers->running = false;
	if (workers->stopping) {
		workers->stopping = false;
		host_stopped(&agent->host, clock_now_ms());
	}
}

/* Freed from the tick, never from within one of its own events. */
static void worker_finished(void *context, const struct work *work)
{
	struct worker *worker = context;
	const struct agent *agent = worker->workers->agent;
	const char *server = agent->host_change->servers[worker->server].name;
	const bool refused = work->state == WORK_REFUSED;

	worker->finished = true;
	worker->result = *work;
	mover_progress_failures(worker->mover, &worker->failures);
	worker_count(worker);
	log_event(refused ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		  &(const struct log_fields){.event = refused ? "work-refused" : "work-done",
					     .phase = phase_name((enum phase)work->phase),
					     .server = server,
					     .epoch = worker->workers->reg.epoch},
		  "%s: %s %s: %llu found, %llu moved or dropped, %llu there already, %llu expired, "
		  "%llu gone, %llu failed, %llu cold%s%s",
		  server, phase_name((enum phase)work->phase), refused ? "refused" : "done",
		  (unsigned long long)work->found, (unsigned long long)work->moved,
		  (unsigned long long)work->present, (unsigned long long)work->expired,
		  (unsigned long long)work->gone, (unsigned long long)work->failed,
		  (unsigned long long)work->cold, work->reason[0] != '\0' ? ": " : "",
		  work->reason);
}

static void worker_stopped(void *context)
{
	struct worker *worker = context;

	worker->stopped = true;
}

static const struct mover_events worker_events = {
    .mark_save = mark_save,
    .may_work = worker_may_work,
    .finished = worker_finished,
    .stopped = worker_stopped,
};

static int worker_start(struct worker *worker)
{
	struct workers *workers = worker->workers;
	struct agent *agent = workers->agent;
	const struct change_server *server = &agent->host_change->servers[worker->server];
	struct mover_setup setup = {
	    .base = agent->base,
	    .change = agent->host_change,
	    .server = worker->server,
	    .phase = (enum phase)workers->reg.phase,
	    .given_up = workers->reg.given_up,
	    .restarted = workers->restarted,
	    .spool_directory = agent->config->state_directory,
	    .access = &agent->config->access,
	    .pace = &workers->pace,
	    .op_timeout_ms = agent->host_change->op_timeout_ms,
	    .events = &worker_events,
	    .context = worker,
	};
	struct failure failure;
	int error;

	setup.mark = mark_load(agent, server, &workers->reg);
	error = mover_start(&setup, &worker->mover, &failure);
	if (error != 0) {
		worker->mover = NULL;
		(void)snprintf(worker->result.reason, sizeof(worker->result.reason), "%.*s",
			       (int)sizeof(worker->result.reason) - 1, failure.text);
		log_event(
		    LOG_LEVEL_ERROR,
		    &(const struct log_fields){.event = "work-not-begun", .server = server->name},
		    "%s: %s", server->name, failure.text);
	}
	return error;
}

int workers_new(struct agent *agent, struct workers **out)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (workers == NULL)
		return -ENOMEM;
	workers->worker = calloc(2 * LIST_SERVERS_MAX, sizeof(*workers->worker));
	if (workers->worker == NULL) {
		free(workers);
		return -ENOMEM;
	}
	workers->agent = agent;
	workers->pace = (struct mover_pace){.rate_keys = agent->config->rate_keys,
					    .rate_bytes = agent->config->rate_bytes,
					    .adaptive = agent->config->adaptive};
	*out = workers;
	return 0;
}

struct mover_pace *workers_pace(struct workers *workers)
{
	return &workers->pace;
}

void workers_free(struct workers *workers)
{
	if (workers == NULL)
		return;
	for (uint32_t i = 0; i < workers->count; i++)
		mover_free(workers->worker[i].mover);
	free(workers->worker);
	free(workers);
}

bool workers_busy(const struct workers *workers)
{
	return workers->running;
}

void workers_start(struct workers *workers, const struct reg *reg, bool restarted)
{
	const struct change *change = workers->agent->host_change;
	const char *name = workers->agent->config->name;

	if (workers->running)
		return;
	workers->reg = *reg;
	workers->restarted = restarted;
	workers->running = true;
	workers->retry_ms = 0;
	for (uint32_t i = 0; i < change->server_count; i++) {
		if (!host_server_works(change, i, name, reg))
			continue;
		workers->worker[workers->count].workers = workers;
		workers->worker[workers->count++].server = i;
	}
	workers_report(workers);
}

void workers_stop(struct workers *workers)
{
	workers->stopping = true;
	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->worker[i];

		if (worker->mover == NULL)
			worker->stopped = true;
		else if (!worker->finished && !worker->stopped)
			mover_stop(worker->mover);
	}
	workers_settle(workers);
}

static void work_add(struct work *sum, const struct work *one)
{
	sum->found += one->found;
	sum->moved += one->moved;
	sum->present += one->present;
	sum->expired += one->expired;
	sum->gone += one->gone;
	sum->failed += one->failed;
	sum->cold += one->cold;
	sum->left += one->left;
	sum->rate += one->rate;
	if (sum->reason[0] == '\0')
		memcpy(sum->reason, one->reason, sizeof(sum->reason));
}

static void worker_look(struct worker *worker)
{
	mover_progress(worker->mover, &worker->result);
	mover_progress_failures(worker->mover, &worker->failures);
	worker_count(worker);
}

bool workers_server(const struct workers *workers, uint32_t server, struct work *work,
		    struct mover_failures *failures)
{
	for (uint32_t i = 0; i < workers->count; i++)
		if (workers->worker[i].server == server) {
			*work = workers->worker[i].result;
			*failures = workers->worker[i].failures;
			return true;
		}
	return false;
}

void workers_report(struct workers *workers)
{
	const uint64_t now_ms = clock_now_ms();
	struct work sum;
	bool done = true, refused = false;

	if (!workers->running)
		return;
	memset(&sum, 0, sizeof(sum));
	memcpy(sum.pending, workers->reg.pending, LIST_HASH_BYTES);
	sum.phase = workers->reg.phase;
	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->worker[i];

		if (worker->mover == NULL && !workers->stopping && !worker->finished &&
		    now_ms >= workers->retry_ms && worker_start(worker) != 0)
			workers->retry_ms = now_ms + WORKERS_RETRY_MS;
		if (worker->mover != NULL && !worker->finished)
			worker_look(worker);
		if (worker->finished && worker->result.state == WORK_REFUSED) {
			if (!refused)
				sum.reason[0] = '\0';
			refused = true;
		}
		done = done && worker->finished;
		work_add(&sum, &worker->result);
	}
	sum.state = refused ? WORK_REFUSED : done ? WORK_DONE : WORK_RUNNING;
	if (!workers->stopping)
		host_worked(&workers->agent->host, &sum, now_ms);
	workers_settle(workers);
}
