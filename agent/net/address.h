/* address.h - numeric "10.0.0.1:11280" and "[::1]:11280", to and from socket addresses.
 *
 * No names: a list must mean the same on every host, and nothing here may block.
 */
#ifndef MCROSTER_ADDRESS_H
#define MCROSTER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>

#define ADDRESS_TEXT_BYTES 64u /* the longest text and its NUL */

/* 0, or -EINVAL for anything that is not numeric address:port with port 1..65535; nothing is
 * written then.  `address` and `length` are what connect(2) and bind(2) take. */
int address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length);

/* Is it an address that only this host can reach: 127.0.0.0/8 or ::1? */
bool address_is_loopback(const struct sockaddr_storage *address);

/* The text of an IPv4 or IPv6 socket address; "local" for anything else. */
void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT_BYTES]);

#endif
