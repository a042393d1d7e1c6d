/* test_cluster_conf.c - cluster.conf: what it says is taken, what is wrong is named with its line.
 */
#include "admin/cluster_conf.h"

#include <errno.h>

#include "scratch.h"

#define KEY_A  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B  "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEAD   "cluster = web\ncoordinator = \"web01\"\n"
#define AGENT  "agent web01 { address = \"10.0.0.1:11280\" key = \"" KEY_A "\" }\n"
#define SERVER "server s1 { address = \"10.0.0.1:11211\" agent = web01 }\n"

static struct cluster_conf *conf;

static void setup(void)
{
	scratch_setup();
	conf = NULL;
}

static void teardown(void)
{
	cluster_conf_free(conf);
	scratch_teardown();
}

static const struct list *load(const char *text)
{
	int error = cluster_conf_load(scratch_file("c", text), &conf, &failure);

	ck_assert_msg(error == 0, "%s", failure.text);
	return &conf->wanted;
}

START_TEST(what_is_not_said_stands_at_its_default)
{
	const struct list *wanted = load(HEAD AGENT SERVER);

	ck_assert_str_eq(wanted->cluster, "web");
	ck_assert_uint_eq(wanted->slot_count, 16384);
	ck_assert_uint_eq(wanted->lease_ms, 5000);
	ck_assert_uint_eq(wanted->steady_lease_ms, 60000);
	ck_assert_uint_eq(wanted->op_timeout_ms, 1000);
	ck_assert_uint_eq(wanted->client_quorum, 0);
	ck_assert(wanted->registration_required);
	ck_assert_int_eq(wanted->isolation, LIST_ISOLATION_SERVE);
	ck_assert_uint_eq(wanted->unaware_poll_ms, 0);
	ck_assert_str_eq(wanted->prefix, "");
	ck_assert_uint_eq(wanted->agent_count, 1);
	ck_assert_uint_eq(wanted->server_count, 1);
	ck_assert_uint_eq(wanted->servers[0].weight, 100);
	ck_assert(!wanted->servers[0].has_wipe);
}
END_TEST

START_TEST(everything_that_is_said_is_taken)
{
	const struct list *wanted =
	    load("# the whole of it\n"
		 "cluster = \"shop.eu-1\"\nslots = 65536\nlease = 1000\nsteady-lease = 2000\n"
		 "op-timeout = 200\nclient-quorum = 100\nregistration = optional\n"
		 "isolation = bypass\nunaware-clients = yes\nunaware-poll = 250\ncoordinator = "
		 "b\nprefix = \"app:\"\n"
		 "server s1 { address = \"10.0.0.1:11211\" weight = 1000000 agent = b wipe = 0 }\n"
		 "server s2 { address = \"[fd00::1]:1\" agent = a wipe = 9223372036854775807 }\n"
		 "agent a { address = \"10.0.0.1:11280\" key = \"" KEY_A "\" }\n"
		 "agent b { address = \"10.0.0.2:11280\" key = \"" KEY_B "\" }\n");

	ck_assert_str_eq(wanted->cluster, "shop.eu-1");
	ck_assert_uint_eq(wanted->slot_count, 65536);
	ck_assert_uint_eq(wanted->lease_ms, 1000);
	ck_assert_uint_eq(wanted->steady_lease_ms, 2000);
	ck_assert_uint_eq(wanted->op_timeout_ms, 200);
	ck_assert_uint_eq(wanted->client_quorum, 100);
	ck_assert(!wanted->registration_required);
	ck_assert_int_eq(wanted->isolation, LIST_ISOLATION_BYPASS);
	ck_assert_uint_eq(wanted->unaware_poll_ms, 250);
	ck_assert_uint_eq(wanted->coordinator, 1);
	ck_assert_str_eq(wanted->prefix, "app:");
	ck_assert_str_eq(wanted->agents[0].name, "a");
	ck_assert_str_eq(wanted->agents[1].address, "10.0.0.2:11280");
	ck_assert_uint_eq(wanted->agents[1].key[0], 1);
	ck_assert_uint_eq(wanted->servers[0].agent, 1);
	ck_assert_uint_eq(wanted->servers[0].weight, 1000000);
	ck_assert(wanted->servers[0].has_wipe);
	ck_assert_uint_eq(wanted->servers[0].wipe, 0);
	ck_assert_str_eq(wanted->servers[1].address, "[fd00::1]:1");
	ck_assert_uint_eq(wanted->servers[1].wipe, 9223372036854775807u);
}
END_TEST

START_TEST(sample_in_the_tree_is_good)
{
	ck_assert_msg(cluster_conf_load("etc/cluster.conf", &conf, &failure) == 0, "%s",
		      failure.text);
	ck_assert_uint_eq(conf->wanted.server_count, 3);
}
END_TEST

static const struct {
	const char *text, *says;
} wrong[] = {
    {"# one\n# two\nleese = 3\n",
     "c:3: found an unknown option 'leese', expected one of cluster, "},
    {"include(\"x\")\n", "c:1: found an unknown option 'include'"},
    {"agent a {\n addres = x\n}\n",
     "c:2: found an unknown option 'addres', expected one of address"},
    {"server s {\n key = x\n}\n", "c:2: found an unknown option 'key', expected one of address, w"},
    {"lease = 5000\n\nlease = 1000\n", "c:3: lease: found a second one, expected it once (line 1)"},
    {"agent a { key = \"" KEY_A "\"\nkey = x }\n", "c:2: key: found a second one"},
    {"lease = 5s\n", "c:1: lease: found '5s', expected a whole number from 100 to 3600000"},
    {"lease = 99\n", "c:1: lease: found '99'"},
    {"lease = 0x1000\n", "c:1: lease: found '0x1000'"},
    {"lease = 05000\n", "c:1: lease: found '05000'"},
    {"lease = \"-5000\"\n", "c:1: lease: found '-5000'"},
    {"lease = 18446744073709556616\n", "c:1: lease: found '18446744073709556616'"},
    {"slots = 16383\n", "c:1: slots: found '16383', expected a power of two from 1024 to 65536"},
    {"slots = 512\n", "c:1: slots: found '512'"},
    {"slots = 131072\n", "c:1: slots: found '131072'"},
    {"unaware-clients = maybe\n", "c:1: unaware-clients: found 'maybe'"},
    {"unaware-clients = yes\nunaware-poll = 9\n", "c:2: unaware-poll: found '9'"},
    {"client-quorum = 101\n", "c:1: client-quorum: found '101'"},
    {"registration = yes\n", "c:1: registration: found 'yes', expected \"required\" or \"opt"},
    {"isolation = none\n", "c:1: isolation: found 'none', expected \"serve\" or \"bypass\""},
    {"cluster = \"a/b\"\n", "c:1: cluster: found 'a/b', expected 1 to 63 letters"},
    {"cluster = \"../x\"\n", "c:1: cluster: found '../x'"},
    {"cluster = \"\"\n", "c:1: cluster: found ''"},
    {"cluster = \"a234567890123456789012345678901234567890123456789012345678901234\"\n",
     "c:1: cluster: found 'a2345"},
    {"prefix = \"a b\"\n", "c:1: prefix: found 'a b'"},
    {"prefix = \"a234567890123456789012345678901234567890123456789012345678901234\"\n",
     "c:1: prefix: found 'a2345"},
    {"agent a { address = \"localhost:1\" }\n",
     "c:1: address: found 'localhost:1', expected a num"},
    {"agent a { address = \"10.0.0.1\" }\n", "c:1: address: found '10.0.0.1'"},
    {"agent a { address = \"10.0.0.1:0\" }\n", "c:1: address: found '10.0.0.1:0'"},
    {"agent a { address = \"0.0.0.0:1\" }\n", "c:1: address: found '0.0.0.0:1'"},
    {"agent a { key = \"AAAA\" }\n", "c:1: key: found 'AAAA', expected the base64 of 32 bytes"},
    {"agent a { key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\" }\n", "c:1: key: found"},
    {"server s { weight = 0 }\n",
     "c:1: weight: found '0', expected a whole number from 1 to 1000000"},
    {"server s { weight = 1000001 }\n", "c:1: weight: found '1000001'"},
    {"server s { wipe = many }\n", "c:1: wipe: found 'many'"},
    {"agent \"a b\" {}\n", "c:1: agent: found the name 'a b', expected 1 to 63 letters"},
    {"agent a { key = \"" KEY_A "\"\n}\n", "c:2: agent \"a\": found no address, expected one"},
    {"server s { address = \"10.0.0.1:1\" }\n", "c:1: server \"s\": found no agent, expected one"},
    {"server {}\n", "c:1: found missing title"},
    {"cluster = {a, b}\n", "c:1: found unexpected token"},
    {"cluster = \"a\n", "c:1: found a quote that is never closed"},
    {"/* x\n", "c:1: found a comment that is never closed"},
    {"cluster = a\nagent b {\n", "c:2: found a '{' that is never closed"},
    {HEAD AGENT AGENT SERVER, "c:4: found the name 'web01' twice, expected each once"},
    {AGENT SERVER "coordinator = web01\n", "found the end, expected 'cluster = ...' before it"},
    {AGENT SERVER "cluster = web\n", "found the end, expected 'coordinator = ...' before it"},
    {HEAD SERVER, "found 0 agents, expected 1 to 1024"},
    {HEAD AGENT, "found 0 servers, expected 1 to 1024"},
    {HEAD AGENT "server s {address=\"10.0.0.1:1\" agent = web02}\n",
     "c:4: server \"s\": found the agent 'web02', expected one of this file's"},
    {"cluster = web\ncoordinator = web02\n" AGENT SERVER,
     "c:2: coordinator: found 'web02', expected the name of an agent"},
    {HEAD AGENT SERVER "server s2 { address = \"10.0.0.1:11211\" agent = web01 }\n",
     "c:5: server \"s2\": found the address 10.0.0.1:11211 of \"s1\", expected its own"},
    {HEAD AGENT "server s2 { address = \"10.0.0.1:11280\" agent = web01 }\n",
     "c:4: server \"s2\": found the address 10.0.0.1:11280 of \"web01\", expected its own"},
    {HEAD AGENT "agent b { address = \"10.0.0.1:11280\" key = \"" KEY_B "\" }\n" SERVER,
     "c:4: agent \"b\": found the address 10.0.0.1:11280 of \"web01\""},
    {HEAD AGENT "agent b { address = \"10.0.0.2:11280\" key = \"" KEY_A "\" }\n" SERVER,
     "c:4: agent \"b\": found the key " KEY_A " of \"web01\""},
    {HEAD "steady-lease = 4999\n" AGENT SERVER,
     "c:3: steady-lease: found 4999, expected at least the lease (5000)"},
    {HEAD "op-timeout = 1667\n" AGENT SERVER,
     "c:3: op-timeout: found 1667, expected less than a third of the lease (5000)"},
    {HEAD "unaware-poll = 1000\n" AGENT SERVER,
     "c:3: unaware-poll: found a time, expected 'unaware-clients = yes' beside it"},
    {HEAD "#\nlease = 3000\n" AGENT SERVER, "c:4: op-timeout: found 1000"},
};

START_TEST(what_is_wrong_is_named_with_its_line)
{
	int error = cluster_conf_load(scratch_file("c", wrong[_i].text), &conf, &failure);

	ck_assert_msg(error == -EINVAL, "%d for %s", error, wrong[_i].text);
	ck_assert_ptr_null(conf);
	ck_assert_says(failure.text, wrong[_i].says);
	ck_assert_int_eq(strncmp(failure.text, scratch_directory, strlen(scratch_directory)), 0);
}
END_TEST

START_TEST(file_that_cannot_be_read_is_named)
{
	ck_assert_int_eq(cluster_conf_load(scratch_path("none"), &conf, &failure), -ENOENT);
	ck_assert_says(failure.text, "/none: No such file");
	ck_assert_int_lt(cluster_conf_load(scratch_directory, &conf, &failure), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_conf");
	TCase *tcase = tcase_create("cluster_conf");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_not_said_stands_at_its_default);
	tcase_add_test(tcase, everything_that_is_said_is_taken);
	tcase_add_test(tcase, sample_in_the_tree_is_good);
	tcase_add_loop_test(tcase, what_is_wrong_is_named_with_its_line, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tcase, file_that_cannot_be_read_is_named);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
