/* greeting.c CLUSTER: stores a value and reads it, wherever its key is, also while it moves. */
#include <mcroster_memcached.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	const struct mcr_pool_item item = {
	    .key = "greeting", .key_bytes = 8, .value = "good morning", .value_bytes = 12};
	struct mcr *mcr;
	struct mcr_pool *pool;
	struct mcr_pool_value value;
	struct mcr_pool_report report;
	int error = argc == 2 ? mcr_open(argv[1], 0, &mcr) : MCR_BAD_ARGUMENT;

	if (error == MCR_OK)
		error = mcr_pool_new(mcr, NULL, &pool);
	if (error != MCR_OK) {
		fprintf(stderr, "greeting: %s\n", mcr_strerror(error));
		return 1;
	}
	if (mcr_pool_set(pool, &item, &report) == MCR_POOL_OK &&
	    mcr_pool_get(pool, "greeting", 8, &value, &report) == MCR_POOL_OK) {
		printf("%.*s\n", (int)value.length, value.bytes);
		free(value.bytes);
	} else {
		fprintf(stderr, "greeting: %s: %s\n", mcr_pool_status_name(report.status),
			report.reason);
	}
	mcr_pool_free(pool);
	mcr_close(mcr);
	return report.status == MCR_POOL_OK ? 0 : 1;
}
