/* etcd.h - requests to an etcd cluster: one HTTP POST and its answer, on the agent's loop.
 *
 * With etcd_multi.h the only one that knows libcurl.  Several endpoints: the one that answered last
 * is asked first; one that cannot be reached is passed over within the call, one that gave a bad
 * answer or none in time at the next.  Where a request may have arrived it is never sent again from
 * here (but by libcurl, when a kept connection turns out to be closed): the caller knows what may
 * be repeated. TLS 1.2 or later where the endpoints are https, server names always verified; no
 * proxy, no redirect, nothing from the environment.  Replies are bounded.
 *
 * One thread.  Answers come from the loop, never from within etcd_call.
 */
#ifndef MCROSTER_ETCD_H
#define MCROSTER_ETCD_H

#include <stdbool.h>

#include <event2/event.h>

#include "daemon/config.h"

struct etcd;

struct etcd_result {
	bool answered; /* with status and text; false: it may have arrived nevertheless */
	long status;
	const char *text; /* borrowed for the call */
	size_t bytes;
	const char *endpoint;
	const char *why; /* where it was not answered */
};

/* `config` is borrowed.  -ENOMEM, or -EIO where libcurl lacks what is needed. */
int etcd_open(const struct config_etcd *config, struct event_base *base, struct etcd **etcd,
	      struct failure *failure);
/* Calls under way end without their callback. */
void etcd_close(struct etcd *etcd);

/* Posts `body` (malloc'd JSON; taken over in any case) and calls `done` exactly once, after
 * timeout_ms at the latest.  -ENOMEM: `done` is not called. */
int etcd_call(struct etcd *etcd, const char *path, char *body, size_t reply_max,
	      uint32_t timeout_ms, void (*done)(void *context, const struct etcd_result *result),
	      void *context);

/* The endpoint's answer made no sense: the next call goes to another one. */
void etcd_distrust(struct etcd *etcd);

#endif
