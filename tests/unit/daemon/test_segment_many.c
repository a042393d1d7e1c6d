/* Many at once, and many times: a thousand readers, a thousand starts of the agent. */
#include <sched.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "segment_rig.h"

#define READERS	     1000u
#define PUBLICATIONS 20u
#define STARTS	     1000u

/* Every epoch is its generation's number plus 40. */
static void publish_next(void)
{
	change.old_epoch = 41 + segment_generation(segment, NULL);
	change.new_epoch = change.old_epoch + 1;
	publish(MCR_COPY);
}

static bool reads_rightly(struct client *client, uint32_t *generation)
{
	struct mcr_plan plan;
	struct mcr_info info;

	if (mcr_begin(client->reader, MCR_OP_SET, "key", 3, &plan) != MCR_OK ||
	    plan.phase != MCR_COPY || plan.step_count == 0)
		return false;
	if (mcr_end(client->reader, &plan) < MCR_OK || mcr_info(client->mcr, &info) != MCR_OK ||
	    info.epoch != info.generation + 40)
		return false;
	*generation = info.generation;
	return true;
}

/* Reads, and sleeps between, until the last publication. */
static int reader_run(uint32_t *ready)
{
	struct client client;
	uint32_t generation = 0;

	if (mcr_open(name, 0, &client.mcr) != MCR_OK ||
	    mcr_reader_new(client.mcr, &client.reader) != MCR_OK)
		return 1;
	if (!reads_rightly(&client, &generation))
		return 2;
	(void)__atomic_add_fetch(ready, 1, __ATOMIC_RELAXED);
	while (generation < PUBLICATIONS) {
		if (mcr_wait(client.mcr, generation, -1) != MCR_OK)
			return 3;
		if (!reads_rightly(&client, &generation))
			return 4;
	}
	return 0;
}

START_TEST(a_thousand_readers_at_once)
{
	static pid_t pids[READERS];
	uint32_t *ready =
	    mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(ready, MAP_FAILED);
	open_segment();
	publish_next();
	for (unsigned i = 0; i < READERS; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(reader_run(ready));
		}
	}
	while (__atomic_load_n(ready, __ATOMIC_RELAXED) < READERS) {
		siginfo_t ended = {.si_pid = 0};

		ck_assert_int_eq(waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
		ck_assert_msg(ended.si_pid == 0, "a reader ended with %d", ended.si_status);
		(void)sched_yield();
	}
	while (segment_generation(segment, NULL) < PUBLICATIONS)
		publish_next();
	for (unsigned i = 0; i < READERS; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

START_TEST(a_thousand_starts_while_a_client_stays)
{
	struct client client;
	struct stat before, after;
	uint32_t generation = 0;

	open_segment();
	publish_next();
	client = client_open();
	ck_assert_int_eq(stat(path, &before), 0);
	for (unsigned i = 0; i < STARTS; i++) {
		segment_close(segment);
		segment = NULL;
		/* The last list is served. */
		ck_assert(reads_rightly(&client, &generation));
		open_segment();
		ck_assert(reads_rightly(&client, &generation));
		publish_next();
		ck_assert(reads_rightly(&client, &generation));
		ck_assert_uint_eq(generation, i + 2);
	}
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	client_close(&client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment_many");
	TCase *tests = tcase_create("many");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_thousand_readers_at_once);
	tcase_add_test(tests, a_thousand_starts_while_a_client_stays);
	return suite_run(suite);
}
