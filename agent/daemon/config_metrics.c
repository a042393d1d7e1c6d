/* config_metrics.c - see config_reading.h: where the metrics are shown. */
#include "daemon/config_reading.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"

static bool address_is_loopback(const struct sockaddr_storage *address)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (address->ss_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		return ntohl(four.sin_addr.s_addr) >> 24 == 127;
	}
	memcpy(&six, address, sizeof(six));
	return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

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
