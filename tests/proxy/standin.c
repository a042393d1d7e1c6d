/* standin.c - what the stand-in for memcached's proxy (standin.lua) needs and Lua has not: sockets,
 * a clock, and the calls that a proxy makes into a pool's hash and selector.
 *
 * For tests: it blocks, each call up to its time-out, and speaks IPv4 alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "proxy_abi.h"

int luaopen_standin(lua_State *L);

static int check_fd(lua_State *L)
{
	return (int)luaL_checkinteger(L, 1);
}

static struct sockaddr_in check_address(lua_State *L)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)luaL_checkinteger(L, 2))};

	luaL_argcheck(L, inet_pton(AF_INET, luaL_checkstring(L, 1), &address.sin_addr) == 1, 1,
		      "no IPv4 address");
	return address;
}

static int push_fd(lua_State *L, int fd, int failed)
{
	if (fd < 0 || failed) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	lua_pushinteger(L, fd);
	return 1;
}

/* listen(ip, port) -> descriptor, or nothing */
static int standin_listen(lua_State *L)
{
	struct sockaddr_in address = check_address(L);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return push_fd(L, fd,
		       bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64));
}

/* connect(ip, port, ms) */
static int standin_connect(lua_State *L)
{
	struct sockaddr_in address = check_address(L);
	int timeout_ms = (int)luaL_checkinteger(L, 3), on = 1, failed = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(failed);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno != EINPROGRESS)
		return push_fd(L, fd, 1);
	if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, timeout_ms) != 1)
		return push_fd(L, fd, 1);
	return push_fd(L, fd, getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) || failed);
}

static int standin_accept(lua_State *L)
{
	int fd = accept4(check_fd(L), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return push_fd(L, fd, 0);
}

/* send(fd, bytes, ms) -> whether all of it was taken */
static int standin_send(lua_State *L)
{
	size_t len, sent = 0;
	const char *bytes = luaL_checklstring(L, 2, &len);
	int timeout_ms = (int)luaL_checkinteger(L, 3);

	while (sent < len) {
		ssize_t n = send(check_fd(L), bytes + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 &&
		    (errno != EAGAIN || poll(&(struct pollfd){.fd = check_fd(L), .events = POLLOUT},
					     1, timeout_ms) != 1))
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	lua_pushboolean(L, sent == len);
	return 1;
}

/* receive(fd, ms) -> bytes, or nothing: the end, a failure, or the time is over */
static int standin_receive(lua_State *L)
{
	char bytes[65536];

	if (poll(&(struct pollfd){.fd = check_fd(L), .events = POLLIN}, 1,
		 (int)luaL_checkinteger(L, 2)) != 1)
		return 0;
	ssize_t n = recv(check_fd(L), bytes, sizeof(bytes), 0);
	if (n <= 0)
		return 0;
	lua_pushlstring(L, bytes, (size_t)n);
	return 1;
}

#define READY_MAX 256

/* ready({fd...}, ms) -> {fd...}: those with something to read */
static int standin_ready(lua_State *L)
{
	struct pollfd polled[READY_MAX];
	nfds_t count = (nfds_t)lua_rawlen(L, 1);

	luaL_argcheck(L, count <= READY_MAX, 1, "too many");
	for (nfds_t i = 0; i < count; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i + 1);
		polled[i] = (struct pollfd){.fd = (int)luaL_checkinteger(L, -1), .events = POLLIN};
		lua_pop(L, 1);
	}
	poll(polled, count, (int)luaL_checkinteger(L, 2));
	lua_newtable(L);
	for (nfds_t i = 0, n = 0; i < count; i++) {
		if (!polled[i].revents)
			continue;
		lua_pushinteger(L, polled[i].fd);
		lua_rawseti(L, -2, (lua_Integer)++n);
	}
	return 1;
}

static int standin_close(lua_State *L)
{
	close(check_fd(L));
	return 0;
}

static int standin_now_ms(lua_State *L)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	lua_pushinteger(L, (lua_Integer)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	return 1;
}

/* select(hash, caller, key) -> which backend, from 0: as a proxy asks */
static int standin_select(lua_State *L)
{
	const struct proxy_hash_func *hash = lua_touserdata(L, 1);
	const struct proxy_hash_caller *caller = lua_touserdata(L, 2);
	size_t len;
	const char *key = luaL_checklstring(L, 3, &len);

	lua_pushinteger(L, caller->selector_func(hash->func(key, len, 0), caller->ctx));
	return 1;
}

int luaopen_standin(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"listen", standin_listen},	  {"connect", standin_connect},
	    {"accept", standin_accept},	  {"send", standin_send},
	    {"receive", standin_receive}, {"ready", standin_ready},
	    {"close", standin_close},	  {"now_ms", standin_now_ms},
	    {"select", standin_select},	  {NULL, NULL}};

	luaL_newlib(L, functions);
	return 1;
}
