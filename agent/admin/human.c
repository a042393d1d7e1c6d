/* human.c - see human.h.  No state; the caller brings the buffers. */
#include "admin/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "list/list.h"

char *human_clean(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

const char *human_duration(uint64_t ms, char buffer[HUMAN_NUMBER_BYTES])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%" PRIu64 ".%" PRIu64 " s", s,
			       ms % 1000 / 100);
	else if (s < 3600)
		(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%" PRIu64 " min %" PRIu64 " s", s / 60,
			       s % 60);
	else
		(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%" PRIu64 " h %" PRIu64 " min",
			       s / 3600, s % 3600 / 60);
	return buffer;
}

const char *human_percent(uint64_t part, uint64_t whole, char buffer[HUMAN_NUMBER_BYTES])
{
	double percent = whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;

	(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%.1f %%", percent);
	return buffer;
}

const char *human_bytes(uint64_t bytes, char buffer[HUMAN_NUMBER_BYTES])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double number = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%" PRIu64 " B", bytes);
		return buffer;
	}
	while (number >= 999.95) {
		number /= 1000;
		unit++;
	}
	(void)snprintf(buffer, HUMAN_NUMBER_BYTES, "%.1f %s", number, units[unit]);
	return buffer;
}

bool human_in_slots(uint64_t whole)
{
	return whole <= LIST_SLOTS_MAX;
}

const char *human_parts(uint64_t part, uint64_t whole, char buffer[HUMAN_PARTS_BYTES])
{
	char percent[HUMAN_NUMBER_BYTES];

	(void)human_percent(part, whole, percent);
	if (human_in_slots(whole))
		(void)snprintf(buffer, HUMAN_PARTS_BYTES, "%" PRIu64 " slots (%s of all)", part,
			       percent);
	else
		(void)snprintf(buffer, HUMAN_PARTS_BYTES, "%s of the keys", percent);
	return buffer;
}

bool human_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
			return false;
	}
	if (number < min || number > max)
		return false;
	*value = number;
	return true;
}

void human_hex(const uint8_t *bytes, size_t length, char *text)
{
	sodium_bin2hex(text, 2 * length + 1, bytes, length);
}

void human_now(char text[21])
{
	time_t now = time(NULL);
	struct tm utc;

	(void)gmtime_r(&now, &utc);
	if (strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		memcpy(text, "1970-01-01T00:00:00Z", 21);
}
