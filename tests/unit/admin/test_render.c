/* test_render.c - a list as other programs' configurations: weights, addresses of both families,
 * labels of any printable characters, and what a program cannot do. */
#include "admin/render.h"

#include <errno.h>

#include "mcroster_segment.h"

#include "scratch.h"

static struct list_server servers[3];
static struct list list;
static char *text;
static size_t text_bytes;

static void server_set(uint32_t number, const char *name, const char *address, uint32_t weight)
{
	strcpy(servers[number].name, name);
	strcpy(servers[number].address, address);
	servers[number].weight = weight;
}

static void setup(void)
{
	memset(servers, 0, sizeof(servers));
	memset(&list, 0, sizeof(list));
	strcpy(list.cluster, "web-1.eu_b");
	list.epoch = 7;
	list.op_timeout_ms = 1500;
	list.distribution = DISTRIBUTION_KETAMA_WEIGHTED;
	list.key_hash = MCR_HASH_FNV1A_64;
	list.servers = servers;
	list.server_count = 3;
	server_set(0, "cache.01", "10.0.0.1:11211", 100);
	server_set(1, "cache_02", "[2001:db8::1]:11212", 250);
	server_set(2, "3-cache", "10.0.0.3:1", 1);
}

static void teardown(void)
{
	free(text);
	text = NULL;
}

static int render(const char *format)
{
	FILE *out;
	int error;

	free(text);
	text = NULL;
	out = open_memstream(&text, &text_bytes);
	ck_assert_ptr_nonnull(out);
	error = render_find(format)->print(&list, out, &failure);
	(void)fclose(out);
	return error;
}

static void is(const char *format, const char *want)
{
	ck_assert_int_eq(render(format), 0);
	ck_assert_str_eq(text, want);
}

static void is_refused(const char *format, const char *why)
{
	ck_assert_int_eq(render(format), -EINVAL);
	ck_assert_msg(strstr(failure.text, why) != NULL, "%s", failure.text);
	ck_assert_uint_eq(text_bytes, 0);
}

START_TEST(json_says_all_that_a_ring_is_made_of)
{
	strcpy(servers[1].label, "it's \"#1\"\\:");
	ck_assert_int_eq(render("json"), 0);
	ck_assert_ptr_nonnull(
	    strstr(text, "{\"cluster\":\"web-1.eu_b\",\"epoch\":7,\"hash\":\"0000"));
	ck_assert_ptr_nonnull(strstr(
	    text,
	    "\"distribution\":\"ketama-weighted fnv1a_64\",\"servers\":["
	    "{\"name\":\"cache.01\",\"address\":\"10.0.0.1:11211\",\"host\":\"10.0.0.1\","
	    "\"port\":\"11211\",\"weight\":100},"
	    "{\"name\":\"cache_02\",\"address\":\"[2001:db8::1]:11212\",\"host\":\"2001:db8::1\","
	    "\"port\":\"11212\",\"weight\":250,\"label\":\"it's \\\"#1\\\"\\\\:\"},"
	    "{\"name\":\"3-cache\",\"address\":\"10.0.0.3:1\",\"host\":\"10.0.0.3\",\"port\":\"1\","
	    "\"weight\":1}]}\n"));
}
END_TEST

START_TEST(env_is_a_shells)
{
	is("env", "MCROSTER_CLUSTER=\"web-1.eu_b\"\n"
		  "MCROSTER_EPOCH=\"7\"\n"
		  "MCROSTER_DISTRIBUTION=\"ketama-weighted fnv1a_64\"\n"
		  "MCROSTER_SERVERS=\"10.0.0.1:11211 [2001:db8::1]:11212 10.0.0.3:1\"\n");
}
END_TEST

/* A plain scalar of YAML must not begin with a bracket, end with a colon, or hold " #". */
START_TEST(twemproxy_s_servers_are_quoted)
{
	strcpy(servers[0].label, "#it's:");
	is("twemproxy", "web-1.eu_b:\n"
			"  listen: 127.0.0.1:22121\n"
			"  hash: fnv1a_64\n"
			"  distribution: ketama\n"
			"  timeout: 1500\n"
			"  auto_eject_hosts: false\n"
			"  servers:\n"
			"   - '10.0.0.1:11211:100 #it''s:'\n"
			"   - '2001:db8::1:11212:250'\n"
			"   - '10.0.0.3:1:1'\n");
	list.distribution = DISTRIBUTION_KETAMA;
	is_refused("twemproxy", "distribution ketama: twemproxy cannot do that, only "
				"'ketama-weighted HASH'");
}
END_TEST

START_TEST(mcrouter_has_one_pool)
{
	is("mcrouter", "{\"pools\":{\"web-1.eu_b\":{\"servers\":[\"10.0.0.1:11211\","
		       "\"[2001:db8::1]:11212\",\"10.0.0.3:1\"]}},"
		       "\"route\":{\"type\":\"PoolRoute\",\"pool\":\"web-1.eu_b\"}}\n");
	ck_assert_ptr_nonnull(render_find("mcrouter")->caution);
}
END_TEST

#define HAPROXY                                                                                    \
	"backend web-1.eu_b\n\tmode tcp\n\toption tcp-check\n\ttcp-check send version\\r\\n\n"     \
	"\ttcp-check expect string VERSION\n"

START_TEST(haproxy_s_weights_end_at_256)
{
	is("haproxy", HAPROXY "\tserver cache.01 10.0.0.1:11211 weight 100 check\n"
			      "\tserver cache_02 [2001:db8::1]:11212 weight 250 check\n"
			      "\tserver 3-cache 10.0.0.3:1 weight 1 check\n");
	servers[1].weight = LIST_WEIGHT_MAX;
	servers[0].weight = LIST_WEIGHT_MAX / 2;
	is("haproxy", HAPROXY "\tserver cache.01 10.0.0.1:11211 weight 128 check\n"
			      "\tserver cache_02 [2001:db8::1]:11212 weight 256 check\n"
			      "\tserver 3-cache 10.0.0.3:1 weight 1 check\n");
}
END_TEST

START_TEST(memcached_s_proxy_has_its_own_distributions)
{
	is_refused("memcached-proxy", "distribution ketama-weighted fnv1a_64: memcached's proxy "
				      "cannot do that");
	list.distribution = DISTRIBUTION_PROXY_RING_EVCACHE;
	ck_assert_int_eq(render("memcached-proxy"), 0);
	ck_assert_ptr_nonnull(strstr(text,
				     "\treturn mcp.pool({\n"
				     "\t\tmcp.backend(\"cache.01\", \"10.0.0.1\", \"11211\"),\n"
				     "\t\tmcp.backend(\"cache_02\", \"2001:db8::1\", \"11212\"),\n"
				     "\t\tmcp.backend(\"3-cache\", \"10.0.0.3\", \"1\"),\n"
				     "\t}, {dist = mcp.dist_ring_hash, omode = \"evcache\", hash = "
				     "mcp.dist_ring_hash.hash})\nend\n"));
	list.distribution = DISTRIBUTION_PROXY_JUMP;
	ck_assert_int_eq(render("memcached-proxy"), 0);
	ck_assert_ptr_nonnull(strstr(text, "\t})\nend\n"));
	list.distribution = DISTRIBUTION_PROXY_RING;
	strcpy(servers[1].label, "other");
	is_refused("memcached-proxy", "server cache_02: memcached's proxy knows no label such as "
				      "'other'");
}
END_TEST

START_TEST(other_formats_are_unknown)
{
	ck_assert_ptr_null(render_find("xml"));
	ck_assert_ptr_null(render_find(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("render");
	TCase *tests = tcase_create("render");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, json_says_all_that_a_ring_is_made_of);
	tcase_add_test(tests, env_is_a_shells);
	tcase_add_test(tests, twemproxy_s_servers_are_quoted);
	tcase_add_test(tests, mcrouter_has_one_pool);
	tcase_add_test(tests, haproxy_s_weights_end_at_256);
	tcase_add_test(tests, memcached_s_proxy_has_its_own_distributions);
	tcase_add_test(tests, other_formats_are_unknown);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
