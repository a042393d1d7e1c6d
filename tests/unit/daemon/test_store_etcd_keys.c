/* test_store_etcd_keys.c - the keys documents beside the register in a real etcd: there before it
 * names them, never dropped, put again where they are missing, handed to a candidate that lacks
 * them. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../list/sample_keys.h"
#include "etcd_rig.h"

#define VERSIONS 4u

static struct keys *chain[VERSIONS]; /* version n is number n - 1 */

static void chain_make(void)
{
	struct sample_signer signers[VERSIONS + 1];
	struct keys keys;

	for (unsigned i = 0; i <= VERSIONS; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	for (unsigned i = 0; i < VERSIONS; i++) {
		char *text;

		keys_make(&keys, i > 0 ? chain[i - 1] : NULL, &signers[i + 1], 1, 1);
		text = keys_signed(&keys, signers, i, 2);
		ck_assert_int_eq(keys_parse(text, strlen(text), &chain[i], NULL), 0);
		free(text);
	}
}

static void set_up(void)
{
	rig_set_up();
	chain_make();
	etcd_start(&rig_etcd, NULL);
}

static void tear_down(void)
{
	for (unsigned i = 0; i < VERSIONS; i++)
		keys_free(chain[i]);
	rig_tear_down();
}

/* How often a version was put; 0: it is not there. */
static unsigned keys_version_there(uint64_t version)
{
	return etcd_version(&rig_etcd, rig_key("keys", chain[version - 1]->hash));
}

static struct reg reg_with_keys(uint64_t serial, uint64_t version)
{
	struct reg reg = rig_reg(1, serial, RIG_LIST, strlen(RIG_LIST));

	reg.keys_version = version;
	memcpy(reg.keys, chain[version - 1]->hash, LIST_HASH_BYTES);
	return reg;
}

/* Writes a register that names this version, with the chain to it or without. */
static void write_keys(struct candidate *c, uint64_t serial, uint64_t version, bool with_chain)
{
	const struct reg reg = reg_with_keys(serial, version);
	const struct store_document list = {RIG_LIST, strlen(RIG_LIST)};
	struct store_document keys[VERSIONS];
	const struct store_bodies bodies = {.keys = keys,
					    .key_count = with_chain ? (uint32_t)version : 0,
					    .lists = &list,
					    .list_count = 1};
	const unsigned before = c->stored;

	for (uint64_t i = 0; i < version; i++) {
		keys[i].bytes = chain[i]->document;
		keys[i].length = chain[i]->document_bytes;
	}
	ck_assert_int_eq(store_write(c->store, &reg, &bodies), 0);
	rig_until(c->stored == before + 1);
}

static void leads(struct candidate *c, const char *name)
{
	rig_open(c, name, rig_etcd.url, NULL);
	rig_start(c, NULL);
	rig_until(c->led);
}

/* Killed: it gives nothing back, and etcd finds out. */
static void dies(struct candidate *c)
{
	store_close(c->store);
	event_base_free(c->base);
	memset(c, 0, sizeof(*c));
	etcd_delete(&rig_etcd, RIG_LEADER);
}

/* A candidate that holds the chain up to `known`. */
static void waits(struct candidate *c, const char *name, uint64_t in_force, uint64_t known)
{
	rig_open(c, name, rig_etcd.url, NULL);
	memcpy(c->in_force, chain[in_force - 1]->hash, LIST_HASH_BYTES);
	c->keys_known = known;
	rig_start(c, NULL);
}

START_TEST(the_next_leader_is_given_the_keys_that_nobody_else_had_fetched)
{
	leads(&rig[0], "web01");
	write_keys(&rig[0], 1, 2, true);
	write_keys(&rig[0], 2, 4, true);
	write_keys(&rig[0], 3, 4, true);
	for (uint64_t version = 1; version <= VERSIONS; version++)
		ck_assert_uint_eq(keys_version_there(version), 1); /* once each */
	dies(&rig[0]);
	waits(&rig[1], "web02", 4, 1);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].keys, 3);
	ck_assert_uint_eq(rig[1].keys_version, 2);
	ck_assert_uint_eq(rig[1].lists, 1);
	ck_assert_uint_eq(rig[1].reg.keys_version, 4);
	write_keys(&rig[1], 4, 4, true);
	ck_assert_uint_eq(keys_version_there(1), 1);
	ck_assert_uint_eq(keys_version_there(4), 1);
}
END_TEST

START_TEST(a_chain_that_etcd_lacks_is_put_by_the_next_leader)
{
	leads(&rig[0], "web01");
	write_keys(&rig[0], 1, 3, false);
	dies(&rig[0]);
	waits(&rig[1], "web02", 3, 3);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].keys, 0);
	write_keys(&rig[1], 2, 3, true);
	for (uint64_t version = 1; version <= 3; version++)
		ck_assert_uint_eq(keys_version_there(version), 1);
	/* One with a hole as well, by whoever came upon it. */
	dies(&rig[1]);
	etcd_delete(&rig_etcd, rig_key("keys", chain[1]->hash));
	waits(&rig[2], "web03", 3, 1);
	rig_until(rig[2].led);
	ck_assert_uint_eq(rig[2].keys, 1);
	write_keys(&rig[2], 3, 3, true);
	ck_assert_uint_eq(keys_version_there(2), 1);
}
END_TEST

START_TEST(keys_that_the_owner_refuses_elect_nobody)
{
	leads(&rig[0], "web01");
	write_keys(&rig[0], 1, 1, true);
	dies(&rig[0]);
	waits(&rig[1], "web02", 1, 0);
	rig[1].keys_error = -EKEYREJECTED;
	rig_until(strstr(rig[1].trouble, "not signed by the ones before") != NULL);
	ck_assert_uint_eq(rig[1].elected, 0);
	rig[1].keys_error = 0;
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].keys, 1);
}
END_TEST

START_TEST(a_keys_body_of_another_hash_is_not_shown_to_the_owner_and_put_again)
{
	leads(&rig[0], "web01");
	write_keys(&rig[0], 1, 1, true);
	dies(&rig[0]);
	etcd_put(&rig_etcd, rig_key("keys", chain[0]->hash), "something else\n");
	waits(&rig[1], "web02", 1, 0);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].keys, 0);
	write_keys(&rig[1], 2, 1, true);
	dies(&rig[1]);
	waits(&rig[2], "web03", 1, 0);
	rig_until(rig[2].led);
	ck_assert_uint_eq(rig[2].keys, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
	    the_next_leader_is_given_the_keys_that_nobody_else_had_fetched,
	    a_chain_that_etcd_lacks_is_put_by_the_next_leader,
	    keys_that_the_owner_refuses_elect_nobody,
	    a_keys_body_of_another_hash_is_not_shown_to_the_owner_and_put_again,
	};

	return rig_suite("store_etcd_keys", tests, sizeof(tests) / sizeof(*tests), set_up,
			 tear_down);
}
