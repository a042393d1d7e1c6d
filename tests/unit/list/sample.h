/* sample.h - a small list that obeys every rule, and tools to bend its text.
 *
 * Two agents, `servers` servers shared between them, every kind of line present.
 */
#ifndef MCROSTER_TESTS_SAMPLE_H
#define MCROSTER_TESTS_SAMPLE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/list.h"
#include "list/slots.h"

#define SAMPLE_SERVERS_MAX 16u

struct sample {
	struct list list;
	struct list_agent agents[2];
	struct list_server servers[SAMPLE_SERVERS_MAX];
	uint16_t slots[LIST_SLOTS_MAX];
};

static inline void sample_plan(struct sample *sample)
{
	uint32_t weight[SAMPLE_SERVERS_MAX];

	for (uint32_t i = 0; i < sample->list.server_count; i++)
		weight[i] = sample->servers[i].weight;
	ck_assert_int_eq(slots_plan(sample->slots, sample->list.slot_count, weight,
				    sample->list.server_count, NULL),
			 0);
}

static inline void sample_make(struct sample *sample, uint32_t servers)
{
	struct list *list = &sample->list;

	memset(sample, 0, sizeof(*sample));
	strcpy(list->cluster, "web");
	list->epoch = 42;
	list->has_parent = true;
	memset(list->parent, 0x5c, sizeof(list->parent));
	strcpy(list->created, "2026-11-22T10:00:00Z");
	list->slot_count = LIST_SLOTS_MIN;
	list->lease_ms = 5000;
	list->steady_lease_ms = 60000;
	list->op_timeout_ms = 1000;
	list->client_quorum = 10;
	list->registration_required = true;
	strcpy(list->prefix, "shop:");
	list->agents = sample->agents;
	list->agent_count = 2;
	list->servers = sample->servers;
	list->server_count = servers;
	list->slots = sample->slots;
	for (uint32_t i = 0; i < 2; i++) {
		(void)snprintf(sample->agents[i].name, sizeof(sample->agents[i].name), "web%02u",
			       i);
		(void)snprintf(sample->agents[i].address, sizeof(sample->agents[i].address),
			       i == 0 ? "10.0.0.1:11280" : "[fd00::2]:11280");
		memset(sample->agents[i].key, 0x10 + (int)i, sizeof(sample->agents[i].key));
	}
	for (uint32_t i = 0; i < servers; i++) {
		(void)snprintf(sample->servers[i].name, sizeof(sample->servers[i].name),
			       "cache%02u", i);
		(void)snprintf(sample->servers[i].address, sizeof(sample->servers[i].address),
			       "10.0.1.%u:11211", i + 1);
		sample->servers[i].weight = 100;
		sample->servers[i].agent = i % 2;
	}
	sample->servers[servers - 1].has_wipe = true;
	sample->servers[servers - 1].wipe = 7;
	memset(sample->slots, 0xff, sizeof(sample->slots));
	sample_plan(sample);
}

/* The body as a string; the caller frees it. */
static inline char *sample_body(const struct sample *sample)
{
	struct failure failure = {{0}};
	void *body = NULL;
	size_t bytes = 0;
	char *text;

	ck_assert_msg(list_write(&sample->list, &body, &bytes, &failure) == 0, "%s", failure.text);
	text = strndup(body, bytes);
	free(body);
	ck_assert_uint_eq(strlen(text), bytes);
	return text;
}

/* `text` with the first `from` in it replaced; it must be there. */
static inline char *text_replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *made = NULL;

	ck_assert_msg(at != NULL, "`%s` is not in the sample", from);
	ck_assert_int_ge(asprintf(&made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)),
			 0);
	return made;
}

struct sample_signer {
	uint8_t key[DOCUMENT_KEY_BYTES];
	uint8_t secret[DOCUMENT_SECRET_BYTES];
};

static inline void signer_make(struct sample_signer *signer, uint8_t number)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	memset(seed, number, sizeof(seed));
	ck_assert_int_eq(crypto_sign_seed_keypair(signer->key, signer->secret, seed), 0);
}

/* `document` signed once more, as a string; the caller frees both. */
static inline char *text_sign(const char *document, const struct sample_signer *signer)
{
	struct failure failure = {{0}};
	void *out = NULL;
	size_t bytes = 0;
	char *text;

	ck_assert_msg(
	    document_sign(document, strlen(document), signer->secret, &out, &bytes, &failure) == 0,
	    "%s", failure.text);
	text = strndup(out, bytes);
	free(out);
	return text;
}

static inline void trust_make(struct trust *trust, const struct sample_signer *signers,
			      uint32_t count, uint32_t threshold)
{
	memset(trust, 0, sizeof(*trust));
	trust->count = count;
	trust->threshold = threshold;
	for (uint32_t i = 0; i < count; i++)
		memcpy(trust->keys[i], signers[i].key, DOCUMENT_KEY_BYTES);
}

/* A small generator with a seed of its own, so that a failing case can be run again. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((*state >> 32) * bound) >> 32);
}

static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
