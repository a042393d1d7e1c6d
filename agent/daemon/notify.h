/* notify.h - tells the service manager how the agent is (the sd_notify(3) protocol), without
 * libsystemd.
 */
#ifndef MCROSTER_NOTIFY_H
#define MCROSTER_NOTIFY_H

#include "list/failure.h"

#define NOTIFY_READY	"READY=1"
#define NOTIFY_STOPPING "STOPPING=1"

/* Sends `message` (lines of NAME=value, at most 4096 bytes) as one datagram to the socket that the
 * environment's NOTIFY_SOCKET names: a path, or @ and an abstract name.  1: sent.  0: nobody asked
 * (it is not set).  A negative errno with the sentence otherwise; never blocks. */
int notify_send(const char *message, struct failure *failure);

#endif
