/* Lists whose rings are too large for the slots: another object takes the name, the clients follow.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "list/change.h"
#include "mcroster_segment.h"
#include "segment_rig.h"

static struct change *made;

static void larger_teardown(void)
{
	change_free(made);
	made = NULL;
	teardown();
}

static ino_t inode_of_segment(void)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_ino;
}

static off_t bytes_of_segment(void)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_size;
}

static void list_make(struct list *list, uint64_t epoch, uint32_t count, uint32_t network)
{
	memset(list, 0, sizeof(*list));
	strcpy(list->cluster, "web");
	list->epoch = epoch;
	list->distribution = DISTRIBUTION_KETAMA_WEIGHTED;
	list->key_hash = MCR_HASH_MD5;
	list->op_timeout_ms = 1000;
	list->agents = calloc(1, sizeof(*list->agents));
	list->servers = calloc(count, sizeof(*list->servers));
	ck_assert(list->agents != NULL && list->servers != NULL);
	list->agent_count = 1;
	strcpy(list->agents[0].name, "a");
	list->server_count = count;
	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(list->servers[i].name, sizeof(list->servers[i].name), "s%u.%u",
			       network, i);
		(void)snprintf(list->servers[i].address, sizeof(list->servers[i].address),
			       "10.%u.%u.%u:11211", network, i / 256, i % 256);
		list->servers[i].weight = 1;
	}
}

/* From `before` servers to `after` others. */
static void rings_make(uint32_t before, uint32_t after)
{
	struct list active, next;

	list_make(&active, 41, before, 1);
	list_make(&next, 42, after, 2);
	change_free(made);
	ck_assert_msg(change_new(&active, &next, &made, &failure) == 0, "%s", failure.text);
	free(active.agents);
	free(active.servers);
	free(next.agents);
	free(next.servers);
}

static uint32_t rings_publish(enum mcr_phase phase)
{
	const struct segment_view view = {.change = made, .phase = (uint8_t)phase};
	struct timespec now;
	uint32_t generation = 0;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	ck_assert_msg(segment_publish(segment, &view,
				      (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
				      &generation, &failure) == 0,
		      "%s", failure.text);
	return generation;
}

static void routes_check(struct client *client)
{
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t before, after, want_before, want_after;
		char key[16];
		const size_t bytes = (size_t)snprintf(key, sizeof(key), "key:%u", i);

		ck_assert_int_eq(mcr_owner(client->reader, key, bytes, &before, &after), MCR_OK);
		change_key_owners(made, key, bytes, &want_before, &want_after);
		ck_assert_uint_eq(before, want_before);
		ck_assert_uint_eq(after, want_after);
	}
}

START_TEST(clients_follow_to_the_larger_one_and_the_numbers_go_on)
{
	struct client old, client;
	struct mcr_plan plan, next;
	struct mcr_info info;
	ino_t inode;

	open_segment();
	segment_clients(segment, "/run/somewhere");
	ck_assert_uint_eq(publish(MCR_STEADY), 1);
	segment_lease(segment, 4711);
	inode = inode_of_segment();
	old = client_open();
	ck_assert_int_eq(mcr_begin(old.reader, MCR_OP_SET, "key", 3, &plan), MCR_OK);
	rings_make(300, 400);
	ck_assert_uint_eq(rings_publish(MCR_COPY), 2);
	ck_assert_uint_ne(inode_of_segment(), inode);
	ck_assert_int_gt(bytes_of_segment(), SEGMENT_TOTAL_BYTES);

	/* As after any publication: a step may be sent for op-timeout, no new plan is made. */
	ck_assert_int_eq(mcr_check(old.reader, &plan), MCR_OK);
	ck_assert_int_eq(mcr_begin(old.reader, MCR_OP_SET, "key", 3, &next), MCR_MOVED);
	client_close(&old);

	client = client_open();
	ck_assert_int_eq(mcr_info(client.mcr, &info), MCR_OK);
	ck_assert_uint_eq(info.generation, 2);
	ck_assert_uint_eq(info.phase, MCR_COPY);
	ck_assert_uint_eq(info.lease_deadline_ns, 4711);
	ck_assert_uint_eq(info.slot_count, 0);
	routes_check(&client);

	/* It stays, for a smaller list and for the next agent. */
	inode = inode_of_segment();
	rings_make(3, 4);
	ck_assert_uint_eq(rings_publish(MCR_SWITCH), 3);
	routes_check(&client);
	segment_close(segment);
	open_segment();
	ck_assert_uint_eq(inode_of_segment(), inode);
	ck_assert_uint_eq(rings_publish(MCR_SETTLE), 4);
	routes_check(&client);
	client_close(&client);
}
END_TEST

/* An agent that starts, publishes what its slots cannot hold, and is killed where it has entered or
 * left its so many-th system call.  False: it has ended before. */
static bool growing_killed(unsigned stops)
{
	const pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(1);
		(void)raise(SIGSTOP);
		open_segment();
		rings_publish(MCR_COPY);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status), "the writer cannot be traced");
	for (unsigned i = 0; i < stops; i++) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			ck_assert_int_eq(WEXITSTATUS(status), 0);
			return false;
		}
		ck_assert(WIFSTOPPED(status));
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return true;
}

/* What a client sees is one of the two, whole; or it is told to come again. */
static int whole_check(struct client *client)
{
	struct mcr_plan plan;
	struct mcr_info info;
	const int error = mcr_begin(client->reader, MCR_OP_GET, "key", 3, &plan);

	if (error == MCR_MOVED)
		return error;
	ck_assert_int_eq(error, MCR_OK);
	mcr_end(client->reader, &plan);
	ck_assert_int_eq(mcr_info(client->mcr, &info), MCR_OK);
	if (info.phase == MCR_STEADY)
		ck_assert_uint_eq(info.slot_count, SLOTS);
	else
		routes_check(client);
	return info.phase == MCR_STEADY ? MCR_OK : MCR_COPY;
}

START_TEST(an_agent_killed_while_it_grows_leaves_nobody_behind)
{
	const struct segment_view small = {.change = &change, .phase = MCR_SWITCH};
	unsigned moved = 0, grown = 0;
	bool killed = true;

	rings_make(300, 400);
	for (unsigned stops = 0; killed; stops++) {
		struct client old, new;
		struct mcr_plan plan;
		uint32_t generation;
		int error;

		(void)unlink(path);
		open_segment();
		publish(MCR_STEADY);
		segment_close(segment);
		old = client_open();
		killed = growing_killed(stops);
		moved += whole_check(&old) == MCR_MOVED;
		error = mcr_open(name, 0, &new.mcr);
		if (error == MCR_OK) {
			ck_assert_int_eq(mcr_reader_new(new.mcr, &new.reader), MCR_OK);
			grown += whole_check(&new) == MCR_COPY;
			client_close(&new);
		} else {
			ck_assert_int_eq(error, MCR_MOVED);
		}

		/* The next agent goes on, and the client of before is told. */
		open_segment();
		ck_assert_int_eq(segment_publish(segment, &small, NOW_NS, &generation, &failure),
				 0);
		error = mcr_begin(old.reader, MCR_OP_GET, "key", 3, &plan);
		if (error == MCR_OK) {
			ck_assert_uint_eq(plan.generation, generation);
			mcr_end(old.reader, &plan);
		} else {
			ck_assert_int_eq(error, MCR_MOVED);
			new = client_open();
			ck_assert_int_eq(mcr_begin(new.reader, MCR_OP_GET, "key", 3, &plan),
					 MCR_OK);
			ck_assert_uint_eq(plan.generation, generation);
			mcr_end(new.reader, &plan);
			client_close(&new);
		}
		segment_close(segment);
		segment = NULL;
		client_close(&old);
	}
	ck_assert_uint_gt(grown, 1);
	ck_assert_uint_gt(moved, grown); /* some of them between the old one's end and the name */
}
END_TEST

START_TEST(the_largest_rings_fit)
{
	struct client client;

	open_segment();
	rings_make(LIST_SERVERS_MAX, LIST_SERVERS_MAX);
	ck_assert_uint_eq(rings_publish(MCR_DRAIN), 1);
	client = client_open();
	routes_check(&client);
	client_close(&client);
}
END_TEST

START_TEST(small_rings_need_no_other_object)
{
	ino_t inode;
	struct client client;

	open_segment();
	inode = inode_of_segment();
	rings_make(100, 101);
	for (enum mcr_phase phase = MCR_PREPARE; phase < MCR_PHASE_COUNT; phase++) {
		rings_publish(phase);
		client = client_open();
		routes_check(&client);
		client_close(&client);
	}
	ck_assert_uint_eq(inode_of_segment(), inode);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment_larger");
	TCase *tests = tcase_create("larger");

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, larger_teardown);
	tcase_add_test(tests, clients_follow_to_the_larger_one_and_the_numbers_go_on);
	tcase_add_test(tests, an_agent_killed_while_it_grows_leaves_nobody_behind);
	tcase_add_test(tests, the_largest_rings_fit);
	tcase_add_test(tests, small_rings_need_no_other_object);
	return suite_run(suite);
}
