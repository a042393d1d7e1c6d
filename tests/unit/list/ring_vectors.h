/* ring_vectors.h - who owns key:0 to key:9999, as the real programs answer.
 *
 * A set is a list of servers with weights; an owner is a server's place in it, one digit for each
 * key; md5 is that of the 10,000 digits.
 */
#ifndef MCROSTER_TESTS_RING_VECTORS_H
#define MCROSTER_TESTS_RING_VECTORS_H

#include <stdint.h>

#define VECTOR_KEYS	   10000
#define VECTOR_SERVERS_MAX 4

struct vector_server {
	const char *host, *address;
	uint32_t weight;
};

struct vector_set {
	char name;
	uint32_t count;
	struct vector_server servers[VECTOR_SERVERS_MAX];
};

static const struct vector_set vector_sets[] = {
    {'A', 3, {{"10.0.1.1", "10.0.1.1:11211", 1},
		{"10.0.1.2", "10.0.1.2:11211", 1},
		{"10.0.1.3", "10.0.1.3:11211", 1}}},
    {'B', 3, {{"10.0.1.1", "10.0.1.1:11212", 1},
		{"10.0.1.2", "10.0.1.2:11213", 1},
		{"10.0.1.3", "10.0.1.3:11214", 1}}},
    {'C', 3, {{"10.0.1.1", "10.0.1.1:11211", 1},
		{"10.0.1.2", "10.0.1.2:11211", 2},
		{"10.0.1.3", "10.0.1.3:11211", 3}}},
    {'D', 4, {{"10.0.1.1", "10.0.1.1:11211", 1},
		{"10.0.1.2", "10.0.1.2:11211", 1},
		{"10.0.1.3", "10.0.1.3:11211", 1},
		{"10.0.1.4", "10.0.1.4:11211", 1}}},
};

/* `mark` stands before the address in what a ring hashes; "": the distribution's own rule. */
static const struct vector {
	const char *program;
	char set;
	const char *distribution, *word, *mark, *first;
	uint32_t counts[VECTOR_SERVERS_MAX];
	const char *md5;
} vectors[] = {
    {"libketama", 'A', "ketama", "", "",
     "0212112112221022100021020012022200012101",
     {3634, 3176, 3190, 0}, "b23aa28320ad81c6ec2fe95f789f06ac"},
    {"weighted", 'A', "ketama-weighted", "md5", "",
     "0211112202011121120102011200012212222221",
     {3338, 3195, 3467, 0}, "a91cf94a957283d04f6ba5eda3169c43"},
    {"twemproxy_default", 'A', "ketama-weighted", "fnv1a_64", "",
     "1111111111000000000000000000000000000000",
     {3160, 3315, 3525, 0}, "3cf082f1a161bda5d03ce65e66fc3573"},
    {"spyslash", 'A', "spymemcached", "", "/",
     "0200102101200101001200211001122222110021",
     {3315, 3163, 3522, 0}, "2b22f67405e903efab346945cfba819c"},
    {"evcache", 'A', "proxy-ring", "evcache", "",
     "0002201021112201022012010211210201000211",
     {3298, 3138, 3564, 0}, "09bf806576833586b4c61c7f77cb206d"},
    {"spymemcached_default(literal ip)", 'A', "spymemcached", "", "",
     "0212112112221022100021020012022200012101",
     {3634, 3176, 3190, 0}, "b23aa28320ad81c6ec2fe95f789f06ac"},
    {"spymemcached_LIBMEMCACHED", 'A', "ketama-weighted", "md5", "",
     "0211112202011121120102011200012212222221",
     {3338, 3195, 3467, 0}, "a91cf94a957283d04f6ba5eda3169c43"},
    {"proxy_ring_default+xxh3", 'A', "proxy-ring", "default", "",
     "2112200120102212102110212010011222101100",
     {3232, 3758, 3010, 0}, "db49e0cfa356bd5e97ebd7d1cc1109eb"},
    {"proxy_ring_ketama+md5", 'A', "proxy-ring", "ketama", "",
     "0212112112221022100021020012022200012101",
     {3634, 3176, 3190, 0}, "b23aa28320ad81c6ec2fe95f789f06ac"},
    {"proxy_ring_twemproxy+md5", 'A', "proxy-ring", "twemproxy", "",
     "0211112202011121120102011200012212222221",
     {3338, 3195, 3467, 0}, "a91cf94a957283d04f6ba5eda3169c43"},
    {"proxy_jump_hash", 'A', "proxy-jump", "", "",
     "0110101122120201121221201121101210010122",
     {3347, 3315, 3338, 0}, "d5db7581ef7c67b027a5c48c332062d9"},
    {"libketama", 'B', "ketama", "", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"weighted", 'B', "ketama-weighted", "md5", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"twemproxy_default", 'B', "ketama-weighted", "fnv1a_64", "",
     "0000000000000000000000000000000000000000",
     {3442, 3798, 2760, 0}, "e8dd0419c60c9732b2bd0b15eca9ad89"},
    {"spyslash", 'B', "spymemcached", "", "/",
     "2020022020010212110122022120200022200021",
     {3446, 3022, 3532, 0}, "4900eb7e638a8c0ca83bba30b3bc5f92"},
    {"evcache", 'B', "proxy-ring", "evcache", "",
     "0120111211121000010211202101111012101022",
     {3332, 3373, 3295, 0}, "0468954579bdc8111683c732c6ef8103"},
    {"spymemcached_default(literal ip)", 'B', "spymemcached", "", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"spymemcached_LIBMEMCACHED", 'B', "ketama-weighted", "md5", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"proxy_ring_default+xxh3", 'B', "proxy-ring", "default", "",
     "0120121020010121002021002212111122101112",
     {3184, 3500, 3316, 0}, "c2351969e23e033e6802658f18da926f"},
    {"proxy_ring_ketama+md5", 'B', "proxy-ring", "ketama", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"proxy_ring_twemproxy+md5", 'B', "proxy-ring", "twemproxy", "",
     "0002001201100201022120211221012120021001",
     {3290, 3799, 2911, 0}, "1a025b07274efb32eae8f8de7938a417"},
    {"proxy_jump_hash", 'B', "proxy-jump", "", "",
     "0110101122120201121221201121101210010122",
     {3347, 3315, 3338, 0}, "d5db7581ef7c67b027a5c48c332062d9"},
    {"libketama", 'C', "ketama", "", "",
     "2212112112221022122221220212122200012101",
     {1755, 3305, 4940, 0}, "878f4845389d7daaa7825bc40daa47ca"},
    {"weighted", 'C', "ketama-weighted", "md5", "",
     "1211112202211121120102212202212222222221",
     {1710, 3133, 5157, 0}, "8e4ea535bf3ac05fd2f107d0ad5bf370"},
    {"twemproxy_default", 'C', "ketama-weighted", "fnv1a_64", "",
     "1111111111000000000000000000000000000000",
     {1260, 3245, 5495, 0}, "72cd2798e1cc6657db844f5c4ab84e73"},
    {"spyslash", 'C', "spymemcached", "", "/",
     "2212102101202111121220211202122222112222",
     {1424, 3231, 5345, 0}, "bf2d387c662aca14fa49fbe2c84eb49b"},
    {"spymemcached_default(literal ip)", 'C', "spymemcached", "", "",
     "2212112112221022122221220212122200012101",
     {1755, 3305, 4940, 0}, "878f4845389d7daaa7825bc40daa47ca"},
    {"spymemcached_LIBMEMCACHED", 'C', "ketama-weighted", "md5", "",
     "1211112202211121120102212202212222222221",
     {1710, 3133, 5157, 0}, "8e4ea535bf3ac05fd2f107d0ad5bf370"},
    {"proxy_ring_default+xxh3", 'C', "proxy-ring", "default", "",
     "2112200120102212102110212010011222101100",
     {3232, 3758, 3010, 0}, "db49e0cfa356bd5e97ebd7d1cc1109eb"},
    {"proxy_ring_ketama+md5", 'C', "proxy-ring", "ketama", "",
     "0212112112221022100021020012022200012101",
     {3634, 3176, 3190, 0}, "b23aa28320ad81c6ec2fe95f789f06ac"},
    {"proxy_ring_twemproxy+md5", 'C', "proxy-ring", "twemproxy", "",
     "0211112202011121120102011200012212222221",
     {3338, 3195, 3467, 0}, "a91cf94a957283d04f6ba5eda3169c43"},
    {"proxy_jump_hash", 'C', "proxy-jump", "", "",
     "0110101122120201121221201121101210010122",
     {3347, 3315, 3338, 0}, "d5db7581ef7c67b027a5c48c332062d9"},
    {"libketama", 'D', "ketama", "", "",
     "0233112332321022103033020012032200013301",
     {2592, 2262, 2367, 2779}, "174e8b81dd45d8f47fefa4845ffbabdb"},
    {"weighted", 'D', "ketama-weighted", "md5", "",
     "3313312233013121120102311200313212222221",
     {2445, 2497, 2504, 2554}, "417de1bdf25ba601e27882fdf828b7f3"},
    {"twemproxy_default", 'D', "ketama-weighted", "fnv1a_64", "",
     "1111111111333333333333333333333333333333",
     {2300, 2435, 2276, 2989}, "ac137fb8280ba78485b4284c45828aa1"},
    {"spyslash", 'D', "spymemcached", "", "/",
     "0200133103200101001300311001122222330321",
     {2562, 2360, 2501, 2577}, "f5b946a1196a2cc513c3fbd140aa6301"},
    {"evcache", 'D', "proxy-ring", "evcache", "",
     "3002201321132201022312310211210301000213",
     {2422, 2470, 2693, 2415}, "7551347f88fdd2b8aa2a44c2f7d7a562"},
    {"spymemcached_default(literal ip)", 'D', "spymemcached", "", "",
     "0233112332321022103033020012032200013301",
     {2592, 2262, 2367, 2779}, "174e8b81dd45d8f47fefa4845ffbabdb"},
    {"spymemcached_LIBMEMCACHED", 'D', "ketama-weighted", "md5", "",
     "3313312233013121120102311200313212222221",
     {2445, 2497, 2504, 2554}, "417de1bdf25ba601e27882fdf828b7f3"},
    {"proxy_ring_default+xxh3", 'D', "proxy-ring", "default", "",
     "2112200120102213132133212010031222301103",
     {2202, 3001, 2389, 2408}, "c638c5950aaa6595f68458a8a1157ff9"},
    {"proxy_ring_ketama+md5", 'D', "proxy-ring", "ketama", "",
     "0233112332321022103033020012032200013301",
     {2592, 2262, 2367, 2779}, "174e8b81dd45d8f47fefa4845ffbabdb"},
    {"proxy_ring_twemproxy+md5", 'D', "proxy-ring", "twemproxy", "",
     "3313312233013121120102311200313212222221",
     {2445, 2497, 2504, 2554}, "417de1bdf25ba601e27882fdf828b7f3"},
    {"proxy_jump_hash", 'D', "proxy-jump", "", "",
     "0110331122120301121221201131301230330332",
     {2503, 2495, 2534, 2468}, "43287880b890d01860cf22ca9839645f"},
};

#define VECTOR_COUNT ((int)(sizeof(vectors) / sizeof(vectors[0])))

#endif
