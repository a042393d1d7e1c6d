/* test_clients_run.c - libmcroster's clients and hostile ones at a real registration socket, with a
 * real segment; the loop is turned by the test. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/clients_run.h"
#include "internal.h"
#include "segment_rig.h"

#define WAIT_MS 20000u

static struct event_base *base;
static struct clients_run *run;
static struct clients_options options;
static char socket_path[100];
static unsigned changes;

static void on_changed(void *context)
{
	(void)context;
	changes++;
}

static void agent_begin(void)
{
	options.incarnation = segment_incarnation(segment);
	ck_assert_int_eq(clients_run_new(base, &options, on_changed, NULL, &run, &failure), 0);
	segment_clients(segment, socket_path);
}

/* The next generation, as the agent publishes it. */
static uint32_t go(uint8_t phase)
{
	struct segment_view view = {
	    .change = &change, .phase = phase, .registration_required = true};
	uint32_t generation;

	change.old_epoch++; /* another one, whatever the phase */
	ck_assert_int_eq(
	    segment_publish(segment, &view, mcr_clock_boot_ns(), &generation, &failure), 0);
	clients_run_published(run, generation, true, change.op_timeout_ms);
	return generation;
}

static void turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Turns the loop until the condition holds. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		const uint64_t until_ns = mcr_clock_boot_ns() + WAIT_MS * UINT64_C(1000000);       \
		while (!(condition)) {                                                             \
			ck_assert_msg(mcr_clock_boot_ns() < until_ns, "not in time: " #condition); \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

/* So many milliseconds on. */
static void turn_on(unsigned ms)
{
	const uint64_t then_ns = mcr_clock_boot_ns() + ms * MS_NS;

	UNTIL(mcr_clock_boot_ns() > then_ns);
}

static uint32_t standing(enum client_standing which)
{
	struct clients_status status;

	clients_run_status(run, &status);
	return status.count[which];
}

static uint32_t registered(void)
{
	return standing(CLIENT_ADOPTED) + standing(CLIENT_IDLE) + standing(CLIENT_SILENT) +
	       standing(CLIENT_REFUSED);
}

/* The first generation of the agent, over: what comes now waits for clients alone. */
static void begun(void)
{
	(void)go(MCR_STEADY);
	UNTIL(clients_run_settled(run));
}

/* A client that is registered by the time that it is returned: the agent's loop is this thread. */
static struct client client_begin(void)
{
	struct client client = {NULL, NULL};
	const uint32_t before = registered();

	ck_assert_int_eq(mcr_open(name, 0, &client.mcr), MCR_OK);
	UNTIL(mcr_register(client.mcr, 0) == MCR_OK);
	ck_assert_int_eq(mcr_reader_new(client.mcr, &client.reader), MCR_OK);
	ck_assert_uint_eq(registered(), before + 1);
	return client;
}

static void set_up(void)
{
	open_segment();
	change.op_timeout_ms = 1000;
	base = event_base_new();
	(void)snprintf(socket_path, sizeof(socket_path), "/tmp/mcroster-clients.%d", (int)getpid());
	options = (struct clients_options){
	    .path = socket_path, .mode = 0666, .cluster = "web", .per_uid = 100};
	changes = 0;
	agent_begin();
}

static void tear_down(void)
{
	clients_run_free(run);
	event_base_free(base);
	ck_assert_int_ne(access(socket_path, F_OK), 0);
}

static int plan_of(struct client *client, struct mcr_plan *plan)
{
	return mcr_begin(client->reader, MCR_OP_SET, "key", 3, plan);
}

/* ---- clients as they should be ---- */

START_TEST(an_idle_client_does_not_hold_a_generation_up)
{
	struct client client;
	struct mcr_plan plan;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_uint_eq(plan.deadline_ns, 0);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	for (unsigned i = 0; i < 20; i++) {
		(void)go(MCR_PREPARE);
		ck_assert(clients_run_settled(run)); /* without a turn of anybody's loop */
	}
	ck_assert_uint_eq(standing(CLIENT_IDLE), 1);
	client_close(&client);
}
END_TEST

START_TEST(a_client_in_an_operation_holds_it_up_until_the_operation_ends)
{
	struct client client;
	struct mcr_plan plan, second;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(plan_of(&client, &second), MCR_OK);
	(void)go(MCR_PREPARE);
	ck_assert(!clients_run_settled(run));
	ck_assert_uint_eq(standing(CLIENT_SILENT), 1);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_NEWER);
	ck_assert_uint_eq(standing(CLIENT_SILENT), 1);
	ck_assert_int_eq(mcr_end(client.reader, &second), MCR_NEWER);
	UNTIL(clients_run_settled(run));
	ck_assert_uint_ge(changes, 1);
	ck_assert_uint_eq(standing(CLIENT_IDLE), 1);
	/* Operations of the new generation hold up nothing. */
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_uint_eq(standing(CLIENT_ADOPTED), 1);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	client_close(&client);
}
END_TEST

START_TEST(one_that_never_ends_holds_it_up_for_op_timeout)
{
	struct client client;
	struct mcr_plan plan;
	uint64_t began_ns;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	began_ns = mcr_clock_boot_ns();
	(void)go(MCR_PREPARE);
	UNTIL(clients_run_settled(run));
	ck_assert_uint_ge(mcr_clock_boot_ns() - began_ns, 999 * MS_NS);
	/* It is over then, and holds up nothing more, also when its turn comes round again. */
	for (unsigned i = 0; i < 8; i++) {
		(void)go(MCR_COPY);
		ck_assert(clients_run_settled(run));
	}
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_REPEAT);
	client_close(&client);
}
END_TEST

START_TEST(an_acknowledgement_is_not_sent_while_an_older_operation_runs)
{
	struct client client;
	struct mcr_plan plan;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	(void)go(MCR_PREPARE);
	ck_assert_int_eq(mcr_service(client.mcr), MCR_OK);
	turn();
	ck_assert(!clients_run_settled(run));
	ck_assert_uint_eq(standing(CLIENT_SILENT), 1);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_NEWER);
	ck_assert_int_eq(mcr_service(client.mcr), MCR_OK);
	UNTIL(standing(CLIENT_ADOPTED) == 1); /* by its word: it has planned nothing since */
	client_close(&client);
}
END_TEST

START_TEST(mcr_wait_answers_for_the_process)
{
	struct client client;
	uint32_t generation;

	begun();
	client = client_begin();
	generation = go(MCR_PREPARE);
	ck_assert_uint_eq(standing(CLIENT_IDLE), 1);
	ck_assert(clients_run_quorum_missing(run, 100));
	ck_assert_int_eq(mcr_wait(client.mcr, generation - 1, 1000), MCR_OK);
	UNTIL(standing(CLIENT_ADOPTED) == 1);
	ck_assert(!clients_run_quorum_missing(run, 100));
	client_close(&client);
}
END_TEST

static bool readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

START_TEST(the_descriptor_is_readable_when_a_generation_is_out_and_when_the_agent_returns)
{
	struct client client;
	int fd;

	begun();
	client = client_begin();
	fd = mcr_fd(client.mcr);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mcr_fd(client.mcr), fd);
	turn();
	ck_assert(!readable(fd));
	for (unsigned i = 0; i < 3; i++) {
		(void)go(MCR_PREPARE);
		ck_assert(readable(fd));
		ck_assert_int_eq(mcr_service(client.mcr), MCR_OK);
		ck_assert(!readable(fd));
	}
	clients_run_free(run);
	ck_assert(readable(fd));
	(void)mcr_service(client.mcr);
	segment_close(segment);
	open_segment();
	agent_begin();
	(void)go(MCR_PREPARE);
	UNTIL(readable(fd)); /* its timer */
	UNTIL(mcr_service(client.mcr) == MCR_OK && registered() == 1);
	ck_assert_int_eq(mcr_fd(client.mcr), fd);
	turn();
	(void)go(MCR_COPY);
	UNTIL(readable(fd));
	client_close(&client);
}
END_TEST

START_TEST(a_client_goes_on_through_an_agents_restart)
{
	struct client client;
	struct mcr_plan plan;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	clients_run_free(run);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	segment_close(segment);
	open_segment();
	agent_begin();
	/* With the old generation still, and by the first of the new agent before it has answered.
	 */
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	(void)go(MCR_STEADY);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_uint_ne(plan.deadline_ns, 0);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	UNTIL(registered() == 1);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_uint_eq(plan.deadline_ns, 0);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	client_close(&client);
}
END_TEST

START_TEST(a_client_that_is_gone_holds_up_for_op_timeout)
{
	struct client client;

	begun();
	client = client_begin();
	client_close(&client);
	UNTIL(standing(CLIENT_GONE) == 1);
	turn_on(2); /* this process lives: the generation has to be later than its going */
	(void)go(MCR_PREPARE);
	ck_assert(!clients_run_settled(run));
	UNTIL(clients_run_settled(run));
	UNTIL(standing(CLIENT_GONE) == 0);
}
END_TEST

START_TEST(a_child_is_a_client_of_its_own)
{
	struct client client;
	struct mcr_plan plan, of_child;
	int status, ready[2], go_on[2];
	char byte = 0;
	pid_t child;

	begun();
	client = client_begin();
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go_on), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* The parent's plan is not the child's to end. */
		if (mcr_end(client.reader, &plan) != MCR_OK)
			_exit(1);
		if (mcr_register(client.mcr, (int)WAIT_MS) != MCR_OK)
			_exit(2);
		if (plan_of(&client, &of_child) != MCR_OK || of_child.deadline_ns != 0)
			_exit(3);
		if (write(ready[1], &byte, 1) != 1 || read(go_on[0], &byte, 1) != 1)
			_exit(4);
		_exit(mcr_end(client.reader, &of_child) == MCR_NEWER ? 0 : 5);
	}
	UNTIL(readable(ready[0]) || waitpid(child, &status, WNOHANG) == child);
	ck_assert(readable(ready[0]));
	ck_assert_uint_eq(registered(), 2);
	(void)go(MCR_PREPARE);
	ck_assert_uint_eq(standing(CLIENT_SILENT), 2);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_NEWER);
	ck_assert_uint_eq(standing(CLIENT_SILENT), 1);
	ck_assert_int_eq(write(go_on[1], &byte, 1), 1);
	UNTIL(waitpid(child, &status, WNOHANG) == child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: %x", status);
	UNTIL(clients_run_settled(run));
	client_close(&client);
}
END_TEST

/* ---- without registration ---- */

START_TEST(without_registration_there_are_no_plans_and_it_is_said_why)
{
	struct client client;
	struct mcr_plan plan;

	begun(); /* a second: the agent's first is over */
	options.per_uid = 1;
	clients_run_free(run);
	agent_begin();
	begun();
	ck_assert_int_eq(mcr_open(name, 0, &client.mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(client.mcr, &client.reader), MCR_OK);
	segment_heartbeat(segment);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_NOT_REGISTERED);
	ck_assert_int_eq(mcr_register(client.mcr, 0), MCR_NO_AGENT); /* it has not answered */
	UNTIL(mcr_register(client.mcr, 0) == MCR_OK);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(client.reader, &plan), MCR_OK);
	{
		struct client second;

		ck_assert_int_eq(mcr_open(name, 0, &second.mcr), MCR_OK);
		ck_assert_int_eq(mcr_reader_new(second.mcr, &second.reader), MCR_OK);
		UNTIL(mcr_register(second.mcr, 0) == MCR_TOO_MANY);
		segment_heartbeat(segment);
		ck_assert_int_eq(plan_of(&second, &plan), MCR_NOT_REGISTERED);
		client_close(&second);
	}
	{
		struct client tool;

		ck_assert_int_eq(mcr_open(name, MCR_OBSERVE, &tool.mcr), MCR_OK);
		ck_assert_int_eq(mcr_reader_new(tool.mcr, &tool.reader), MCR_OK);
		ck_assert_int_eq(plan_of(&tool, &plan), MCR_NOT_REGISTERED);
		client_close(&tool);
	}
	client_close(&client);
}
END_TEST

START_TEST(while_the_agent_is_dead_there_are_plans_with_a_deadline)
{
	struct client client;
	struct mcr_plan plan;

	change.op_timeout_ms = 50;
	begun();
	ck_assert_int_eq(unlink(socket_path), 0);
	ck_assert_int_eq(mcr_open(name, 0, &client.mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(client.mcr, &client.reader), MCR_OK);
	turn_on(1000); /* the agent's first second is over */
	segment_heartbeat(segment);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_NOT_REGISTERED);
	ck_assert_int_eq(mcr_register(client.mcr, 0), MCR_NO_AGENT);
	UNTIL(plan_of(&client, &plan) == MCR_OK);
	ck_assert_uint_ne(plan.deadline_ns, 0);
	ck_assert_uint_le(plan.deadline_ns, mcr_clock_boot_ns() + 50 * MS_NS);
	(void)mcr_end(client.reader, &plan);
	segment_heartbeat(segment);
	ck_assert_int_eq(plan_of(&client, &plan), MCR_NOT_REGISTERED);
	client_close(&client);
}
END_TEST

/* ---- strangers ---- */

static int stranger(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void message_send(int fd, const struct mcr_clients_message *message, size_t bytes, int pass)
{
	struct iovec part = {(void *)(uintptr_t)message, bytes};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (pass >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &pass, sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.bytes);
	}
	ck_assert_int_ge(sendmsg(fd, &header, MSG_NOSIGNAL), 0);
}

static struct mcr_clients_message hello(void)
{
	struct mcr_clients_message message = {
	    .type = MCR_CLIENTS_REGISTER, .version = MCR_CLIENTS_VERSION, .code = 1};

	memcpy(message.text, "web", 4);
	return message;
}

/* What the agent says last before it ends the connection; 0: nothing. */
static uint32_t refusal(int fd)
{
	struct mcr_clients_message message;
	uint32_t code = 0;
	ssize_t got;

	for (;;) {
		UNTIL(readable(fd));
		got = recv(fd, &message, sizeof(message), 0);
		if (got <= 0)
			break;
		ck_assert_int_eq(got, sizeof(message));
		if (message.type == MCR_CLIENTS_REFUSED)
			code = message.code;
	}
	(void)close(fd);
	return code;
}

static int marks_made(off_t bytes, unsigned seals)
{
	const int fd = memfd_create("marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, bytes), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static uint32_t marks_refusal(int pass)
{
	const struct mcr_clients_message message = hello();
	const int fd = stranger();

	message_send(fd, &message, sizeof(message), pass);
	(void)close(pass);
	return refusal(fd);
}

START_TEST(memory_that_cannot_be_trusted_is_refused)
{
	int ends[2];

	begun();
	ck_assert_uint_eq(marks_refusal(marks_made(MCR_MARKS_BYTES, 0)), MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(marks_made(MCR_MARKS_BYTES, F_SEAL_GROW | F_SEAL_SEAL)),
			  MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(marks_made(4096, SEALS)), MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(marks_made(MCR_MARKS_BYTES + 1, SEALS)),
			  MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(marks_made(MCR_MARKS_BYTES, SEALS | F_SEAL_WRITE)),
			  MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(open("/dev/null", O_RDWR)), MCR_CLIENTS_BAD_MARKS);
	ck_assert_uint_eq(marks_refusal(open("/etc/passwd", O_RDONLY)), MCR_CLIENTS_BAD_MARKS);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_uint_eq(marks_refusal(ends[0]), MCR_CLIENTS_BAD_MARKS);
	(void)close(ends[1]);
	ck_assert_uint_eq(registered(), 0);
}
END_TEST

START_TEST(counts_that_make_no_sense_hold_up_no_longer_than_op_timeout)
{
	const struct mcr_clients_message message = hello();
	const int pass = marks_made(MCR_MARKS_BYTES, SEALS), fd = stranger();
	uint32_t *words = mmap(NULL, MCR_MARKS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, pass, 0);

	begun();
	for (unsigned i = 0; i < MCR_MARKS_BYTES / 4; i++)
		words[i] = UINT32_MAX - i % 3;
	message_send(fd, &message, sizeof(message), pass);
	UNTIL(registered() == 1);
	(void)go(MCR_PREPARE);
	ck_assert(!clients_run_settled(run));
	UNTIL(clients_run_settled(run));
	(void)munmap(words, MCR_MARKS_BYTES);
	(void)close(pass);
	(void)close(fd);
}
END_TEST

/* An agent that is slow answers an attempt that its client has given up. */
START_TEST(the_end_of_an_attempt_says_nothing_of_the_next)
{
	struct mcr_clients_message message = hello();
	const int pass = marks_made(MCR_MARKS_BYTES, SEALS), first = stranger();
	struct mcr_marks *marks =
	    mmap(NULL, MCR_MARKS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, pass, 0);
	int second;

	begun();
	message_send(first, &message, sizeof(message), pass);
	UNTIL(registered() == 1);
	message.code = 2;
	second = stranger();
	message_send(second, &message, sizeof(message), pass);
	UNTIL(registered() == 2);
	(void)close(first);
	UNTIL(registered() == 1);
	ck_assert_uint_eq(marks->dropped, 1);
	(void)close(second);
	UNTIL(registered() == 0);
	ck_assert_uint_eq(marks->dropped, 2);
	(void)munmap(marks, MCR_MARKS_BYTES);
	(void)close(pass);
}
END_TEST

START_TEST(what_is_no_message_ends_the_connection)
{
	static const struct {
		uint32_t type, version, generation, zero;
		bool registered;
		uint32_t code;
	} bad[] = {
	    {MCR_CLIENTS_REGISTER, 2, 0, 0, false, MCR_CLIENTS_OTHER_VERSION},
	    {MCR_CLIENTS_REGISTER, 1, 0, 1, false, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_WATCH, 1, 0, 0, false, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_ACKNOWLEDGE, 1, 1, 0, false, MCR_CLIENTS_MISUSE},
	    {0, 1, 0, 0, false, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_REGISTERED, 1, 0, 0, false, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_REGISTER, 1, 0, 0, true, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_ACKNOWLEDGE, 1, 0, 0, true, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_ACKNOWLEDGE, 1, 2, 0, true, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_ACKNOWLEDGE, 1, UINT32_MAX, 0, true, MCR_CLIENTS_MISUSE},
	    {MCR_CLIENTS_REFUSE, 1, UINT32_MAX, 0, true, MCR_CLIENTS_MISUSE},
	    {UINT32_MAX, 1, 0, 0, true, MCR_CLIENTS_MISUSE},
	};
	struct mcr_clients_message message;
	int fd;

	begun();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fd = stranger();
		message = hello();
		if (bad[i].registered)
			message_send(fd, &message, sizeof(message), -1);
		message.type = bad[i].type;
		message.version = bad[i].version;
		message.generation = bad[i].generation;
		message.zero = bad[i].zero;
		message_send(fd, &message, sizeof(message), -1);
		ck_assert_msg(refusal(fd) == bad[i].code, "message %zu", i);
	}
	message = hello();
	fd = stranger();
	message_send(fd, &message, sizeof(message) - 1, -1);
	ck_assert_uint_eq(refusal(fd), MCR_CLIENTS_MISUSE);
	message.text[2] = 'x';
	fd = stranger();
	message_send(fd, &message, sizeof(message), -1);
	ck_assert_uint_eq(refusal(fd), MCR_CLIENTS_OTHER_CLUSTER);
	memset(message.text, 'w', sizeof(message.text));
	fd = stranger();
	message_send(fd, &message, sizeof(message), -1);
	ck_assert_uint_eq(refusal(fd), MCR_CLIENTS_MISUSE);
	ck_assert_uint_eq(registered(), 0);
}
END_TEST

START_TEST(a_flood_ends_the_connection)
{
	struct mcr_clients_message message = hello();
	const int fd = stranger();
	unsigned sent = 0;

	begun();
	message_send(fd, &message, sizeof(message), -1);
	message.type = MCR_CLIENTS_ACKNOWLEDGE;
	message.generation = 1;
	while (sent < 100000 &&
	       (send(fd, &message, sizeof(message), MSG_NOSIGNAL) > 0 || errno == EAGAIN)) {
		sent++;
		turn();
	}
	ck_assert_uint_lt(sent, 100000);
	(void)close(fd);
	UNTIL(registered() == 0);
}
END_TEST

START_TEST(connections_that_do_not_register_are_few_and_end)
{
	int fd[200];
	struct clients_status status;

	begun();
	for (unsigned i = 0; i < 200; i++) {
		fd[i] = stranger();
		turn();
	}
	clients_run_status(run, &status);
	ck_assert_uint_le(status.half_open, 64);
	UNTIL((clients_run_status(run, &status), status.half_open == 0));
	for (unsigned i = 0; i < 200; i++)
		(void)close(fd[i]);
	{
		struct client client = client_begin();

		client_close(&client);
	}
}
END_TEST

/* ---- threads ---- */

#define THREADS 4

static bool stop;

/* An operation is never planned by another generation than the one that its count says. */
static void *thread_run(void *context)
{
	struct mcr *mcr = context;
	struct mcr_reader *reader;
	struct mcr_plan plan;
	uintptr_t failed = 0;

	if (mcr_reader_new(mcr, &reader) != MCR_OK)
		return (void *)1;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (mcr_begin(reader, MCR_OP_SET, "key", 3, &plan) != MCR_OK)
			failed = 2;
		else if (mcr_end(reader, &plan) < 0)
			failed = 3;
	}
	mcr_reader_free(reader);
	return (void *)failed;
}

START_TEST(busy_threads_settle_as_fast_as_they_work)
{
	struct client client;
	pthread_t thread[THREADS];
	void *failed;

	begun();
	client = client_begin();
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, thread_run, client.mcr), 0);
	for (unsigned i = 0; i < 200; i++) {
		(void)go(MCR_PREPARE);
		UNTIL(clients_run_settled(run));
	}
	UNTIL(standing(CLIENT_ADOPTED) == 1);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(thread[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	client_close(&client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/clients_run");
	TCase *tests = tcase_create("clients");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_idle_client_does_not_hold_a_generation_up);
	tcase_add_test(tests, a_client_in_an_operation_holds_it_up_until_the_operation_ends);
	tcase_add_test(tests, one_that_never_ends_holds_it_up_for_op_timeout);
	tcase_add_test(tests, an_acknowledgement_is_not_sent_while_an_older_operation_runs);
	tcase_add_test(tests, mcr_wait_answers_for_the_process);
	tcase_add_test(
	    tests, the_descriptor_is_readable_when_a_generation_is_out_and_when_the_agent_returns);
	tcase_add_test(tests, a_client_goes_on_through_an_agents_restart);
	tcase_add_test(tests, a_client_that_is_gone_holds_up_for_op_timeout);
	tcase_add_test(tests, a_child_is_a_client_of_its_own);
	tcase_add_test(tests, without_registration_there_are_no_plans_and_it_is_said_why);
	tcase_add_test(tests, while_the_agent_is_dead_there_are_plans_with_a_deadline);
	tcase_add_test(tests, memory_that_cannot_be_trusted_is_refused);
	tcase_add_test(tests, counts_that_make_no_sense_hold_up_no_longer_than_op_timeout);
	tcase_add_test(tests, the_end_of_an_attempt_says_nothing_of_the_next);
	tcase_add_test(tests, what_is_no_message_ends_the_connection);
	tcase_add_test(tests, a_flood_ends_the_connection);
	tcase_add_test(tests, connections_that_do_not_register_are_few_and_end);
	tcase_add_test(tests, busy_threads_settle_as_fast_as_they_work);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
