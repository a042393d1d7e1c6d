/* etcd_rig.c - see etcd_rig.h: the candidates. */
#include "etcd_rig.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/agent.h"
#include "etcd_relay.h"
#include "list/document.h"

struct candidate rig[RIG_CANDIDATES];
struct etcd_process rig_etcd, rig_other;
struct relay *rig_relay;
struct liar *rig_liar;

void rig_set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	ck_assert_int_ge(setenv("http_proxy", "http://127.0.0.1:1", 1), 0); /* must not be used */
}

void rig_tear_down(void)
{
	rig_close_all();
	if (rig_relay != NULL)
		relay_free(rig_relay);
	if (rig_liar != NULL)
		liar_free(rig_liar);
	etcd_remove(&rig_etcd);
	etcd_remove(&rig_other);
}

uint64_t rig_now_ms(void)
{
	return clock_now_ms();
}

static int on_keys(void *context, const uint8_t in_force[LIST_HASH_BYTES], const void *document,
		   size_t bytes, uint8_t before[LIST_HASH_BYTES], struct failure *failure)
{
	struct candidate *c = context;
	struct keys *keys;
	int error;

	ck_assert_uint_eq(c->lists, 0); /* keys first */
	ck_assert_mem_eq(in_force, c->in_force, LIST_HASH_BYTES);
	if (c->keys_error != 0)
		return failure_set(failure, -c->keys_error, "not signed by the ones before");
	ck_assert_int_eq(keys_parse(document, bytes, &keys, failure), 0);
	ck_assert_uint_eq(keys->version, c->keys == 0 ? keys->version : c->keys_version - 1);
	c->keys++;
	c->keys_version = keys->version;
	memcpy(before, keys->parent, LIST_HASH_BYTES);
	error = keys->version - 1 > c->keys_known ? -EAGAIN : 0;
	keys_free(keys);
	return error;
}

static int on_list(void *context, const void *document, size_t bytes, struct failure *failure)
{
	struct candidate *c = context;

	(void)document;
	c->lists++;
	c->list_bytes = bytes;
	return c->list_error == 0
		   ? 0
		   : failure_set(failure, -c->list_error, "signed by nobody whom we trust");
}

static void on_elected(void *context, const struct reg *reg, uint64_t until_ms)
{
	struct candidate *c = context;

	ck_assert(!c->led);
	c->led = true;
	c->elected++;
	c->until_ms = until_ms;
	c->has_reg = reg != NULL;
	if (reg != NULL)
		c->reg = *reg;
}

static void on_leads(void *context, uint64_t until_ms)
{
	struct candidate *c = context;

	ck_assert(c->led);
	ck_assert_uint_gt(until_ms, c->until_ms);
	c->until_ms = until_ms;
}

static void on_lost(void *context, const char *why)
{
	struct candidate *c = context;

	c->led = false;
	c->lost++;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

static void on_leader(void *context, const char *name)
{
	struct candidate *c = context;

	(void)snprintf(c->leader, sizeof(c->leader), "%s", name);
}

static void on_stored(void *context, bool ok, const char *why)
{
	struct candidate *c = context;

	ck_assert(c->led);
	if (ok)
		c->stored++;
	else
		c->refused++;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

static void on_trouble(void *context, const char *why)
{
	struct candidate *c = context;
	const size_t used = strlen(c->troubles);

	(void)snprintf(c->trouble, sizeof(c->trouble), "%s", why);
	(void)snprintf(c->troubles + used, sizeof(c->troubles) - used, "%s\n", why);
}

static const struct store_events events = {
    .keys = on_keys,
    .list = on_list,
    .elected = on_elected,
    .leads = on_leads,
    .lost = on_lost,
    .leader = on_leader,
    .stored = on_stored,
    .trouble = on_trouble,
};

void rig_open(struct candidate *c, const char *name, const char *url, const char *other_url)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->config.cluster, "web");
	strcpy(c->config.name, name);
	c->config.register_in = CONFIG_REGISTER_ETCD;
	c->config.etcd.lease_s = RIG_LEASE_S;
	strcpy(c->config.etcd.endpoints[c->config.etcd.endpoint_count++], url);
	if (other_url != NULL)
		strcpy(c->config.etcd.endpoints[c->config.etcd.endpoint_count++], other_url);
	c->base = event_base_new();
	ck_assert_ptr_nonnull(c->base);
}

void rig_start(struct candidate *c, const struct reg *known)
{
	const struct store_owner owner = {&events, c};
	struct failure failure;

	ck_assert_msg(store_open_etcd(&c->config, known, c->base, &owner, &c->store, &failure) == 0,
		      "%s", failure.text);
}

void rig_close_all(void)
{
	for (unsigned i = 0; i < RIG_CANDIDATES; i++) {
		store_close(rig[i].store);
		if (rig[i].base != NULL)
			event_base_free(rig[i].base);
		memset(&rig[i], 0, sizeof(rig[i]));
	}
}

void rig_step(void)
{
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		if (rig[i].base != NULL && !rig[i].stopped)
			(void)event_base_loop(rig[i].base, EVLOOP_NONBLOCK);
	relay_step();
	(void)rig_leader();
	(void)poll(NULL, 0, 1);
}

void rig_run_ms(uint64_t ms)
{
	const uint64_t end_ms = rig_now_ms() + ms;

	while (rig_now_ms() < end_ms)
		rig_step();
}

bool rig_leads(const struct candidate *c)
{
	return c->led && rig_now_ms() < c->until_ms;
}

struct candidate *rig_leader(void)
{
	struct candidate *leader = NULL;

	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		if (rig_leads(&rig[i])) {
			ck_assert_msg(leader == NULL, "%s and %s lead at the same time",
				      leader != NULL ? leader->config.name : "",
				      rig[i].config.name);
			leader = &rig[i];
		}
	return leader;
}

struct reg rig_reg(uint64_t term, uint64_t serial, const void *list, size_t bytes)
{
	struct reg reg = {.term = term, .serial = serial, .epoch = 1, .highest_epoch = 1};

	document_hash(list, bytes, reg.active);
	strcpy(reg.coordinator, "web01");
	return reg;
}

const char *rig_key(const char *kind, const uint8_t hash[LIST_HASH_BYTES])
{
	static char key[160];
	size_t used = (size_t)snprintf(key, sizeof(key), "/mcroster/web/%s/", kind);

	(void)sodium_bin2hex(key + used, sizeof(key) - used, hash, LIST_HASH_BYTES);
	return key;
}

void rig_write_list(struct candidate *c, const struct reg *reg, const void *list, size_t bytes)
{
	const struct store_document document = {list, bytes};
	const struct store_bodies bodies = {.lists = &document, .list_count = list != NULL};

	ck_assert_int_eq(store_write(c->store, reg, &bodies), 0);
}

void rig_write(struct candidate *c, uint64_t term, uint64_t serial, bool with_list)
{
	const struct reg reg = rig_reg(term, serial, RIG_LIST, strlen(RIG_LIST));

	rig_write_list(c, &reg, with_list ? RIG_LIST : NULL, strlen(RIG_LIST));
}

void rig_write_whole(struct candidate *c, uint64_t term, uint64_t serial)
{
	const unsigned before = c->stored;

	rig_write(c, term, serial, true);
	ck_assert_uint_eq(c->stored, before); /* answers come from the loop */
	rig_until(c->stored == before + 1);
}

static int one_run(const char *name, const TTest *test, SFun set_up, SFun tear_down)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool one_ended(void)
{
	int status;

	return wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

int rig_suite(const char *name, const TTest *const *tests, unsigned count, SFun set_up,
	      SFun tear_down)
{
	unsigned running = 0;
	bool good = true;

	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* their lines stay whole */
	for (unsigned i = 0; i < count; i++) {
		pid_t pid;

		if (running == RIG_AT_ONCE) {
			good = one_ended() && good;
			running--;
		}
		pid = fork();
		if (pid == 0)
			exit(one_run(name, tests[i], set_up, tear_down));
		good = pid > 0 && good;
		running += pid > 0;
	}
	while (running-- > 0)
		good = one_ended() && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
