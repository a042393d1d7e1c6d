/* test_store_move.c - the register moved from the state directory to a real etcd, and back. */
#include "daemon/store_move.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../list/sample_keys.h"
#include "core/register_value.h"
#include "daemon/lists.h"
#include "daemon/store_internal.h"
#include "etcd_rig.h"

#define PATIENCE_MS 20000u

/* Everything that a move leaves behind, on disk or in etcd, goes through one of these four: a
 * process with a fuse is killed right before the call that it counts down to. */
static unsigned fuse;

static void fuse_burn(void)
{
	if (fuse > 0 && --fuse == 0)
		(void)kill(getpid(), SIGKILL);
}

int fsync(int fd)
{
	fuse_burn();
	return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	fuse_burn();
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int fd, const char *name, int flags)
{
	fuse_burn();
	return (int)syscall(SYS_unlinkat, fd, name, flags);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
	fuse_burn();
	return (ssize_t)syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
}

static struct etcd_process etcd;
static struct config config;
static struct state *state;
static char *signed_list;
static size_t signed_bytes;
static struct reg reg;

static void list_make(void)
{
	static struct sample sample;
	struct sample_signer signer;
	char *body;

	sample_make(&sample, 3);
	body = sample_body(&sample);
	signer_make(&signer, 1);
	trust_make(&config.trust, &signer, 1, 1);
	signed_list = text_sign(body, &signer);
	signed_bytes = strlen(signed_list);
	memset(&reg, 0, sizeof(reg));
	reg.term = 3;
	reg.serial = 9;
	reg.epoch = reg.highest_epoch = 42;
	document_hash(body, strlen(body), reg.active);
	strcpy(reg.coordinator, "web00");
	free(body);
}

static void state_begin(void)
{
	struct failure failure;

	ck_assert_msg(state_open(config.state_directory, &state, &failure) == 0, "%s",
		      failure.text);
}

static void register_put(const struct reg *what)
{
	uint8_t bytes[REGISTER_BYTES];

	register_encode(what, bytes);
	ck_assert_int_eq(state_store(state, STORE_REGISTER_FILE, bytes, sizeof(bytes), NULL), 0);
}

static struct lists *lists_of(struct keyring **ring)
{
	struct lists *lists;

	ck_assert_int_eq(keyring_open(state, &config.trust, "web", ring, NULL), 0);
	ck_assert_int_eq(lists_open(state, *ring, &lists, NULL), 0);
	return lists;
}

static void list_put(void)
{
	const struct list *held;
	struct keyring *ring;
	struct lists *lists = lists_of(&ring);

	ck_assert_int_eq(lists_add(lists, signed_list, signed_bytes, 0, &held, NULL), 0);
	lists_close(lists);
	keyring_close(ring);
}

static bool list_there(void)
{
	struct keyring *ring;
	struct lists *lists = lists_of(&ring);
	const bool there = lists_find(lists, reg.active) != NULL;

	lists_close(lists);
	keyring_close(ring);
	return there;
}

static bool file_there(const char *name)
{
	void *bytes;
	size_t length;

	if (state_load(state, name, REGISTER_BYTES, &bytes, &length, NULL) != 0)
		return false;
	free(bytes);
	return true;
}

static void directory_make(void)
{
	strcpy(config.state_directory, "/tmp/mcroster-move.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(config.state_directory));
	state_begin();
}

static void directory_remove(void)
{
	char command[300];

	state_close(state);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", config.state_directory);
	ck_assert_int_eq(system(command), 0);
}

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	memset(&config, 0, sizeof(config));
	strcpy(config.cluster, "web");
	strcpy(config.name, "web00");
	config.register_in = CONFIG_REGISTER_ETCD;
	config.etcd.lease_s = RIG_LEASE_S;
	etcd_start(&etcd, NULL);
	strcpy(config.etcd.endpoints[0], etcd.url);
	config.etcd.endpoint_count = 1;
	list_make();
	directory_make();
}

static void tear_down(void)
{
	rig_close_all();
	etcd_remove(&etcd);
	directory_remove();
	free(signed_list);
}

static void moves(enum config_register to)
{
	struct failure failure = {{0}};
	struct reg moved;

	ck_assert_msg(store_move(&config, state, to, PATIENCE_MS, &moved, &failure) == 0, "%s",
		      failure.text);
	ck_assert_int_eq(register_compare(&moved, &reg), 0);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_LEADER), 0); /* given back */
}

static void refused(enum config_register to, int error, const char *word)
{
	struct failure failure = {{0}};
	struct reg moved;

	ck_assert_int_eq(store_move(&config, state, to, 4000, &moved, &failure), error);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
}

START_TEST(a_register_moves_to_etcd_and_back_with_its_list)
{
	list_put();
	register_put(&reg);
	moves(CONFIG_REGISTER_ETCD);
	ck_assert(!file_there(STORE_REGISTER_FILE));
	ck_assert(file_there(STORE_MOVED_FILE));
	/* A candidate elsewhere goes on from it. */
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	ck_assert_uint_eq(rig[0].reg.serial, 9);
	ck_assert_uint_eq(rig[0].list_bytes, signed_bytes);
	reg.serial = 10;
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL), 0);
	rig_until(rig[0].stored == 1);
	rig_close_all();
	etcd_put(&etcd, RIG_LEADER, "web07"); /* one that is alive */
	refused(CONFIG_REGISTER_FILE, -ETIMEDOUT, "agent web07 leads");
	etcd_delete(&etcd, RIG_LEADER);

	/* Back, on a host that has nothing yet. */
	directory_remove();
	directory_make();
	moves(CONFIG_REGISTER_FILE);
	ck_assert(file_there(STORE_REGISTER_FILE));
	ck_assert(list_there());
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(strstr(rig[0].trouble, "moved away (at 3.10)") != NULL);
	rig_close_all();
	/* And to etcd once more. */
	moves(CONFIG_REGISTER_ETCD);
	ck_assert(!file_there(STORE_REGISTER_FILE));
}
END_TEST

/* Two versions of keys in the state directory; the register names the second, and the list is
 * signed by the keys of before. */
static void keys_put(void)
{
	struct sample_signer signers[3];
	const struct keys *held = NULL;
	struct keyring *ring;
	struct keys keys;

	for (unsigned i = 0; i < 3; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	ck_assert_int_eq(keyring_open(state, &config.trust, "web", &ring, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		char *text;

		keys_make(&keys, held, &signers[i + 1], 1, 1);
		text = keys_signed(&keys, signers, i, 2);
		ck_assert_int_eq(keyring_add(ring, text, strlen(text), i, &held, NULL), 0);
		free(text);
	}
	reg.keys_version = held->version;
	memcpy(reg.keys, held->hash, LIST_HASH_BYTES);
	keyring_close(ring);
}

static uint64_t keys_there(void)
{
	struct keyring *ring;
	uint64_t version;

	ck_assert_int_eq(keyring_open(state, &config.trust, "web", &ring, NULL), 0);
	version = keyring_version(ring);
	keyring_close(ring);
	return version;
}

START_TEST(the_chain_of_keys_moves_with_the_register)
{
	list_put();
	keys_put();
	register_put(&reg);
	moves(CONFIG_REGISTER_ETCD);
	/* Back, on a host that has nothing yet; then there once more. */
	directory_remove();
	directory_make();
	moves(CONFIG_REGISTER_FILE);
	ck_assert_uint_eq(keys_there(), 2);
	ck_assert(list_there());
	moves(CONFIG_REGISTER_ETCD);
	ck_assert(!file_there(STORE_REGISTER_FILE));
	/* etcd has lost a part of it that the host has not got either. */
	directory_remove();
	directory_make();
	etcd_delete(&etcd, rig_key("keys", reg.keys));
	refused(CONFIG_REGISTER_FILE, -ENOENT,
		"keys version 2, whose document is not in etcd, nor");
}
END_TEST

START_TEST(a_register_whose_keys_are_not_there_stays_where_it_is)
{
	list_put();
	keys_put();
	ck_assert_int_eq(state_remove(state, "keys.2", NULL), 0);
	register_put(&reg);
	refused(CONFIG_REGISTER_ETCD, -ENOENT,
		"keys version 2, whose document is not in the state");
	ck_assert(file_there(STORE_REGISTER_FILE));
	ck_assert(!file_there(STORE_MOVED_FILE));
}
END_TEST

START_TEST(a_move_that_was_cut_short_is_finished_by_the_same_command)
{
	uint8_t bytes[REGISTER_BYTES];

	/* Marked here, not written there. */
	list_put();
	register_encode(&reg, bytes);
	ck_assert_int_eq(state_store(state, STORE_MOVED_FILE, bytes, sizeof(bytes), NULL), 0);
	moves(CONFIG_REGISTER_ETCD);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 1);
	/* Written there too: nothing is left to do. */
	moves(CONFIG_REGISTER_ETCD);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 1);
}
END_TEST

/* Does etcd hold it, not marked as moved away? */
static bool etcd_holds(void)
{
	const char *value = strstr(etcd_post(&etcd, "/v3/kv/range", NULL, NULL, "{\"key\":\"%s\"}",
					     etcd_base64(RIG_REGISTER)),
				   "\"value\":\"");
	uint8_t text[REGISTER_VALUE_BYTES];
	size_t bytes;

	if (value == NULL)
		return false;
	value += strlen("\"value\":\"");
	ck_assert_int_eq(sodium_base642bin(text, sizeof(text) - 1, value, strcspn(value, "\""),
					   NULL, &bytes, NULL, sodium_base64_VARIANT_ORIGINAL),
			 0);
	text[bytes] = '\0';
	return strstr((char *)text, " moved\n") == NULL;
}

/* The register stands where it is to be moved from, and nothing else anywhere. */
static void stands_before(enum config_register to)
{
	etcd_delete(&etcd, RIG_LEADER);
	etcd_delete(&etcd, RIG_REGISTER);
	ck_assert_int_eq(state_remove(state, STORE_MOVED_FILE, NULL), 0);
	register_put(&reg);
	if (to == CONFIG_REGISTER_FILE)
		moves(CONFIG_REGISTER_ETCD);
}

/* A command that is killed before its call number `burns`; false: it came to its end before. */
static bool cut_short(enum config_register to, unsigned burns)
{
	struct reg moved;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		fuse = burns;
		_exit(store_move(&config, state, to, PATIENCE_MS, &moved, NULL) == 0 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return WIFSIGNALED(status);
}

static void cut_everywhere(enum config_register to, unsigned at_least)
{
	unsigned burns = 0;
	bool cut;

	list_put();
	do {
		stands_before(to);
		cut = cut_short(to, ++burns);
		ck_assert(!(file_there(STORE_REGISTER_FILE) && etcd_holds()));
		etcd_delete(&etcd, RIG_LEADER); /* as if its lease had run out */
		moves(to);
		ck_assert(etcd_holds() == (to == CONFIG_REGISTER_ETCD));
		ck_assert(file_there(STORE_REGISTER_FILE) == (to == CONFIG_REGISTER_FILE));
	} while (cut);
	ck_assert_uint_ge(burns, at_least);
}

START_TEST(a_move_to_etcd_may_be_killed_anywhere)
{
	cut_everywhere(CONFIG_REGISTER_ETCD, 12);
}
END_TEST

START_TEST(a_move_to_a_file_may_be_killed_anywhere)
{
	cut_everywhere(CONFIG_REGISTER_FILE, 12);
}
END_TEST

START_TEST(a_second_move_says_that_it_was_moved)
{
	list_put();
	register_put(&reg);
	moves(CONFIG_REGISTER_ETCD);
	rig_open(&rig[0], "web00", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	reg.serial = 10;
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL), 0);
	rig_until(rig[0].stored == 1);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	refused(CONFIG_REGISTER_ETCD, -EALREADY,
		"moved from the state directory at 3.9 and has gone on in etcd, to 3.10");
	/* As if etcd had been emptied. */
	etcd_delete(&etcd, RIG_REGISTER);
	refused(CONFIG_REGISTER_FILE, -ENOENT, "one was moved there at 3.9");
	register_put(&reg);
	ck_assert_int_eq(state_remove(state, STORE_MOVED_FILE, NULL), 0);
	refused(CONFIG_REGISTER_FILE, -EALREADY, "in the state directory already, at 3.10");
}
END_TEST

START_TEST(a_target_with_something_newer_or_of_others_is_left_alone)
{
	char value[REGISTER_VALUE_BYTES];
	struct reg newer = reg;

	refused(CONFIG_REGISTER_ETCD, -ENOENT, "no register in the state directory");
	refused(CONFIG_REGISTER_FILE, -ENOENT, "no register in etcd");
	register_put(&reg);
	refused(CONFIG_REGISTER_ETCD, -ENOENT, "names a list");
	list_put();
	newer.serial++;
	(void)register_value_write(&newer, "web", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	refused(CONFIG_REGISTER_ETCD, -ESTALE, "found 3.10 there, expected at most 3.9");
	(void)register_value_write(&newer, "web", true, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	refused(CONFIG_REGISTER_ETCD, -ESTALE, "moved away from etcd is newer");
	(void)register_value_write(&reg, "mail", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	refused(CONFIG_REGISTER_ETCD, -ETIMEDOUT, "another cluster's: found 'mail'");
	etcd_put(&etcd, RIG_REGISTER, "damaged");
	refused(CONFIG_REGISTER_ETCD, -ETIMEDOUT, "damaged");
	/* Whatever was refused, the register is where it was. */
	ck_assert(file_there(STORE_REGISTER_FILE));
	ck_assert(!file_there(STORE_MOVED_FILE));
	etcd_delete(&etcd, RIG_REGISTER);
	moves(CONFIG_REGISTER_ETCD);
	/* The file comes back from a backup: older, and the other way about refused as well. */
	register_put(&newer);
	ck_assert_int_eq(state_remove(state, STORE_MOVED_FILE, NULL), 0);
	refused(CONFIG_REGISTER_FILE, -ESTALE, "in the state directory is newer");
}
END_TEST

START_TEST(an_etcd_that_cannot_be_reached_leaves_the_register_where_it_is)
{
	list_put();
	register_put(&reg);
	etcd_kill(&etcd);
	refused(CONFIG_REGISTER_ETCD, -ETIMEDOUT, etcd.url);
	ck_assert(file_there(STORE_REGISTER_FILE));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
	    a_register_moves_to_etcd_and_back_with_its_list,
	    the_chain_of_keys_moves_with_the_register,
	    a_register_whose_keys_are_not_there_stays_where_it_is,
	    a_move_that_was_cut_short_is_finished_by_the_same_command,
	    a_move_to_etcd_may_be_killed_anywhere,
	    a_move_to_a_file_may_be_killed_anywhere,
	    a_second_move_says_that_it_was_moved,
	    a_target_with_something_newer_or_of_others_is_left_alone,
	    an_etcd_that_cannot_be_reached_leaves_the_register_where_it_is,
	};

	return rig_suite("store_move", tests, sizeof(tests) / sizeof(*tests), set_up, tear_down);
}
