/* module.c - mcroster.so: what mcroster.lua needs of libmcroster, as the Lua module mcroster.core.
 *
 * It plans and never sends; the proxy sends.  Linked with the library itself, so that a proxy needs
 * nothing else installed.
 */
#include <string.h>

#include "module.h"

__attribute__((visibility("default"))) int luaopen_mcroster_core(lua_State *L);

static int base64_digit(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* binary_key(text) -> the key that the flag b names, or nil: it is none. */
static int binary_key(lua_State *L)
{
	size_t len, bytes = 0;
	const char *text = luaL_checklstring(L, 1, &len);
	char key[MCR_KEY_MAX + 3];
	uint32_t bits = 0;
	size_t digits = 0;

	for (; digits < len && text[digits] != '='; digits++) {
		int digit = base64_digit(text[digits]);

		if (digit < 0 || bytes > MCR_KEY_MAX)
			return 0;
		bits = bits << 6 | (uint32_t)digit;
		if (digits % 4 != 0)
			key[bytes++] = (char)(bits >> (6 - digits % 4 * 2) & 0xff);
	}
	if (len % 4 != 0 || len - digits > 2 || digits % 4 == 1 || !bytes || bytes > MCR_KEY_MAX)
		return 0;
	lua_pushlstring(L, key, bytes);
	return 1;
}

static const struct {
	const char *name;
	int value;
} numbers[] = {
    {"INTERFACE", MODULE_INTERFACE},
    {"GET", MCR_OP_GET},
    {"SET", MCR_OP_SET},
    {"ADD", MCR_OP_ADD},
    {"UPDATE", MCR_OP_UPDATE},
    {"APPEND", MCR_OP_APPEND},
    {"DELETE", MCR_OP_DELETE},
    {"TOUCH", MCR_OP_TOUCH},
    {"SEND_READ", MCR_SEND_READ},
    {"SEND_WRITE", MCR_SEND_WRITE},
    {"SEND_SET", MCR_SEND_SET},
    {"SEND_DELETE", MCR_SEND_DELETE},
    {"ANSWER_NOT_STORED", MCR_ANSWER_NOT_STORED},
    {"ANSWER_READ", MCR_ANSWER_READ},
    {"OK", MCR_OK},
    {"NEWER", MCR_NEWER},
    {"REPEAT", MCR_REPEAT},
};

int luaopen_mcroster_core(lua_State *L)
{
	static const luaL_Reg functions[] = {{"open", roster_open},	 {"look", roster_look},
					     {"plan", plan_new},	 {"map", map_new},
					     {"shared", shared_new},	 {"shared_of", shared_of},
					     {"binary_key", binary_key}, {NULL, NULL}};

	luaL_checkversion(L);
	roster_type(L);
	plan_type(L);
	map_type(L);
	shared_type(L);
	luaL_newlib(L, functions);
	aim_fields(L);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		lua_pushinteger(L, numbers[i].value);
		lua_setfield(L, -2, numbers[i].name);
	}
	return 1;
}
