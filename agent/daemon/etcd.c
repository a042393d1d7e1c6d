/* etcd.c - see etcd.h: calls, endpoints and the token.  The sockets are etcd_multi.c's.
 *
 * A call waits while a token is being fetched, is sent to one endpoint, and is sent to the next one
 * where it certainly did not arrive.  Its deadline stands from the beginning.
 */
#include "daemon/etcd.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "daemon/etcd_message.h"
#include "daemon/etcd_multi.h"

#define CONNECT_LEAST_MS 250u

struct etcd_call {
	struct etcd *etcd;
	struct etcd_call *next, *previous;
	CURL *easy; /* NULL: it waits */
	struct curl_slist *headers;
	const char *path; /* static */
	char *body;
	size_t reply_max;
	uint64_t deadline_ms;
	uint32_t endpoint; /* at which it is now */
	uint32_t tries;	   /* endpoints tried in this call */
	bool authenticates;
	bool retried; /* with a new token, once */
	bool over;    /* the reply is longer than reply_max */
	char *reply;
	size_t reply_bytes;
	char curl_said[CURL_ERROR_SIZE];
	void (*done)(void *context, const struct etcd_result *result);
	void *context;
};

struct etcd {
	const struct config_etcd *config;
	struct etcd_multi *multi;
	uint32_t endpoint; /* asked first */
	struct etcd_call *calls;
	struct event *wake; /* waiting calls: sent, or given up */
	bool token_known, token_asked;
	char *token; /* sodium_malloc'd, ETCD_TOKEN_BYTES; "" : none is needed */
	char token_why[FAILURE_BYTES];
};

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* ---- one call ---- */

static void call_unsend(struct etcd_call *call)
{
	if (call->easy != NULL)
		etcd_multi_remove(call->etcd->multi, call->easy);
	call->easy = NULL;
	curl_slist_free_all(call->headers);
	call->headers = NULL;
	free(call->reply);
	call->reply = NULL;
	call->reply_bytes = 0;
	call->over = false;
}

static void call_free(struct etcd_call *call)
{
	call_unsend(call);
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		call->etcd->calls = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	sodium_memzero(call->body, strlen(call->body)); /* a password may stand in it */
	free(call->body);
	free(call);
}

static void call_end(struct etcd_call *call, const struct etcd_result *result)
{
	call->done(call->context, result);
	call_free(call);
}

static void call_fail(struct etcd_call *call, const char *why)
{
	const struct etcd_result result = {
	    .why = why,
	    .endpoint = call->etcd->config->endpoints[call->endpoint],
	};

	call_end(call, &result);
}

static size_t call_received(char *bytes, size_t size, size_t count, void *context)
{
	struct etcd_call *call = context;
	const size_t length = size * count;
	char *longer;

	if (length > call->reply_max - call->reply_bytes) {
		call->over = true;
		return 0; /* libcurl ends the transfer */
	}
	longer = realloc(call->reply, call->reply_bytes + length + 1);
	if (longer == NULL)
		return 0;
	memcpy(longer + call->reply_bytes, bytes, length);
	call->reply = longer;
	call->reply_bytes += length;
	return length;
}

static bool header_add(struct etcd_call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);

	if (longer != NULL)
		call->headers = longer;
	return longer != NULL;
}

static bool call_headers(struct etcd_call *call)
{
	static const char name[] = "Authorization: ";
	char line[sizeof(name) + ETCD_TOKEN_BYTES];
	bool good = header_add(call, "Content-Type: application/json") &&
		    header_add(call, "Expect:"); /* no round trip before a large body */

	if (good && !call->authenticates && call->etcd->token[0] != '\0') {
		(void)snprintf(line, sizeof(line), "%s%s", name, call->etcd->token);
		good = header_add(call, line);
		sodium_memzero(line, sizeof(line));
	}
	return good;
}

static void options_tls(CURL *easy, const struct config_etcd *config)
{
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (config->ca[0] != '\0') {
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* that one and no other */
	}
	if (config->cert[0] != '\0') {
		(void)curl_easy_setopt(easy, CURLOPT_SSLCERT, config->cert);
		(void)curl_easy_setopt(easy, CURLOPT_SSLKEY, config->key);
	}
}

static void call_options(struct etcd_call *call, uint32_t left_ms)
{
	const struct config_etcd *config = call->etcd->config;
	uint32_t connect_ms = left_ms / config->endpoint_count;
	char url[CONFIG_PATH_MAX + 64];
	CURL *easy = call->easy;

	if (connect_ms < CONNECT_LEAST_MS)
		connect_ms = CONNECT_LEAST_MS;
	(void)snprintf(url, sizeof(url), "%s%s", config->endpoints[call->endpoint], call->path);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(call->body));
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, call_received);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_said);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	options_tls(easy, config);
}

static void call_send(struct etcd_call *call)
{
	const uint64_t now_ms = monotonic_ms();

	if (now_ms >= call->deadline_ms) {
		call_fail(call,
			  call->curl_said[0] != '\0' ? call->curl_said : "etcd: no answer in time");
		return;
	}
	call->easy = curl_easy_init();
	if (call->easy == NULL || !call_headers(call)) {
		call_fail(call, "no memory");
		return;
	}
	call_options(call, (uint32_t)(call->deadline_ms - now_ms));
	call->curl_said[0] = '\0';
	if (etcd_multi_add(call->etcd->multi, call->easy) != 0)
		call_fail(call, "libcurl took no more requests");
}

/* Did it certainly not arrive? */
static bool code_unsent(CURLcode code, CURL *easy)
{
	curl_off_t connected_us = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_URL_MALFORMAT:
		return true;
	case CURLE_OPERATION_TIMEDOUT:
		/* Zero until the request is about to be written. */
		return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us) ==
			   CURLE_OK &&
		       connected_us == 0;
	default:
		return false;
	}
}

static void token_start(struct etcd *etcd, uint64_t deadline_ms);

static void call_next_endpoint(struct etcd_call *call)
{
	call->endpoint = (call->endpoint + 1) % call->etcd->config->endpoint_count;
}

static void call_broke(struct etcd_call *call, CURLcode code)
{
	struct etcd *etcd = call->etcd;
	const bool unsent = code_unsent(code, call->easy);
	const char *words = call->over			 ? "the answer is too long"
			    : call->curl_said[0] != '\0' ? call->curl_said
							 : curl_easy_strerror(code);
	char why[FAILURE_BYTES];

	(void)snprintf(why, sizeof(why), "etcd %s: %s", etcd->config->endpoints[call->endpoint],
		       words);
	call_next_endpoint(call);
	etcd->endpoint = call->endpoint;
	if (unsent && ++call->tries < etcd->config->endpoint_count) {
		call_unsend(call);
		call_send(call);
		return;
	}
	call_fail(call, why);
}

static void call_answered(struct etcd_call *call)
{
	struct etcd *etcd = call->etcd;
	struct etcd_result result = {
	    .answered = true,
	    .text = call->reply != NULL ? call->reply : "",
	    .bytes = call->reply_bytes,
	    .endpoint = etcd->config->endpoints[call->endpoint],
	};

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &result.status);
	if (etcd->config->user[0] != '\0' && !call->authenticates && !call->retried &&
	    etcd_answer_wants_token(result.status, result.text, result.bytes)) {
		call->retried = true;
		call_unsend(call);
		etcd->token_known = false;
		token_start(etcd, call->deadline_ms);
		return;
	}
	etcd->endpoint = call->endpoint;
	call_end(call, &result);
}

static void call_finished(void *context, CURL *easy, CURLcode code)
{
	struct etcd_call *call = NULL;

	(void)context;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
	assert(call != NULL && call->easy == easy);
	if (code == CURLE_OK)
		call_answered(call);
	else
		call_broke(call, code);
}

static struct etcd_call *call_new(struct etcd *etcd, const char *path, char *body, size_t reply_max,
				  uint64_t deadline_ms)
{
	struct etcd_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		sodium_memzero(body, strlen(body));
		free(body);
		return NULL;
	}
	call->etcd = etcd;
	call->path = path;
	call->body = body;
	call->reply_max = reply_max;
	call->deadline_ms = deadline_ms;
	call->endpoint = etcd->endpoint;
	call->next = etcd->calls;
	if (call->next != NULL)
		call->next->previous = call;
	etcd->calls = call;
	return call;
}

/* ---- the token ---- */

static void wake_now(struct etcd *etcd)
{
	event_active(etcd->wake, EV_TIMEOUT, 1);
}

static void token_came(void *context, const struct etcd_result *result)
{
	struct etcd *etcd = context;
	enum etcd_token verdict = ETCD_TOKEN_UNKNOWN;
	struct failure failure;

	etcd->token_asked = false;
	(void)failure_set(&failure, EIO, "%s", result->why != NULL ? result->why : "");
	if (result->answered)
		verdict = etcd_token_read(result->endpoint, result->status, result->text,
					  result->bytes, etcd->token, &failure);
	etcd->token_known = verdict == ETCD_TOKEN_GIVEN || verdict == ETCD_TOKEN_NEEDLESS;
	if (result->answered && verdict == ETCD_TOKEN_UNKNOWN)
		etcd_distrust(etcd);
	(void)snprintf(etcd->token_why, sizeof(etcd->token_why), "user %s: %.340s",
		       etcd->config->user, failure.text);
	wake_now(etcd);
}

/* The calls that wait for the token are of one time; the deadline of the first serves all. */
static void token_start(struct etcd *etcd, uint64_t deadline_ms)
{
	struct etcd_call *call;
	const char *path;
	char *body;

	if (etcd->token_asked)
		return;
	etcd->token_why[0] = '\0';
	if (etcd_authenticate_write(etcd->config->user, etcd->config->password, &path, &body) !=
		0 ||
	    (call = call_new(etcd, path, body, ETCD_REPLY_SMALL, deadline_ms)) == NULL) {
		(void)snprintf(etcd->token_why, sizeof(etcd->token_why), "no memory");
		wake_now(etcd);
		return;
	}
	etcd->token_asked = true;
	call->authenticates = true;
	call->done = token_came;
	call->context = etcd;
	call_send(call);
}

static bool token_missing(const struct etcd *etcd)
{
	return etcd->config->user[0] != '\0' && !etcd->token_known;
}

/* Sends what waited, or gives it up with the reason.  Each step may change the list of calls. */
static void on_wake(evutil_socket_t fd, short what, void *context)
{
	struct etcd *etcd = context;
	struct etcd_call *call;

	(void)fd;
	(void)what;
	for (;;) {
		for (call = etcd->calls; call != NULL && call->easy != NULL; call = call->next)
			;
		if (call == NULL)
			return;
		if (!token_missing(etcd)) {
			call_send(call);
		} else if (etcd->token_why[0] != '\0') {
			call_fail(call, etcd->token_why);
		} else {
			token_start(etcd, call->deadline_ms);
			return;
		}
	}
}

/* ---- the whole ---- */

int etcd_call(struct etcd *etcd, const char *path, char *body, size_t reply_max,
	      uint32_t timeout_ms, void (*done)(void *context, const struct etcd_result *result),
	      void *context)
{
	struct etcd_call *call = call_new(etcd, path, body, reply_max, monotonic_ms() + timeout_ms);

	if (call == NULL)
		return -ENOMEM;
	call->done = done;
	call->context = context;
	if (token_missing(etcd) && !etcd->token_asked)
		etcd->token_why[0] = '\0'; /* a new call is worth a new try */
	wake_now(etcd);
	return 0;
}

void etcd_distrust(struct etcd *etcd)
{
	etcd->endpoint = (etcd->endpoint + 1) % etcd->config->endpoint_count;
}

int etcd_open(const struct config_etcd *config, struct event_base *base, struct etcd **out,
	      struct failure *failure)
{
	struct etcd *etcd = calloc(1, sizeof(*etcd));
	int error = -ENOMEM;

	assert(config->endpoint_count > 0);
	if (etcd == NULL)
		return failure_set(failure, ENOMEM, "etcd: no memory");
	etcd->config = config;
	etcd->token = sodium_malloc(ETCD_TOKEN_BYTES);
	etcd->wake = event_new(base, -1, 0, on_wake, etcd);
	if (etcd->token != NULL && etcd->wake != NULL)
		error = etcd_multi_new(base, call_finished, etcd, &etcd->multi);
	if (error != 0) {
		etcd_close(etcd);
		return failure_set(failure, -error, "etcd: libcurl cannot be set up: %s",
				   strerror(-error));
	}
	etcd->token[0] = '\0';
	*out = etcd;
	return 0;
}

void etcd_close(struct etcd *etcd)
{
	if (etcd == NULL)
		return;
	while (etcd->calls != NULL)
		call_free(etcd->calls);
	etcd_multi_free(etcd->multi);
	if (etcd->wake != NULL)
		event_free(etcd->wake);
	sodium_free(etcd->token);
	free(etcd);
}
