/* test_clients_owe.c - keys handed over at a real registration socket, by libmcroster and by
 * hostile strangers, to the real queue with its journal; the loop is turned by the test. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/clients_run.h"
#include "daemon/owed_run.h"
#include "internal.h"
#include "net/mc_protocol.h"
#include "segment_rig.h"

#define WAIT_MS 20000u
#define KEYS	40u
#define OF_USER 30u

static struct event_base *base;
static struct clients_run *run;
static struct owed_run *owed;
static const struct owed_limits limits = {KEYS, OF_USER};
static char socket_path[100], directory[64], journal[80];
static uint32_t generation;

static void on_changed(void *context)
{
	(void)context;
}

static void turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		const uint64_t until_ns = mcr_clock_boot_ns() + WAIT_MS * UINT64_C(1000000);       \
		while (!(condition)) {                                                             \
			ck_assert_msg(mcr_clock_boot_ns() < until_ns, "not in time: " #condition); \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

static void go(uint8_t phase)
{
	const struct segment_view view = {.change = &change, .phase = phase};

	change.old_epoch++; /* another one, whatever the phase */
	ck_assert_int_eq(
	    segment_publish(segment, &view, mcr_clock_boot_ns(), &generation, &failure), 0);
	clients_run_published(run, generation, false, change.op_timeout_ms);
	/* Without a lease: what is taken stays owed. */
	ck_assert_int_eq(owed_run_phase(owed, &change, (enum phase)phase, generation, 0), 0);
}

static void agent_begin(void)
{
	struct clients_options options = {.path = socket_path,
					  .mode = 0666,
					  .cluster = "web",
					  .per_uid = 100,
					  .incarnation = segment_incarnation(segment)};

	ck_assert_msg(owed_run_new(base, directory, &limits, NULL, &owed, &failure) == 0, "%s",
		      failure.text);
	options.owed = owed;
	ck_assert_int_eq(clients_run_new(base, &options, on_changed, NULL, &run, &failure), 0);
	segment_clients(segment, socket_path);
}

static void agent_end(void)
{
	clients_run_free(run);
	owed_run_free(owed);
}

static void set_up(void)
{
	open_segment();
	base = event_base_new();
	(void)snprintf(socket_path, sizeof(socket_path), "/tmp/mcroster-owing.%d", (int)getpid());
	(void)snprintf(directory, sizeof(directory), "/tmp/mcroster-owing.%d.d", (int)getpid());
	(void)snprintf(journal, sizeof(journal), "%s/owed", directory);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	agent_begin();
	go(MCR_STEADY);
}

static void tear_down(void)
{
	agent_end();
	event_base_free(base);
	(void)unlink(journal);
	ck_assert_int_eq(rmdir(directory), 0);
}

static struct owed_status status(void)
{
	struct owed_status now;
	const char *trouble;

	owed_run_status(owed, &now, &trouble);
	return now;
}

static bool on_disk(const char *key)
{
	static char bytes[65536];
	const int fd = open(journal, O_RDONLY);
	const ssize_t got = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : 0;

	if (fd >= 0)
		(void)close(fd);
	return got > 0 && memmem(bytes, (size_t)got, key, strlen(key)) != NULL;
}

/* ---- libmcroster ---- */

struct owing {
	pthread_t thread;
	struct client client;
	const void *key;
	size_t bytes;
	int reason;
	bool through;
};

static int owe(struct client *client, const void *key, size_t bytes)
{
	struct mcr_plan plan;
	int reason = mcr_begin(client->reader, MCR_OP_DELETE, key, bytes, &plan);

	if (reason != MCR_OK)
		return reason;
	(void)mcr_end(client->reader, &plan);
	return mcr_owe(client->reader, &plan, 0, key, bytes, WAIT_MS);
}

static void *owing_run(void *context)
{
	struct owing *owing = context;

	owing->reason = owe(&owing->client, owing->key, owing->bytes);
	__atomic_store_n(&owing->through, true, __ATOMIC_RELEASE);
	return NULL;
}

static int owing_await(struct owing *owing)
{
	UNTIL(__atomic_load_n(&owing->through, __ATOMIC_ACQUIRE));
	(void)pthread_join(owing->thread, NULL);
	return owing->reason;
}

/* mcr_owe in a thread of its own, while this one turns the loop. */
static int hand_over(struct client *client, const void *key, size_t bytes)
{
	struct owing owing = {.client = *client, .key = key, .bytes = bytes};

	ck_assert_int_eq(pthread_create(&owing.thread, NULL, owing_run, &owing), 0);
	return owing_await(&owing);
}

START_TEST(a_key_is_on_disk_when_it_is_answered)
{
	struct client client = client_open();

	ck_assert_int_eq(hand_over(&client, "key-on-disk", 11), MCR_OK);
	ck_assert(on_disk("key-on-disk"));
	ck_assert_uint_eq(status().keys, 1);
	ck_assert_uint_eq(status().live_bytes, 11 + OWED_RECORD_FIXED_BYTES);
	ck_assert_uint_eq(status().limit, KEYS);
	client_close(&client);
}
END_TEST

START_TEST(what_cannot_be_put_on_disk_is_not_taken)
{
	struct client client = client_open();
	struct rlimit before, none;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(hand_over(&client, "key", 3), MCR_NOT_STORED);
	(void)setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_uint_eq(status().keys, 0);
	ck_assert_int_eq(hand_over(&client, "key", 3), MCR_OK); /* the disk is there again */
	client_close(&client);
}
END_TEST

START_TEST(it_is_owed_after_a_restart)
{
	struct client client = client_open();

	ck_assert_int_eq(hand_over(&client, "one", 3), MCR_OK);
	ck_assert_int_eq(hand_over(&client, "two", 3), MCR_OK);
	agent_end();
	agent_begin();
	ck_assert_uint_eq(status().keys, 2);
	client_close(&client);
}
END_TEST

START_TEST(any_key_that_a_memcached_can_have_is_taken)
{
	struct client client = client_open();
	char key[MCR_KEY_MAX];
	struct mc_key written;

	for (unsigned c = 0; c < 256; c++)
		key[c % 186] = (char)c;
	ck_assert_int_eq(hand_over(&client, key, 186), MCR_OK);
	memset(key, 0xff, sizeof(key));
	ck_assert_int_eq(hand_over(&client, key, sizeof(key)), MCR_OK);
	key[100] = ' ';
	ck_assert_int_eq(hand_over(&client, key, sizeof(key)), MCR_BAD_KEY);
	ck_assert_uint_eq(status().keys, 2);
	/* The queue and whoever writes the command are of one opinion. */
	for (unsigned c = 0; c < 256; c++) {
		memset(key, 'k', sizeof(key));
		key[5] = (char)c;
		for (size_t bytes = 6; bytes <= sizeof(key); bytes++)
			ck_assert_int_eq(owed_key_valid(key, bytes),
					 mc_key_write(key, bytes, &written) == 0);
	}
	client_close(&client);
}
END_TEST

START_TEST(one_user_has_a_share_and_no_more)
{
	struct client client = client_open();
	char key[16];
	int status_of_child;
	pid_t child;

	for (unsigned i = 0; i < OF_USER; i++) {
		(void)snprintf(key, sizeof(key), "key%u", i);
		ck_assert_int_eq(hand_over(&client, key, strlen(key)), MCR_OK);
	}
	ck_assert_int_eq(hand_over(&client, "another", 7), MCR_FULL);
	ck_assert_int_eq(hand_over(&client, "key0", 4), MCR_OK); /* which is owed already */
	ck_assert_uint_eq(status().counts.refused_uid, 1);
	client_close(&client);
	if (geteuid() != 0)
		return;
	/* Another user has his own, as far as there is room for all. */
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		unsigned taken = 0;
		int reason = MCR_OK;

		if (setresuid(4711, 4711, 4711) != 0)
			_exit(99);
		client = client_open();
		while (reason == MCR_OK) {
			(void)snprintf(key, sizeof(key), "his%u", taken++);
			reason = owe(&client, key, strlen(key));
		}
		_exit(reason == MCR_FULL ? (int)taken - 1 : 98);
	}
	UNTIL(waitpid(child, &status_of_child, WNOHANG) == child);
	ck_assert_int_eq(status_of_child, (KEYS - OF_USER) << 8);
	ck_assert_uint_eq(status().counts.refused_full, 1);
}
END_TEST

#define THREADS 16u

START_TEST(threads_and_children_hand_over_at_once)
{
	struct client client = client_open();
	struct owing owing[THREADS];
	char keys[THREADS][16];
	int status_of_child;
	pid_t child;

	for (unsigned i = 0; i < THREADS; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "thread%02u", i);
		owing[i] = (struct owing){.client.mcr = client.mcr, .key = keys[i], .bytes = 8};
		ck_assert_int_eq(mcr_reader_new(client.mcr, &owing[i].client.reader), MCR_OK);
		ck_assert_int_eq(pthread_create(&owing[i].thread, NULL, owing_run, &owing[i]), 0);
	}
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) /* with its parent's reader */
		_exit(owe(&client, "child", 5) == MCR_OK ? 0 : 1);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(owing_await(&owing[i]), MCR_OK);
	UNTIL(waitpid(child, &status_of_child, WNOHANG) == child);
	ck_assert_int_eq(status_of_child, 0);
	ck_assert_uint_eq(status().keys, THREADS + 1);
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert(on_disk(keys[i]));
		mcr_reader_free(owing[i].client.reader);
	}
	client_close(&client);
}
END_TEST

START_TEST(without_a_list_it_is_not_ready)
{
	struct client client = client_open();
	struct mcr_plan plan;

	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_DELETE, "key", 3, &plan), MCR_OK);
	(void)mcr_end(client.reader, &plan);
	agent_end();
	ck_assert_int_eq(mcr_owe(client.reader, &plan, 0, "key", 3, 30), MCR_NO_AGENT);
	agent_begin();
	{
		struct owing owing = {.client = client, .key = "key", .bytes = 3};

		/* It goes on asking until there is one. */
		ck_assert_int_eq(pthread_create(&owing.thread, NULL, owing_run, &owing), 0);
		for (unsigned i = 0; i < 50; i++) {
			(void)poll(NULL, 0, 1);
			turn();
		}
		ck_assert_uint_eq(status().keys, 0);
		go(MCR_STEADY);
		ck_assert_int_eq(owing_await(&owing), MCR_OK);
	}
	client_close(&client);
}
END_TEST

/* ---- strangers ---- */

static int stranger(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static struct mcr_clients_owe honest(void)
{
	struct mcr_clients_owe owe = {.head = {.type = MCR_CLIENTS_OWE,
					       .version = MCR_CLIENTS_VERSION,
					       .generation = generation,
					       .code = 3,
					       .text = "web"},
				      .name = "cache01",
				      .address = "10.0.0.2:11211",
				      .key = "key"};
	return owe;
}

static bool readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

/* What is answered last before the connection ends: a refusal's code, or 0 for OWED. */
static uint32_t answer(int fd)
{
	struct mcr_clients_message message = {.type = 0};
	uint32_t code = UINT32_MAX;

	for (;;) {
		UNTIL(readable(fd));
		if (recv(fd, &message, sizeof(message), 0) != (ssize_t)sizeof(message))
			break;
		if (message.type == MCR_CLIENTS_OWED)
			code = 0;
		else if (message.type == MCR_CLIENTS_REFUSED)
			code = message.code;
	}
	(void)close(fd);
	return code;
}

static uint32_t answer_to(const void *bytes, size_t length)
{
	const int fd = stranger();

	ck_assert_int_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	return answer(fd);
}

START_TEST(what_no_client_would_say_is_refused)
{
	struct mcr_clients_owe owe;
	uint8_t longer[sizeof(owe) + 1] = {0};
	unsigned wrong = 0;

#define WRONG(code_expected, ...)                                                                  \
	do {                                                                                       \
		owe = honest();                                                                    \
		__VA_ARGS__;                                                                       \
		ck_assert_msg(answer_to(&owe, sizeof(owe)) == (code_expected), "case %u", wrong);  \
		wrong++;                                                                           \
	} while (0)

	WRONG(MCR_CLIENTS_MISUSE, owe.head.code = 0);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.code = 251; memset(owe.key, 'k', 251));
	WRONG(MCR_CLIENTS_MISUSE, owe.head.code = UINT32_MAX);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.code = 2); /* something is behind it */
	WRONG(MCR_CLIENTS_MISUSE, owe.key[255] = 1);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.zero = 1);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.generation = 0);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.generation++);
	WRONG(MCR_CLIENTS_MISUSE, owe.head.generation = UINT32_MAX);
	WRONG(MCR_CLIENTS_MISUSE, memset(owe.name, 'n', sizeof(owe.name)));
	WRONG(MCR_CLIENTS_MISUSE, memset(owe.address, '1', sizeof(owe.address)));
	WRONG(MCR_CLIENTS_MISUSE, owe.name[63] = 'x');
	WRONG(MCR_CLIENTS_MISUSE, owe.address[0] = '\0'; owe.address[1] = '\0');
	WRONG(MCR_CLIENTS_MISUSE, memset(owe.address, 0, sizeof(owe.address)));
	WRONG(MCR_CLIENTS_MISUSE, memcpy(owe.name, "cache99", 7));
	WRONG(MCR_CLIENTS_MISUSE, memcpy(owe.address, "10.0.0.9", 8));
	WRONG(MCR_CLIENTS_OTHER_CLUSTER, owe.head.text[0] = 'x');
	WRONG(MCR_CLIENTS_OTHER_VERSION, owe.head.version = 2);
	ck_assert_uint_eq(status().keys, 0);
	owe = honest();
	ck_assert_uint_eq(answer_to(&owe, sizeof(owe) - 1), MCR_CLIENTS_MISUSE);
	ck_assert_uint_eq(answer_to(&owe, sizeof(owe.head)), MCR_CLIENTS_MISUSE);
	memcpy(longer, &owe, sizeof(owe));
	ck_assert_uint_eq(answer_to(longer, sizeof(longer)), MCR_CLIENTS_MISUSE);
	ck_assert_uint_eq(status().keys, 0);
	/* Whose server is gone since may say so, and who has forgotten it too. */
	go(MCR_STEADY);
	owe.head.generation = generation - 1;
	memcpy(owe.name, "cache99", 7);
	ck_assert_uint_eq(answer_to(&owe, sizeof(owe)), 0);
	owe = honest();
	memset(owe.name, 0, sizeof(owe.name));
	memset(owe.address, 0, sizeof(owe.address));
	ck_assert_uint_eq(answer_to(&owe, sizeof(owe)), 0);
	ck_assert_uint_eq(status().keys, 1);
}
END_TEST

START_TEST(a_connection_hands_over_one_key_and_does_nothing_else)
{
	struct mcr_clients_owe owe = honest();
	struct mcr_clients_message hello = {
	    .type = MCR_CLIENTS_REGISTER, .version = MCR_CLIENTS_VERSION, .code = 1, .text = "web"};
	int fd = stranger();

	/* Registered: not there. */
	ck_assert_int_gt(send(fd, &hello, sizeof(hello), MSG_NOSIGNAL), 0);
	ck_assert_int_gt(send(fd, &owe, sizeof(owe), MSG_NOSIGNAL), 0);
	ck_assert_uint_eq(answer(fd), MCR_CLIENTS_MISUSE);
	/* The second before the first is answered. */
	fd = stranger();
	ck_assert_int_gt(send(fd, &owe, sizeof(owe), MSG_NOSIGNAL), 0);
	owe.key[0] = 'x';
	ck_assert_int_gt(send(fd, &owe, sizeof(owe), MSG_NOSIGNAL), 0);
	(void)answer(fd);
	ck_assert_uint_le(status().keys, 1);
	ck_assert(!on_disk("xey"));
}
END_TEST

START_TEST(who_does_not_wait_for_the_answer_has_handed_over_all_the_same)
{
	struct mcr_clients_owe owe = honest();
	const int fd = stranger();

	ck_assert_int_gt(send(fd, &owe, sizeof(owe), MSG_NOSIGNAL), 0);
	(void)close(fd);
	UNTIL(status().keys == 1 && on_disk("key"));
	turn();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/clients_owe");
	TCase *tests = tcase_create("clients");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_key_is_on_disk_when_it_is_answered);
	tcase_add_test(tests, what_cannot_be_put_on_disk_is_not_taken);
	tcase_add_test(tests, it_is_owed_after_a_restart);
	tcase_add_test(tests, any_key_that_a_memcached_can_have_is_taken);
	tcase_add_test(tests, one_user_has_a_share_and_no_more);
	tcase_add_test(tests, threads_and_children_hand_over_at_once);
	tcase_add_test(tests, without_a_list_it_is_not_ready);
	tcase_add_test(tests, what_no_client_would_say_is_refused);
	tcase_add_test(tests, a_connection_hands_over_one_key_and_does_nothing_else);
	tcase_add_test(tests, who_does_not_wait_for_the_answer_has_handed_over_all_the_same);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
