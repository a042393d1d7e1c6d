/* fuzz_metadump.c - any bytes as a line of `lru_crawler metadump`: a key that is taken can be
 * encoded and is found again, and can be written as a command that stays one line. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "net/mc_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found_again(const struct mc_dump_line *line)
{
	struct mc_dump_line again;
	char text[1024];
	int length = snprintf(text, sizeof(text), "key=");

	for (size_t i = 0; i < line->key_bytes; i++)
		length +=
		    snprintf(text + length, sizeof(text) - (size_t)length, "%%%02X", line->key[i]);
	length += snprintf(text + length, sizeof(text) - (size_t)length,
			   " exp=%lld cas=%llu size=%llu", (long long)line->expires,
			   (unsigned long long)line->cas, (unsigned long long)line->size);
	if (mc_dump_line_parse(text, (size_t)length, &again) != 0 ||
	    again.key_bytes != line->key_bytes ||
	    memcmp(again.key, line->key, line->key_bytes) != 0 || again.cas != line->cas ||
	    again.size != line->size || again.expires != line->expires)
		abort();
}

static void stays_one_line(const struct mc_dump_line *line)
{
	char command[MC_COMMAND_MAX];
	struct mc_key key;
	size_t length;

	if (mc_key_write(line->key, line->key_bytes, &key) != 0)
		return;
	length = mc_write_set(command, &key, UINT32_MAX, UINT64_MAX, UINT32_MAX, INT32_MAX);
	if (length > sizeof(command) || command[length - 1] != '\n' ||
	    memchr(command, '\n', length) != command + length - 1 ||
	    memchr(command, '\0', length) != NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mc_dump_line line;
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	if (mc_dump_line_parse(copy, size, &line) == 0) {
		if (line.key_bytes == 0 || line.key_bytes > MC_KEY_MAX)
			abort();
		found_again(&line);
		stays_one_line(&line);
	}
	free(copy);
	return 0;
}
