/* etcd_multi.h - libcurl's transfers on a libevent loop: sockets watched, its one timer kept. */
#ifndef MCROSTER_ETCD_MULTI_H
#define MCROSTER_ETCD_MULTI_H

#include <curl/curl.h>
#include <event2/event.h>

struct etcd_multi;

/* `finished` is called from the loop, once for each transfer that ended; it may add and remove
 * transfers, the ended one too.  -ENOMEM, -EIO. */
int etcd_multi_new(struct event_base *base,
		   void (*finished)(void *context, CURL *easy, CURLcode code), void *context,
		   struct etcd_multi **multi);
/* Every transfer must have been removed. */
void etcd_multi_free(struct etcd_multi *multi);

int etcd_multi_add(struct etcd_multi *multi, CURL *easy);
/* Takes it out and frees it; also one that was never added. */
void etcd_multi_remove(struct etcd_multi *multi, CURL *easy);

#endif
