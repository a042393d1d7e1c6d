/* config_discovery.c - see config_reading.h: where stock clients find the list. */
#include "daemon/config_reading.h"

#include <stdio.h>

#include "net/address.h"

/* It asks nobody for his name: it shows to this host what this host's segment shows, and no
 * further. */
int config_take_discovery(const struct config_reading *r, struct config *config,
			  struct failure *failure)
{
	const char *text = config_text(r, OPTION_DISCOVERY);
	struct sockaddr_storage address;
	socklen_t length;

	if (text == NULL)
		return 0;
	if (address_parse(text, &address, &length) != 0 || !address_is_loopback(&address))
		return config_refuse(
		    r, OPTION_DISCOVERY, failure,
		    "'%.120s', expected a loopback address and a port, such as "
		    "127.0.0.1:11214 (clients on other hosts have agents of their own)",
		    text);
	(void)snprintf(config->discovery, sizeof(config->discovery), "%s", text);
	return 0;
}
