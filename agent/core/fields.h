/* fields.h - fixed little-endian fields, one after the other: what is on disk and on the wire.
 *
 * A writer moves a pointer through a buffer that the caller has sized.  A reader is bounded by its
 * end and remembers the first thing that was wrong (`bad`), so a decoder reads all its fields and
 * looks once.  There is one encoding of each value: what a reader accepts a writer writes again,
 * byte for byte.
 */
#ifndef MCROSTER_FIELDS_H
#define MCROSTER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct field_reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline void field_put_bytes(uint8_t **at, const void *bytes, size_t length)
{
	memcpy(*at, bytes, length);
	*at += length;
}

static inline void field_put_unsigned(uint8_t **at, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		*(*at)++ = (uint8_t)(value >> (8 * i));
}

static inline void field_put_u8(uint8_t **at, uint8_t value)
{
	field_put_unsigned(at, value, 1);
}

static inline void field_put_u16(uint8_t **at, uint16_t value)
{
	field_put_unsigned(at, value, 2);
}

static inline void field_put_u32(uint8_t **at, uint32_t value)
{
	field_put_unsigned(at, value, 4);
}

static inline void field_put_u64(uint8_t **at, uint64_t value)
{
	field_put_unsigned(at, value, 8);
}

/* Text ends up on terminals and in logs: control characters have no place in it. */
static inline bool field_text_char(uint8_t c)
{
	return c >= 0x20 && c != 0x7f;
}

/* Names and addresses are words of printable ASCII; lists are stricter still. */
static inline bool field_name_char(uint8_t c)
{
	return c > 0x20 && c < 0x7f;
}

/* A string in a field of `width` bytes: cut so that a NUL ends it, padded with NULs, and what the
 * reader would refuse written as '?', so that a careless sentence can never make a register
 * unreadable. */
static inline void field_put_string(uint8_t **at, const char *string, size_t width,
				    bool (*allowed)(uint8_t c))
{
	size_t i = 0;

	for (; i < width - 1 && string[i] != '\0'; i++)
		(*at)[i] = allowed((uint8_t)string[i]) ? (uint8_t)string[i] : (uint8_t)'?';
	memset(*at + i, 0, width - i);
	*at += width;
}

static inline void field_put_name(uint8_t **at, const char *string, size_t width)
{
	field_put_string(at, string, width, field_name_char);
}

static inline void field_put_text(uint8_t **at, const char *string, size_t width)
{
	field_put_string(at, string, width, field_text_char);
}

static inline void field_get_bytes(struct field_reader *reader, void *bytes, size_t length)
{
	if ((size_t)(reader->end - reader->at) < length) {
		reader->bad = true;
		reader->at = reader->end;
		memset(bytes, 0, length);
		return;
	}
	memcpy(bytes, reader->at, length);
	reader->at += length;
}

static inline uint64_t field_get_unsigned(struct field_reader *reader, size_t width)
{
	uint8_t bytes[8];
	uint64_t value = 0;

	field_get_bytes(reader, bytes, width);
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static inline uint8_t field_get_u8(struct field_reader *reader)
{
	return (uint8_t)field_get_unsigned(reader, 1);
}

static inline uint16_t field_get_u16(struct field_reader *reader)
{
	return (uint16_t)field_get_unsigned(reader, 2);
}

static inline uint32_t field_get_u32(struct field_reader *reader)
{
	return (uint32_t)field_get_unsigned(reader, 4);
}

static inline uint64_t field_get_u64(struct field_reader *reader)
{
	return field_get_unsigned(reader, 8);
}

/* A byte below `count`. */
static inline uint8_t field_get_below(struct field_reader *reader, unsigned count)
{
	uint8_t value = field_get_u8(reader);

	if (value >= count)
		reader->bad = true;
	return value;
}

static inline bool field_get_bool(struct field_reader *reader)
{
	return field_get_below(reader, 2) == 1;
}

static inline void field_get_string(struct field_reader *reader, char *string, size_t width,
				    bool (*allowed)(uint8_t c))
{
	size_t length;

	field_get_bytes(reader, string, width);
	length = strnlen(string, width);
	if (length == width) {
		reader->bad = true;
		string[0] = '\0';
		return;
	}
	for (size_t i = 0; i < width; i++)
		if (i < length ? !allowed((uint8_t)string[i]) : string[i] != '\0')
			reader->bad = true;
}

static inline void field_get_name(struct field_reader *reader, char *string, size_t width)
{
	field_get_string(reader, string, width, field_name_char);
}

static inline void field_get_text(struct field_reader *reader, char *string, size_t width)
{
	field_get_string(reader, string, width, field_text_char);
}

#endif
