/* test_owe.c - what mcr_owe sends, byte for byte, and what it makes of each answer; the agent's
 * side is played by the test. */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "toy_segment.h"

#define WAIT_MS 20000
#define LONG_MS 20000

static struct toy toy;
static struct mcr *mcr;
static struct mcr_reader *reader;
static int listening;
static char socket_path[100];

static void listen_begin(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listening, 8), 0);
}

static void listen_end(void)
{
	(void)close(listening);
	(void)unlink(socket_path);
}

static void set_up(void)
{
	toy_make(&toy, NULL);
	toy_publish(&toy, 7, MCR_PREPARE);
	(void)snprintf(socket_path, sizeof(socket_path), "/tmp/mcroster-owe.%d", (int)getpid());
	(void)unlink(socket_path);
	(void)snprintf((char *)toy.header->clients_path, sizeof(toy.header->clients_path), "%s",
		       socket_path);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, 0, &mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(mcr, &reader), MCR_OK);
	listen_begin();
}

static void tear_down(void)
{
	listen_end();
	mcr_reader_free(reader);
	mcr_close(mcr);
	toy_free(&toy);
}

/* Two steps: at cache00, then at cache01. */
static const struct mcr_plan two_steps = {
    .generation = 7,
    .op = MCR_OP_SET,
    .step_count = 2,
    .step = {{0, MCR_SEND_WRITE, 0}, {1, MCR_SEND_DELETE, 0}}};

/* ---- the agent, played ---- */

/* Of each connection in turn: what is answered; 0: it is closed without a word. */
static struct mcr_clients_message answers[4];
static unsigned answer_count;
static struct mcr_clients_owe got[4];
static ssize_t got_bytes[4];

static void *agent_run(void *unused)
{
	for (unsigned i = 0; i < answer_count; i++) {
		struct pollfd wait = {.fd = listening, .events = POLLIN};
		int fd;

		if (poll(&wait, 1, WAIT_MS) != 1)
			return unused;
		fd = accept(listening, NULL, NULL);
		got_bytes[i] = recv(fd, &got[i], sizeof(got[i]), MSG_TRUNC);
		if (answers[i].type != 0)
			(void)send(fd, &answers[i], sizeof(answers[i]), MSG_NOSIGNAL);
		(void)close(fd);
	}
	return NULL;
}

static int owe(unsigned step, const void *key, size_t bytes)
{
	pthread_t agent;
	void *silent = NULL;
	int reason;

	ck_assert_int_eq(pthread_create(&agent, NULL, agent_run, &silent), 0);
	reason = mcr_owe(reader, &two_steps, step, key, bytes, LONG_MS);
	ck_assert_int_eq(pthread_join(agent, &silent), 0);
	ck_assert_msg(silent == NULL, "the agent was not asked %u times", answer_count);
	return reason;
}

static void answer(unsigned i, uint32_t type, uint32_t code)
{
	answers[i] = (struct mcr_clients_message){
	    .type = type, .version = MCR_CLIENTS_VERSION, .incarnation = 1, .code = code};
	answer_count = i + 1;
}

/* ---- tests ---- */

START_TEST(the_message_is_what_the_document_says)
{
	/* A little-endian machine's; docs/clients.md has the offsets. */
	static const uint8_t head[32] = {5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					 7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	uint8_t expected[528] = {0};

	memcpy(expected, head, sizeof(head));
	memcpy(expected + 32, "toy", 3);
	memcpy(expected + 96, "cache01", 7);
	memcpy(expected + 160, "10.0.0.2:11211", 14);
	memcpy(expected + 272, "k\0\n ", 4);
	answer(0, MCR_CLIENTS_OWED, 0);
	ck_assert_int_eq(owe(1, "k\0\n ", 4), MCR_OK);
	ck_assert_int_eq(got_bytes[0], sizeof(expected));
	ck_assert_mem_eq(&got[0], expected, sizeof(expected));
}
END_TEST

START_TEST(a_server_that_is_out_of_the_ring_is_left_out)
{
	static const char zeros[MCR_CLIENTS_TEXT + MCR_CLIENTS_ADDRESS];

	for (uint32_t generation = 8; generation <= 11; generation++)
		toy_publish(&toy, generation, MCR_PREPARE);
	answer(0, MCR_CLIENTS_OWED, 0);
	ck_assert_int_eq(owe(1, "key", 3), MCR_OK);
	ck_assert_uint_eq(got[0].head.generation, 7);
	ck_assert_mem_eq(got[0].name, zeros, sizeof(zeros));
}
END_TEST

START_TEST(each_refusal_has_its_error)
{
	static const struct {
		uint32_t type, code;
		int error;
	} cases[] = {
	    {MCR_CLIENTS_REFUSED, MCR_CLIENTS_FULL, MCR_FULL},
	    {MCR_CLIENTS_REFUSED, MCR_CLIENTS_NOT_STORED, MCR_NOT_STORED},
	    {MCR_CLIENTS_REFUSED, MCR_CLIENTS_BAD_KEY, MCR_BAD_KEY},
	    {MCR_CLIENTS_REFUSED, MCR_CLIENTS_MISUSE, MCR_REFUSED},
	    {MCR_CLIENTS_REFUSED, MCR_CLIENTS_OTHER_VERSION, MCR_REFUSED},
	    {MCR_CLIENTS_REFUSED, 4711, MCR_REFUSED},
	    {MCR_CLIENTS_GENERATION, 0, MCR_REFUSED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		answer(0, cases[i].type, cases[i].code);
		ck_assert_int_eq(owe(0, "key", 3), cases[i].error);
	}
}
END_TEST

START_TEST(what_ends_without_an_answer_is_tried_again)
{
	answer(0, 0, 0);
	answer(1, MCR_CLIENTS_REFUSED, MCR_CLIENTS_NO_LIST);
	answer(2, MCR_CLIENTS_OWED, 0);
	ck_assert_int_eq(owe(1, "key", 3), MCR_OK);
	ck_assert_mem_eq(&got[0], &got[2], sizeof(got[0]));
}
END_TEST

START_TEST(it_waits_no_longer_than_it_is_told)
{
	/* Nobody takes the connection that the kernel has. */
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "key", 3, 50), MCR_TIMED_OUT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "key", 3, 0), MCR_TIMED_OUT);
	listen_end();
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "key", 3, 50), MCR_NO_AGENT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "key", 3, 0), MCR_NO_AGENT);
	listen_begin();
}
END_TEST

START_TEST(what_makes_no_sense_is_not_sent)
{
	char longer[MCR_KEY_MAX + 1] = {0};

	listen_end();
	ck_assert_int_eq(mcr_owe(NULL, &two_steps, 1, "key", 3, 0), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owe(reader, NULL, 1, "key", 3, 0), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 2, "key", 3, 0), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, NULL, 3, 0), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "key", 3, -1), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, "", 0, 0), MCR_BAD_KEY);
	ck_assert_int_eq(mcr_owe(reader, &two_steps, 1, longer, sizeof(longer), 0), MCR_BAD_KEY);
	listen_begin();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/owe");
	TCase *tests = tcase_create("owe");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_message_is_what_the_document_says);
	tcase_add_test(tests, a_server_that_is_out_of_the_ring_is_left_out);
	tcase_add_test(tests, each_refusal_has_its_error);
	tcase_add_test(tests, what_ends_without_an_answer_is_tried_again);
	tcase_add_test(tests, it_waits_no_longer_than_it_is_told);
	tcase_add_test(tests, what_makes_no_sense_is_not_sent);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
