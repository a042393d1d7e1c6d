/* proxy_abi.h - what memcached's proxy takes from a module that chooses servers: the two structures
 * of its mcp.pool(backends, {dist = ..., hash = ...}).
 *
 * `hash` is a light userdata, a struct proxy_hash_func; `dist` a table whose `new` returns a
 * userdata and, as a light userdata within it, a struct proxy_hash_caller, which the proxy copies.
 * For each request that goes to the pool it calls the hash with the key and then the selector with
 * what that returned, in the thread of the worker that has the request.  The same since proxies
 * came to be in memcached 1.6.16.
 */
#ifndef MCROSTER_PROXY_ABI_H
#define MCROSTER_PROXY_ABI_H

#include <stddef.h>
#include <stdint.h>

struct proxy_hash_func {
	uint64_t (*func)(const void *key, size_t len, uint64_t seed);
};

struct proxy_hash_caller {
	uint32_t (*selector_func)(uint64_t hash, void *ctx);
	void *ctx;
};

#endif
