/* list_text.c - canonical spellings: a value has one way to be written, and this file knows it.
 *
 * Two texts that mean the same would be two documents with two hashes, so anything but the one
 * spelling is refused.  Pure functions over bytes from outside; no locale is consulted.
 */
#include "list/list_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define DIGITS	   "0123456789"
#define NAME_CHARS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool text_is(struct word word, const char *what)
{
	return word.bytes == strlen(what) && memcmp(word.text, what, word.bytes) == 0;
}

bool text_option(struct word *word, const char *option)
{
	const size_t bytes = strlen(option);

	if (word->bytes < bytes || memcmp(word->text, option, bytes) != 0)
		return false;
	word->text += bytes;
	word->bytes -= bytes;
	return true;
}

static bool char_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

bool text_number(struct word word, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (word.bytes == 0 || (word.text[0] == '0' && word.bytes > 1))
		return false;
	for (size_t i = 0; i < word.bytes; i++) {
		if (!char_in(word.text[i], DIGITS) ||
		    __builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(word.text[i] - '0'), &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*number = value;
	return true;
}

bool text_name(struct word word, char name[LIST_NAME_MAX + 1])
{
	if (word.bytes == 0 || word.bytes > LIST_NAME_MAX || !char_in(word.text[0], NAME_CHARS))
		return false;
	for (size_t i = 1; i < word.bytes; i++)
		if (!char_in(word.text[i], NAME_CHARS "._-"))
			return false;
	memcpy(name, word.text, word.bytes);
	name[word.bytes] = '\0';
	return true;
}

/* The host part, without brackets, in the spelling inet_ntop gives. */
static bool host_valid(struct word host, int family)
{
	char text[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (host.bytes == 0 || host.bytes >= sizeof(text) || memchr(host.text, '\0', host.bytes))
		return false;
	memcpy(text, host.text, host.bytes);
	text[host.bytes] = '\0';
	if (inet_pton(family, text, &binary) != 1 ||
	    inet_ntop(family, &binary, again, sizeof(again)) == NULL || strcmp(text, again) != 0)
		return false;
	/* ::ffff:10.0.0.1 is 10.0.0.1: one host, one spelling. */
	return family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&binary);
}

bool text_address(struct word word, char address[LIST_ADDRESS_MAX + 1])
{
	const char *colon = memrchr(word.text, ':', word.bytes);
	struct word host, port;
	uint64_t number = 0;
	int family = AF_INET;

	if (word.bytes > LIST_ADDRESS_MAX || colon == NULL)
		return false;
	host = (struct word){word.text, (size_t)(colon - word.text)};
	port = (struct word){colon + 1, word.bytes - host.bytes - 1};
	if (host.bytes >= 2 && host.text[0] == '[' && host.text[host.bytes - 1] == ']') {
		family = AF_INET6;
		host.text++;
		host.bytes -= 2;
	}
	if (!host_valid(host, family) || !text_number(port, 1, UINT16_MAX, &number))
		return false;
	memcpy(address, word.text, word.bytes);
	address[word.bytes] = '\0';
	return true;
}

bool list_address_valid(const char *address)
{
	char copy[LIST_ADDRESS_MAX + 1];

	return text_address((struct word){address, strlen(address)}, copy);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

bool text_time(struct word word, char created[LIST_CREATED_CHARS + 1])
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	unsigned field[6] = {0};
	size_t at = 0;

	if (word.bytes != LIST_CREATED_CHARS)
		return false;
	for (size_t i = 0; i < LIST_CREATED_CHARS; i++) {
		if (shape[i] == 'd') {
			if (!char_in(word.text[i], DIGITS))
				return false;
			field[at] = field[at] * 10 + (unsigned)(word.text[i] - '0');
		} else {
			if (word.text[i] != shape[i])
				return false;
			at++;
		}
	}
	if (field[0] < 1970 || field[1] < 1 || field[1] > 12 || field[2] < 1 ||
	    field[2] > month_days(field[0], field[1]) || field[3] > 23 || field[4] > 59 ||
	    field[5] > 59)
		return false;
	memcpy(created, word.text, word.bytes);
	created[word.bytes] = '\0';
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_hash(struct word word, uint8_t hash[LIST_HASH_BYTES])
{
	uint8_t bytes[LIST_HASH_BYTES];

	if (word.bytes != 2 * sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		const int high = hex_digit(word.text[2 * i]);
		const int low = hex_digit(word.text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(hash, bytes, sizeof(bytes));
	return true;
}

bool text_key(struct word word, uint8_t key[LIST_HOST_KEY_BYTES])
{
	uint8_t bytes[LIST_HOST_KEY_BYTES];

	if (document_base64_decode(word.text, word.bytes, bytes, sizeof(bytes)) != 0)
		return false;
	memcpy(key, bytes, sizeof(bytes));
	return true;
}
