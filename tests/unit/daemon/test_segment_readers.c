/* Readers beside a writer: woken by it, never shown a mixture, and none the worse when it is
 * killed. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "segment_rig.h"

static bool is_asleep(pid_t pid)
{
	long number = -1;
	char file_name[64];
	FILE *file;

	(void)snprintf(file_name, sizeof(file_name), "/proc/%d/syscall", (int)pid);
	file = fopen(file_name, "r");
	if (file == NULL)
		return false;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	(void)fclose(file);
	return number == SYS_futex;
}

/* The sleeper uses the bare futex without a time-out: nothing but the writer's wake ends it. */
START_TEST(a_publication_wakes_who_sleeps_on_the_generation)
{
	uint8_t *bytes;
	pid_t pid;
	int status;

	open_segment();
	bytes = bytes_map();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(syscall(SYS_futex, bytes + 256, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
	while (!is_asleep(pid))
		(void)sched_yield();
	publish(MCR_STEADY);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	bytes_unmap(bytes);
}
END_TEST

/* What a generation says follows from its number, so a reader can tell a mixture of two. */
#define CHURN_SERVERS 128u
#define CHURN_SLOTS   8192u

static struct change_server churn_servers[CHURN_SERVERS];
static uint16_t churn_table[CHURN_SLOTS];

static void churn_publish(struct segment *writer)
{
	const uint32_t next = segment_generation(writer, NULL) + 1;
	const struct change said = {
	    .old_epoch = next,
	    .new_epoch = next + 1,
	    .server_count = CHURN_SERVERS,
	    .parts = CHURN_SLOTS,
	    .in_slots = true,
	    .servers = churn_servers,
	    .old_table = table_of_slots(churn_table, CHURN_SLOTS),
	    .new_table = table_of_slots(churn_table, CHURN_SLOTS),
	    .op_timeout_ms = 1000,
	};
	const struct segment_view view = {.change = &said, .phase = MCR_COPY};
	uint32_t generation = 0;

	for (uint32_t i = 0; i < CHURN_SERVERS; i++)
		churn_servers[i].weight = next;
	for (uint32_t i = 0; i < CHURN_SLOTS; i++)
		churn_table[i] = (uint16_t)(next % CHURN_SERVERS);
	if (segment_publish(writer, &view, NOW_NS, &generation, NULL) != 0 || generation != next)
		abort();
}

static void churn_read(struct client *client, unsigned *seed)
{
	static struct mcr_server listed[CHURN_SERVERS];
	struct mcr_plan plan;
	struct mcr_info info;
	int found;

	for (unsigned i = 0; i < 200; i++) {
		const unsigned key = (*seed)++;
		const int error = mcr_begin(client->reader, MCR_OP_SET, &key, sizeof(key), &plan);

		ck_assert_msg(error == MCR_OK, "%s", mcr_strerror(error));
		ck_assert_uint_eq(plan.step[0].server, plan.generation % CHURN_SERVERS);
		ck_assert_uint_eq(plan.phase, MCR_COPY);
	}
	found = mcr_servers(client->reader, &info, listed, CHURN_SERVERS);
	if (found == MCR_STALE)
		return; /* overtaken every time it copied: said so, and nothing was mixed */
	ck_assert_int_eq(found, CHURN_SERVERS);
	ck_assert_uint_eq(info.epoch, info.generation);
	ck_assert_uint_eq(info.next_epoch, info.generation + 1);
	for (uint32_t i = 0; i < CHURN_SERVERS; i++)
		ck_assert_uint_eq(listed[i].weight, info.generation);
}

static uint32_t generation_out(const uint8_t *bytes)
{
	return __atomic_load_n((const uint32_t *)(const void *)(bytes + 256), __ATOMIC_ACQUIRE);
}

#define KILLS 200u

START_TEST(readers_survive_a_writer_killed_in_a_publication)
{
	unsigned seed = 1, killed_filling = 0;
	struct client client;
	uint8_t *bytes;

	open_segment();
	churn_publish(segment);
	segment_close(segment);
	segment = NULL;
	client = client_open();
	bytes = bytes_map();
	for (unsigned i = 0; i < KILLS; i++) {
		const uint32_t before = generation_out(bytes);
		uint32_t after;
		pid_t pid = fork();
		int status;

		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			struct segment *writer;

			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (segment_open(name, "web", &writer, NULL) != 0)
				_exit(1);
			for (;;)
				churn_publish(writer);
		}
		while (generation_out(bytes) < before + 2 && waitpid(pid, &status, WNOHANG) == 0)
			churn_read(&client, &seed);
		/* Somewhere in the next publication, each time elsewhere. */
		for (volatile unsigned spin = 0; spin < i * 211; spin++)
			;
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		after = generation_out(bytes);
		ck_assert_uint_ge(after, before + 2);
		/* The first word of the fill is the generation's number. */
		if (u32_at(bytes, 4096 + (size_t)((after + 1) % 4) * 659456) == after + 1)
			killed_filling++;
		churn_read(&client, &seed);
	}
	/* Without kills in the middle of a fill nothing was tested. */
	ck_assert_uint_gt(killed_filling, 0);
	bytes_unmap(bytes);
	client_close(&client);
}
END_TEST

#define PUBLICATIONS 2000u

static void *churn_writer(void *argument)
{
	for (unsigned i = 0; i < PUBLICATIONS; i++)
		churn_publish(argument);
	return NULL;
}

START_TEST(readers_never_see_two_generations_mixed)
{
	pthread_t writer;
	struct client client;
	unsigned seed = 1;

	open_segment();
	churn_publish(segment);
	client = client_open();
	ck_assert_int_eq(pthread_create(&writer, NULL, churn_writer, segment), 0);
	for (;;) {
		struct mcr_info info;
		const int error = mcr_info(client.mcr, &info);

		churn_read(&client, &seed);
		if (error == MCR_OK && info.generation == PUBLICATIONS + 1)
			break;
	}
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	client_close(&client);
}
END_TEST

/* A reader that is stopped anywhere, and finds the world another when it goes on. */
struct stopped {
	pid_t pid;
	uint64_t *rounds; /* shared: the reader counts its operations */
};

static bool routes_rightly(struct client *client)
{
	struct mcr_plan plan;

	return mcr_begin(client->reader, MCR_OP_SET, "key", 3, &plan) == MCR_OK &&
	       plan.step[0].server == plan.generation % CHURN_SERVERS;
}

static bool lists_rightly(struct client *client)
{
	static struct mcr_server listed[CHURN_SERVERS];
	struct mcr_info info;

	if (mcr_servers(client->reader, &info, listed, CHURN_SERVERS) != CHURN_SERVERS ||
	    info.epoch != info.generation)
		return false;
	for (uint32_t i = 0; i < CHURN_SERVERS; i++)
		if (listed[i].weight != info.generation)
			return false;
	return true;
}

static bool names_rightly(struct client *client)
{
	struct mcr_plan plan;
	struct mcr_server server;

	if (mcr_begin(client->reader, MCR_OP_SET, "key", 3, &plan) != MCR_OK)
		return false;
	switch (mcr_server(client->reader, &plan, plan.step[0].server, &server)) {
	case MCR_OK:
		return server.weight == plan.generation;
	case MCR_STALE:
		return true;
	default:
		return false;
	}
}

/* Only even generations ever have a lease. */
static bool keeps_to_the_lease(struct client *client)
{
	struct mcr_plan plan;

	switch (mcr_begin(client->reader, MCR_OP_SET, "key", 3, &plan)) {
	case MCR_OK:
		return plan.generation % 2 == 0;
	case MCR_ISOLATED:
		return true;
	default:
		return false;
	}
}

static bool (*const readings[])(struct client *) = {routes_rightly, lists_rightly, names_rightly,
						    keeps_to_the_lease};

#define READINGS ((int)(sizeof(readings) / sizeof(readings[0])))

static struct stopped reader_start(int reading)
{
	const bool strict = readings[reading] == keeps_to_the_lease;
	struct stopped started;

	started.rounds = mmap(NULL, sizeof(*started.rounds), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(started.rounds, MAP_FAILED);
	started.pid = fork();
	ck_assert_int_ge(started.pid, 0);
	if (started.pid == 0) {
		struct client client;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mcr_open(name, strict ? MCR_STRICT : 0, &client.mcr) != MCR_OK ||
		    mcr_reader_new(client.mcr, &client.reader) != MCR_OK)
			_exit(2);
		while (readings[reading](&client))
			__atomic_fetch_add(started.rounds, 1, __ATOMIC_RELAXED);
		_exit(1);
	}
	return started;
}

/* Lets it do something, then stops it, wherever it is. */
static void reader_stop(const struct stopped *reader)
{
	const uint64_t before = __atomic_load_n(reader->rounds, __ATOMIC_RELAXED);
	int status;

	while (__atomic_load_n(reader->rounds, __ATOMIC_RELAXED) == before) {
		ck_assert_msg(waitpid(reader->pid, &status, WNOHANG) == 0, "it read a mixture");
		(void)sched_yield();
	}
	ck_assert_int_eq(kill(reader->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(reader->pid, &status, WUNTRACED), reader->pid);
	ck_assert_msg(WIFSTOPPED(status), "it read a mixture");
}

#define STOPS 400u

START_TEST(readers_that_slept_through_publications_notice)
{
	struct stopped reader;
	int status;

	open_segment();
	churn_publish(segment);
	reader = reader_start(_i);
	for (unsigned i = 0; i < STOPS; i++) {
		reader_stop(&reader);
		segment_lease(segment, 0);
		/* One, or more than the ring holds; odd, so that the parity turns each time. */
		for (unsigned k = 0; k < (i % 4 == 0 ? 1 : 5); k++)
			churn_publish(segment);
		if (segment_generation(segment, NULL) % 2 == 0)
			segment_lease(segment, UINT64_MAX);
		ck_assert_int_eq(kill(reader.pid, SIGCONT), 0);
	}
	ck_assert_int_eq(kill(reader.pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(reader.pid, &status, 0), reader.pid);
	ck_assert(WIFSIGNALED(status));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment_readers");
	TCase *tests = tcase_create("readers");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_publication_wakes_who_sleeps_on_the_generation);
	tcase_add_test(tests, readers_survive_a_writer_killed_in_a_publication);
	tcase_add_test(tests, readers_never_see_two_generations_mixed);
	tcase_add_loop_test(tests, readers_that_slept_through_publications_notice, 0, READINGS);
	return suite_run(suite);
}
