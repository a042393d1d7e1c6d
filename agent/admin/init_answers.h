/* init_answers.h - what a new cluster is to be: from the command line, or asked at a terminal. */
#ifndef MCROSTER_ADMIN_INIT_ANSWERS_H
#define MCROSTER_ADMIN_INIT_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/prompt.h"
#include "list/list.h"

#define INIT_AGENT_PORT	 11280u
#define INIT_SERVER_PORT 11211u

struct init_host {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1]; /* without a port; of IPv6 in brackets */
	uint32_t agent_port, server_port;   /* server_port 0: no memcached there */
	bool has_key;			    /* it has made its own */
	uint8_t key[LIST_HOST_KEY_BYTES];   /* its public one */
};

struct init_answers {
	char cluster[LIST_NAME_MAX + 1];
	uint32_t host_count;
	struct init_host *hosts;
	bool has_operator; /* there is an operator's key already */
	uint8_t operator_key[DOCUMENT_KEY_BYTES];
};

void init_answers_clear(struct init_answers *answers);

/* "NAME=ADDRESS".  -EINVAL, -ENOMEM. */
int init_answers_host(struct init_answers *answers, const char *words, uint32_t agent_port,
		      uint32_t server_port, struct failure *failure);
/* "NAME=KEY", of a host that has been. */
int init_answers_key(struct init_answers *answers, const char *words, struct failure *failure);

/* Asks for all that is not there yet.  -ECANCELED at the end of the input. */
int init_answers_ask(struct init_answers *answers, const struct prompt *prompt,
		     struct failure *failure);

#endif
