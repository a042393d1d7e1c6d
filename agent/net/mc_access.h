/* mc_access.h - how a memcached is to be spoken to: with a login (-Y), over TLS (-Z), or plainly.
 *
 * Made from agent.conf when the agent starts, and borrowed by every connection: it outlives them.
 * None of this is ever in the list.
 */
#ifndef MCROSTER_MC_ACCESS_H
#define MCROSTER_MC_ACCESS_H

#include <stdint.h>

#define MC_LOGIN_WORD_MAX 127u /* bytes of a user and of a password */
#define MC_TLS_NAME_MAX	  253u

struct mc_tls;

struct mc_access {
	char *login;	    /* "user password", sodium_malloc'd; NULL: none */
	struct mc_tls *tls; /* NULL: plain TCP */
	char *name;	    /* whose certificate it must be; NULL: its address's */
};

/* By the server's name in the list; "*" stands for every server that is not named. */
struct mc_access_named {
	char server[64];
	struct mc_access access;
};

struct mc_access_list {
	struct mc_access_named *named;
	uint32_t count;
};

/* NULL: plainly.  `list` may be NULL. */
const struct mc_access *mc_access_find(const struct mc_access_list *list, const char *server);
/* Wipes the logins; the list may be used again. */
void mc_access_list_free(struct mc_access_list *list);

#endif
