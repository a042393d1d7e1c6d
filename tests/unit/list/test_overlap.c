/* Suite of agent/list/overlap.c: what is counted is what keys do. */
#include "list/overlap.h"

#include <math.h>

#include "list/routing.h"
#include "sample.h"

#define SERVERS_MAX 12u
#define KEYS	    40000u

struct pairs {
	uint64_t parts[SERVERS_MAX][SERVERS_MAX], all;
};

static void take(void *context, uint32_t from, uint32_t to, uint64_t parts)
{
	struct pairs *pairs = context;

	ck_assert_uint_lt(from, SERVERS_MAX);
	ck_assert_uint_lt(to, SERVERS_MAX);
	pairs->parts[from][to] += parts;
	pairs->all += parts;
}

static void table_make(struct table *table, enum distribution distribution, uint32_t hash,
		       uint32_t servers)
{
	struct failure failure = {{0}};
	struct sample sample;

	sample_make(&sample, servers);
	sample.list.distribution = distribution;
	sample.list.key_hash = hash;
	if (distribution != DISTRIBUTION_SLOTS)
		sample.list.slot_count = 0;
	ck_assert_msg(routing_make(&sample.list, NULL, 0, table, &failure) == 0, "%s",
		      failure.text);
}

static const struct {
	enum distribution from, to;
	uint32_t from_hash, to_hash, from_servers, to_servers;
} cases[] = {
    {DISTRIBUTION_SLOTS, DISTRIBUTION_SLOTS, 0, 0, 3, 4},
    {DISTRIBUTION_KETAMA_WEIGHTED, DISTRIBUTION_KETAMA_WEIGHTED, MCR_HASH_MD5, MCR_HASH_MD5, 3, 4},
    {DISTRIBUTION_KETAMA, DISTRIBUTION_KETAMA_WEIGHTED, 0, MCR_HASH_MD5, 5, 5},
    {DISTRIBUTION_KETAMA_WEIGHTED, DISTRIBUTION_KETAMA_WEIGHTED, MCR_HASH_CRC32, MCR_HASH_CRC32, 9,
     4},
    {DISTRIBUTION_PROXY_RING, DISTRIBUTION_PROXY_RING, 0, 0, 4, 3},
    {DISTRIBUTION_MODULA, DISTRIBUTION_MODULA, MCR_HASH_ONE_AT_A_TIME, MCR_HASH_ONE_AT_A_TIME, 4,
     6},
    {DISTRIBUTION_MODULA, DISTRIBUTION_MODULA, MCR_HASH_CRC32, MCR_HASH_CRC32, 7, 8},
    {DISTRIBUTION_PROXY_JUMP, DISTRIBUTION_PROXY_JUMP, 0, 0, 4, 7},
    {DISTRIBUTION_PROXY_JUMP, DISTRIBUTION_PROXY_JUMP, 0, 0, 6, 5},
    {DISTRIBUTION_KETAMA, DISTRIBUTION_SLOTS, 0, 0, 4, 4},
    {DISTRIBUTION_SLOTS, DISTRIBUTION_PROXY_JUMP, 0, 0, 3, 3},
    {DISTRIBUTION_KETAMA_WEIGHTED, DISTRIBUTION_KETAMA_WEIGHTED, MCR_HASH_MD5, MCR_HASH_MURMUR, 3,
     3},
    {DISTRIBUTION_MODULA, DISTRIBUTION_KETAMA, MCR_HASH_CRC32A, 0, 5, 6},
};

START_TEST(the_parts_are_those_of_the_keys)
{
	struct pairs counted = {{{0}}, 0};
	static uint32_t seen[SERVERS_MAX][SERVERS_MAX];
	struct table from, to;
	uint64_t all = 0;

	table_make(&from, cases[_i].from, cases[_i].from_hash, cases[_i].from_servers);
	table_make(&to, cases[_i].to, cases[_i].to_hash, cases[_i].to_servers);
	ck_assert_int_eq(overlap_count(&from, &to, SERVERS_MAX, take, &counted, &all, NULL), 0);
	ck_assert(fabs((double)counted.all / (double)all - 1) < 1e-6);
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < KEYS; i++) {
		char key[32];
		const size_t bytes =
		    (size_t)snprintf(key, sizeof(key), "%x/overlap", i * 2654435761u);

		seen[mcr_table_owner(&from, key, bytes)][mcr_table_owner(&to, key, bytes)]++;
	}
	for (uint32_t i = 0; i < SERVERS_MAX; i++)
		for (uint32_t j = 0; j < SERVERS_MAX; j++) {
			const double share = (double)counted.parts[i][j] / (double)all;

			/* Nobody who can have work is said to have none. */
			ck_assert(seen[i][j] == 0 || counted.parts[i][j] > 0);
			ck_assert_msg(fabs((double)seen[i][j] / KEYS - share) < 0.015,
				      "case %d, %u to %u: %u keys of %u, a share of %.4f", _i, i, j,
				      seen[i][j], KEYS, share);
		}
	routing_free(&from);
	routing_free(&to);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overlap");
	TCase *tcase = tcase_create("overlap");

	tcase_add_loop_test(tcase, the_parts_are_those_of_the_keys, 0,
			    (int)(sizeof(cases) / sizeof(cases[0])));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
