/* address.c - see address.h.  Reentrant. */
#include "net/address.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static int port_parse(const char *text, in_port_t *port)
{
	uint32_t value = 0;
	size_t digits = strlen(text);

	if (digits < 1 || digits > 5 || text[0] == '0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (uint32_t)(*text - '0');
	}
	if (value > UINT16_MAX)
		return -EINVAL;
	*port = htons((uint16_t)value);
	return 0;
}

int address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length)
{
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *colon = strrchr(text, ':');
	const char *begin = text, *end = colon;
	bool bracket = text[0] == '[';

	if (colon == NULL)
		return -EINVAL;
	if (bracket) {
		begin++;
		end--;
		if (end < begin || *end != ']')
			return -EINVAL;
	}
	if ((size_t)(end - begin) >= sizeof(host))
		return -EINVAL;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	if (bracket) {
		if (port_parse(colon + 1, &v6.sin6_port) != 0 ||
		    inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
			return -EINVAL;
		memset(address, 0, sizeof(*address));
		memcpy(address, &v6, sizeof(v6));
		*length = sizeof(v6);
		return 0;
	}
	if (port_parse(colon + 1, &v4.sin_port) != 0 || inet_pton(AF_INET, host, &v4.sin_addr) != 1)
		return -EINVAL;
	memset(address, 0, sizeof(*address));
	memcpy(address, &v4, sizeof(v4));
	*length = sizeof(v4);
	return 0;
}

bool address_is_loopback(const struct sockaddr_storage *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	memcpy(&v6, address, sizeof(v6));
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT_BYTES])
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		(void)inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
		(void)snprintf(text, ADDRESS_TEXT_BYTES, "%s:%u", host, ntohs(v4.sin_port));
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		(void)inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
		(void)snprintf(text, ADDRESS_TEXT_BYTES, "[%s]:%u", host, ntohs(v6.sin6_port));
	} else {
		(void)snprintf(text, ADDRESS_TEXT_BYTES, "local");
	}
}
