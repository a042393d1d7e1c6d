/* Suite of agent/list/routing.c, ring.c and distribution.c: every vector of the programs whose
 * answers are promised. */
#include "list/routing.h"

#include "md5.h"
#include "ring_vectors.h"
#include "sample.h"

struct vector_list {
	struct list list;
	struct list_server servers[VECTOR_SERVERS_MAX];
};

static void vector_list_make(struct vector_list *made, const struct vector *vector)
{
	const struct vector_set *set = &vector_sets[vector->set - 'A'];

	memset(made, 0, sizeof(*made));
	made->list.servers = made->servers;
	made->list.server_count = set->count;
	ck_assert_int_eq(set->name, vector->set);
	ck_assert(distribution_find(vector->distribution, vector->word, &made->list.distribution));
	if (distribution_rules(made->list.distribution)->hash_said)
		ck_assert(distribution_hash_find(vector->word, &made->list.key_hash));
	for (uint32_t i = 0; i < set->count; i++) {
		struct list_server *server = &made->servers[i];

		(void)snprintf(server->name, sizeof(server->name), "s%u", i);
		(void)snprintf(server->address, sizeof(server->address), "%s",
			       set->servers[i].address);
		server->weight = set->servers[i].weight;
		if (vector->mark[0] != '\0')
			(void)snprintf(server->label, sizeof(server->label), "%s%s", vector->mark,
				       set->servers[i].address);
	}
}

START_TEST(every_key_has_the_owner_that_the_program_gives_it)
{
	const struct vector *vector = &vectors[_i];
	static char digits[VECTOR_KEYS + 1];
	uint32_t counts[VECTOR_SERVERS_MAX] = {0}, digest[4];
	struct failure failure = {{0}};
	struct vector_list made;
	char hex[33] = "";
	struct table table;

	vector_list_make(&made, vector);
	ck_assert_msg(routing_make(&made.list, NULL, 0, &table, &failure) == 0, "%s", failure.text);
	for (int i = 0; i < VECTOR_KEYS; i++) {
		char key[16];
		const size_t chars = (size_t)snprintf(key, sizeof(key), "key:%d", i);
		const uint32_t owner = mcr_table_owner(&table, key, chars);

		ck_assert_uint_lt(owner, made.list.server_count);
		digits[i] = (char)('0' + owner);
		counts[owner]++;
	}
	ck_assert_msg(strncmp(digits, vector->first, strlen(vector->first)) == 0,
		      "%s, set %c: %.40s, want %s", vector->program, vector->set, digits,
		      vector->first);
	ck_assert_mem_eq(counts, vector->counts, sizeof(counts));
	mcr_md5(digits, VECTOR_KEYS, digest);
	for (int i = 0; i < 16; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i / 4] >> (8 * (i % 4)) & 0xff);
	ck_assert_str_eq(hex, vector->md5);
	routing_free(&table);
}
END_TEST

START_TEST(key_is_owned_by_the_slot_of_its_hash)
{
	static const struct {
		const char *key;
		uint64_t hash;
	} hashed[] = {
	    {"", UINT64_C(0x2d06800538d394c2)},
	    {"a", UINT64_C(0xe6c632b61e964e1f)},
	    {"abc", UINT64_C(0x78af5f94892f3950)},
	};

	static struct sample sample;
	struct table table;

	sample_make(&sample, 3);
	for (unsigned bits = 10; bits <= 16; bits++) {
		sample.list.slot_count = 1u << bits;
		for (size_t i = 0; i < sizeof(hashed) / sizeof(hashed[0]); i++) {
			const char *key = hashed[i].key;

			memset(sample.slots, 0, sizeof(sample.slots));
			sample.slots[hashed[i].hash >> (64 - bits)] = 2;
			ck_assert_int_eq(routing_make(&sample.list, NULL, 0, &table, NULL), 0);
			ck_assert_uint_eq(mcr_table_owner(&table, key, strlen(key)), 2);
			routing_free(&table);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("routing");
	TCase *tcase = tcase_create("routing");

	tcase_add_loop_test(tcase, every_key_has_the_owner_that_the_program_gives_it, 0,
			    VECTOR_COUNT);
	tcase_add_test(tcase, key_is_owned_by_the_slot_of_its_hash);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
