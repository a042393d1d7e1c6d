/* dump.c - a program: everything a segment says to a client, in text.
 *
 *   dump SEGMENT KEYS
 *
 * Built for 32 and for 64 bits it must say the same of the same segment.  What changes from one
 * instant to the next (heartbeat, lease) is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcroster.h"

static int failed(const char *what, int error)
{
	(void)fprintf(stderr, "dump: %s: %s\n", what, mcr_strerror(error));
	return 1;
}

static void hash_print(const uint8_t *hash, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		(void)printf("%02x", hash[i]);
	(void)putchar('\n');
}

static int list_print(struct mcr_reader *reader)
{
	static struct mcr_server servers[2048];
	struct mcr_info info;
	const int count = mcr_servers(reader, &info, servers, 2048);

	if (count < 0)
		return failed("mcr_servers", count);
	(void)printf("generation %" PRIu32 " phase %s epoch %" PRIu64 " next %" PRIu64
		     " servers %" PRIu32 " slots %" PRIu32 " op-timeout %" PRIu32
		     " published %" PRIu64 " bypass %u\n",
		     info.generation, mcr_phase_name((enum mcr_phase)info.phase), info.epoch,
		     info.next_epoch, info.server_count, info.slot_count, info.op_timeout_ms,
		     info.published_ns, info.bypass);
	hash_print(info.list_hash, sizeof(info.list_hash));
	hash_print(info.next_hash, sizeof(info.next_hash));
	for (int i = 0; i < count; i++)
		(void)printf("%s %s %" PRIu32 " %016" PRIx64 " %u %u\n", servers[i].name,
			     servers[i].address, servers[i].weight, servers[i].id,
			     servers[i].in_old, servers[i].in_new);
	return 0;
}

static int plans_print(struct mcr_reader *reader, unsigned keys)
{
	for (unsigned i = 0; i < keys; i++) {
		const enum mcr_op op = (enum mcr_op)(i % MCR_OP_COUNT);
		struct mcr_plan plan;
		char key[32];
		int error, chars = snprintf(key, sizeof(key), "key:%u", i);

		error = mcr_begin(reader, op, key, (size_t)chars, &plan);
		if (error != MCR_OK)
			return failed("mcr_begin", error);
		(void)printf("%s", key);
		for (unsigned step = 0; step < plan.step_count; step++) {
			struct mcr_server server;

			error = mcr_server(reader, &plan, plan.step[step].server, &server);
			if (error != MCR_OK)
				return failed("mcr_server", error);
			(void)printf(" %u%s", plan.step[step].send, server.name);
		}
		error = mcr_check(reader, &plan);
		if (error != MCR_OK)
			return failed("mcr_check", error);
		error = mcr_end(reader, &plan);
		(void)printf(" answer %u end %d\n", plan.answer, error);
	}
	return 0;
}

/* The kernel takes the sleep's length in a form of its own, which is not everybody's timespec. */
static int wait_print(struct mcr *mcr)
{
	struct mcr_info info;
	int error = mcr_info(mcr, &info);

	if (error != MCR_OK)
		return failed("mcr_info", error);
	error = mcr_wait(mcr, info.generation, 50);
	(void)printf("wait: %s\n", mcr_strerror(error));
	return error == MCR_TIMED_OUT ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct mcr_reader *reader;
	struct mcr *mcr;
	int error;

	if (argc != 3)
		return 2;
	error = mcr_open(argv[1], 0, &mcr);
	if (error != MCR_OK)
		return failed(argv[1], error);
	error = mcr_reader_new(mcr, &reader);
	if (error != MCR_OK)
		return failed("mcr_reader_new", error);
	if (list_print(reader) != 0 ||
	    plans_print(reader, (unsigned)strtoul(argv[2], NULL, 10)) != 0)
		return 1;
	error = wait_print(mcr);
	mcr_reader_free(reader);
	mcr_close(mcr);
	return error;
}
