/* etcd_multi.c - see etcd_multi.h.  libcurl's callbacks only note what it wants; transfers are
 * driven, and their ends told, from the loop alone. */
#include "daemon/etcd_multi.h"

#include <errno.h>
#include <stdlib.h>

struct etcd_multi {
	struct event_base *base;
	CURLM *curl;
	struct event *timer;
	void (*finished)(void *context, CURL *easy, CURLcode code);
	void *context;
};

static void multi_finish(struct etcd_multi *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi->curl, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			multi->finished(multi->context, message->easy_handle, message->data.result);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct etcd_multi *multi = context;
	int running, mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
			    ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(multi->curl, fd, mask, &running);
	multi_finish(multi);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct etcd_multi *multi = context;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	multi_finish(multi);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *watched)
{
	struct etcd_multi *multi = context;
	struct event *event = watched;
	short events = EV_PERSIST;

	(void)easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
			events |= EV_READ;
		if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
			events |= EV_WRITE;
		event = event_new(multi->base, fd, events, on_socket, multi);
		if (event != NULL)
			(void)event_add(event, NULL);
	}
	(void)curl_multi_assign(multi->curl, fd, event);
	return 0;
}

static int want_timer(CURLM *curl, long timeout_ms, void *context)
{
	struct etcd_multi *multi = context;
	struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

	(void)curl;
	if (timeout_ms < 0)
		(void)event_del(multi->timer);
	else
		(void)event_add(multi->timer, &wait);
	return 0;
}

int etcd_multi_new(struct event_base *base,
		   void (*finished)(void *context, CURL *easy, CURLcode code), void *context,
		   struct etcd_multi **out)
{
	struct etcd_multi *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return -EIO;
	multi = calloc(1, sizeof(*multi));
	if (multi == NULL) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	multi->base = base;
	multi->finished = finished;
	multi->context = context;
	multi->curl = curl_multi_init();
	multi->timer = event_new(base, -1, 0, on_timer, multi);
	if (multi->curl == NULL || multi->timer == NULL) {
		etcd_multi_free(multi);
		return -ENOMEM;
	}
	(void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, want_socket);
	(void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
	(void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, want_timer);
	(void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
	*out = multi;
	return 0;
}

void etcd_multi_free(struct etcd_multi *multi)
{
	if (multi == NULL)
		return;
	(void)curl_multi_cleanup(multi->curl);
	if (multi->timer != NULL)
		event_free(multi->timer);
	free(multi);
	curl_global_cleanup();
}

int etcd_multi_add(struct etcd_multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->curl, easy) == CURLM_OK ? 0 : -EIO;
}

void etcd_multi_remove(struct etcd_multi *multi, CURL *easy)
{
	(void)curl_multi_remove_handle(multi->curl, easy);
	curl_easy_cleanup(easy);
}
