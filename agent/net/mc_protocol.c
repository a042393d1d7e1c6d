/* mc_protocol.c - see mc_protocol.h.  Reentrant. */
#include "net/mc_protocol.h"

#include <errno.h>
#include <string.h>

bool mc_number_parse(const char *text, size_t length, uint64_t *number)
{
	uint64_t n = 0;

	if (length == 0 || length > 20)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}

static bool signed_parse(const char *text, size_t length, int64_t *number)
{
	bool minus = length > 0 && text[0] == '-';
	uint64_t n;

	if (!mc_number_parse(text + minus, length - minus, &n) || n > INT64_MAX)
		return false;
	*number = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

/* One flag of a reply, "c123" or "W".  Flags that we never ask for are passed over. */
static bool flag_parse(const char *token, size_t length, struct mc_reply *reply)
{
	uint64_t n;

	switch (token[0]) {
	case 'c':
		return reply->has_cas = mc_number_parse(token + 1, length - 1, &reply->cas);
	case 's':
		return reply->has_size = mc_number_parse(token + 1, length - 1, &reply->size);
	case 't':
		return reply->has_ttl = signed_parse(token + 1, length - 1, &reply->ttl);
	case 'f':
		if (!mc_number_parse(token + 1, length - 1, &n) || n > UINT32_MAX)
			return false;
		reply->client_flags = (uint32_t)n;
		return reply->has_flags = true;
	case 'O': /* any token is well formed; ours are numbers */
		if (mc_number_parse(token + 1, length - 1, &n) && n <= UINT32_MAX) {
			reply->opaque = (uint32_t)n;
			reply->has_opaque = true;
		}
		return true;
	case 'W':
		reply->won = true;
		return true;
	case 'X':
		reply->stale = true;
		return true;
	case 'Z':
		reply->sent = true;
		return true;
	default:
		return true;
	}
}

static bool flags_parse(const char *at, const char *end, struct mc_reply *reply)
{
	while (at < end) {
		const char *token = at;

		if (*at == ' ') {
			at++;
			continue;
		}
		while (at < end && *at != ' ')
			at++;
		if (!flag_parse(token, (size_t)(at - token), reply))
			return false;
	}
	return true;
}

static bool line_begins(const struct mc_reply *reply, const char *word)
{
	size_t length = strlen(word);

	return reply->text_bytes >= length && memcmp(reply->text, word, length) == 0 &&
	       (reply->text_bytes == length || reply->text[length] == ' ');
}

/* The replies that are not two letters. */
static enum mc_code word_code(const struct mc_reply *reply)
{
	static const struct {
		const char *word;
		enum mc_code code;
	} words[] = {
	    {"END", MC_END},
	    {"ERROR", MC_ERROR},
	    {"CLIENT_ERROR", MC_CLIENT_ERROR},
	    {"SERVER_ERROR", MC_SERVER_ERROR},
	    {"BUSY", MC_BUSY},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (line_begins(reply, words[i].word))
			return words[i].code;
	return MC_LINE;
}

#define LETTERS(a, b) ((unsigned)(a) << 8 | (unsigned)(b))

static enum mc_code letters_code(const char *line, size_t length)
{
	if (length < 2 || (length > 2 && line[2] != ' '))
		return MC_LINE;
	switch (LETTERS((unsigned char)line[0], (unsigned char)line[1])) {
	case LETTERS('H', 'D'):
		return MC_HD;
	case LETTERS('V', 'A'):
		return MC_VA;
	case LETTERS('E', 'N'):
		return MC_EN;
	case LETTERS('N', 'S'):
		return MC_NS;
	case LETTERS('E', 'X'):
		return MC_EX;
	case LETTERS('N', 'F'):
		return MC_NF;
	case LETTERS('M', 'N'):
		return MC_MN;
	default:
		return MC_LINE;
	}
}

/* "VA <size> <flags>", then the value and its line end. */
static int value_parse(const char *bytes, size_t length, size_t value_max, struct mc_reply *reply,
		       size_t *used)
{
	const char *size = bytes + 3, *end = bytes + reply->text_bytes;
	const char *space;
	uint64_t value_bytes;

	if (reply->text_bytes < 4)
		return -EBADMSG;
	space = memchr(size, ' ', (size_t)(end - size));
	if (space == NULL)
		space = end;
	if (!mc_number_parse(size, (size_t)(space - size), &value_bytes) ||
	    value_bytes > value_max || !flags_parse(space, end, reply))
		return -EBADMSG;
	*used += (size_t)value_bytes + 2;
	if (length < *used)
		return 0;
	if (bytes[*used - 2] != '\r' || bytes[*used - 1] != '\n')
		return -EBADMSG;
	reply->value = bytes + *used - 2 - value_bytes;
	reply->value_bytes = (size_t)value_bytes;
	return 1;
}

int mc_reply_parse(const char *bytes, size_t length, size_t value_max, struct mc_reply *reply,
		   size_t *used)
{
	const char *end = memchr(bytes, '\n', length < MC_LINE_MAX ? length : MC_LINE_MAX);

	if (end == NULL) {
		*used = length + 1;
		return length < MC_LINE_MAX ? 0 : -EBADMSG;
	}
	*used = (size_t)(end - bytes) + 1;
	memset(reply, 0, sizeof(*reply));
	reply->text = bytes;
	reply->text_bytes = *used - 1;
	if (reply->text_bytes > 0 && end[-1] == '\r')
		reply->text_bytes--;
	reply->code = letters_code(bytes, reply->text_bytes);
	switch (reply->code) {
	case MC_VA:
		return value_parse(bytes, length, value_max, reply, used);
	case MC_LINE:
		reply->code = word_code(reply);
		return 1;
	default:
		return flags_parse(bytes + 2, bytes + reply->text_bytes, reply) ? 1 : -EBADMSG;
	}
}

int mc_stat_parse(const char *line, size_t length, const char **name, size_t *name_bytes,
		  const char **value, size_t *value_bytes)
{
	const char *end = line + length, *space;

	if (length < 5 || memcmp(line, "STAT ", 5) != 0)
		return -EBADMSG;
	line += 5;
	space = memchr(line, ' ', (size_t)(end - line));
	if (space == NULL || space == line)
		return -EBADMSG;
	*name = line;
	*name_bytes = (size_t)(space - line);
	*value = space + 1;
	*value_bytes = (size_t)(end - space) - 1;
	return 0;
}
