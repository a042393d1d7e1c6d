/* values.c - see values.h. */
#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "key writer version " in decimal, at most. */
#define HEAD_MAX 34u

size_t values_key(uint32_t index, char key[VALUES_KEY_MAX])
{
	return (size_t)snprintf(key, VALUES_KEY_MAX, "stale:%" PRIu32 ":%08" PRIx32, index,
				index * UINT32_C(2654435761));
}

bool values_counter(uint32_t index)
{
	return index % 16 == 5;
}

static size_t length_of(uint32_t index)
{
	uint32_t r = index * UINT32_C(2246822519) >> 8;

	if (index % 4096 == 77)
		return 60000 + r % 5000;
	if (index % 128 == 11)
		return 3000 + r % 3000;
	return HEAD_MAX + 8 + r % 120;
}

size_t values_write(uint32_t index, uint32_t writer, uint32_t version, char bytes[VALUES_VALUE_MAX])
{
	if (values_counter(index))
		return (size_t)snprintf(bytes, VALUES_VALUE_MAX, "%" PRIu32, version);

	size_t length = length_of(index);
	int head = snprintf(bytes, HEAD_MAX, "%" PRIu32 " %" PRIu32 " %" PRIu32 " ", index, writer,
			    version);

	memset(bytes + head, 'a' + (int)(version % 26), length - (size_t)head);
	return length;
}

/* A number and the character behind it; NULL: there is none. */
static const char *number_read(const char *at, const char *end, uint32_t *number)
{
	uint64_t value = 0;
	const char *from = at;

	while (at < end && *at >= '0' && *at <= '9' && at - from < 10)
		value = value * 10 + (uint64_t)(*at++ - '0');
	if (at == from || at == end || *at != ' ' || value > UINT32_MAX)
		return NULL;
	*number = (uint32_t)value;
	return at + 1;
}

static uint32_t counter_version(const char *bytes, size_t length)
{
	char text[12];
	uint32_t version;

	if (length + 2 > sizeof(text))
		return 0;
	memcpy(text, bytes, length);
	text[length] = ' ';
	return number_read(text, text + length + 1, &version) ? version : 0;
}

uint32_t values_version(uint32_t index, const char *bytes, size_t length, uint32_t *writer)
{
	uint32_t key, version;
	const char *end = bytes + length, *at;

	*writer = 0;
	if (values_counter(index))
		return length ? counter_version(bytes, length) : 0;
	if (length != length_of(index))
		return 0;
	at = number_read(bytes, end, &key);
	at = at ? number_read(at, end, writer) : NULL;
	at = at ? number_read(at, end, &version) : NULL;
	if (!at || key != index)
		return 0;
	for (; at < end; at++)
		if (*at != (char)('a' + version % 26))
			return 0;
	return version;
}
