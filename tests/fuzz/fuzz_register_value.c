/* fuzz_register_value.c - any bytes as the register's value: what is accepted is written the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/register_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[REGISTER_VALUE_BYTES];
	struct failure failure;
	struct reg reg;
	bool moved;

	if (register_value_read((const char *)data, size, "web", &reg, &moved, &failure) != 0)
		return 0;
	if (register_value_write(&reg, "web", moved, again) != size ||
	    memcmp(again, data, size) != 0)
		abort();
	return 0;
}
