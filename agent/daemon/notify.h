/* notify.h - tells the service manager how the agent is (the sd_notify(3) protocol), without
 * libsystemd.
 */
#ifndef MCROSTER_NOTIFY_H
#define MCROSTER_NOTIFY_H

#include <stdint.h>

#include "list/failure.h"

#define NOTIFY_READY	 "READY=1"
#define NOTIFY_STOPPING	 "STOPPING=1"
#define NOTIFY_RELOADING "RELOADING=1" /* with MONOTONIC_USEC=; then NOTIFY_READY again */
#define NOTIFY_WATCHDOG	 "WATCHDOG=1"

/* Sends `message` (lines of NAME=value, at most 4096 bytes) as one datagram to the socket that the
 * environment's NOTIFY_SOCKET names: a path, or @ and an abstract name.  1: sent.  0: nobody asked
 * (it is not set).  A negative errno with the sentence otherwise; never blocks. */
int notify_send(const char *message, struct failure *failure);
/* CLOCK_MONOTONIC, as MONOTONIC_USEC has it. */
uint64_t notify_clock_us(void);

#endif
