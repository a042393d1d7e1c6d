/* config_metrics.c - see config_reading.h: where the metrics are shown. */
#include "daemon/config_reading.h"

#include <stdio.h>

#include "net/address.h"

/* It asks nobody for his name and shows what status shows: to this host, and no further. */
int config_take_metrics(const struct config_reading *r, struct config *config,
			struct failure *failure)
{
	const char *text = config_text(r, OPTION_METRICS);
	struct sockaddr_storage address;
	socklen_t length;

	if (text == NULL)
		return 0;
	if (address_parse(text, &address, &length) != 0 || !address_is_loopback(&address))
		return config_refuse(r, OPTION_METRICS, failure,
				     "'%.120s', expected a loopback address and a port, such as "
				     "127.0.0.1:9464 (what collects from elsewhere goes by a proxy "
				     "that asks for a password)",
				     text);
	(void)snprintf(config->metrics, sizeof(config->metrics), "%s", text);
	return 0;
}
