/* config.h - agent.conf: read by libconfuse, checked, and turned into what the daemon needs.
 *
 * An error names file, line, option, what was found and what was expected.  Secrets are in
 * sodium_malloc'd memory and wiped by config_free.
 */
#ifndef MCROSTER_CONFIG_H
#define MCROSTER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "list/document.h"
#include "list/failure.h"
#include "list/list.h"
#include "net/mc_access.h"

#define CONFIG_PATH_MAX		  255u
#define CONFIG_ETCD_ENDPOINTS_MAX 9u
#define CONFIG_ETCD_USER_MAX	  127u
#define CONFIG_ETCD_PASSWORD_MAX  255u
#define CONFIG_ETCD_LEASE_S	  5u

/* Where the register lives in etcd: how to reach it.  "" and 0: not given. */
struct config_etcd {
	uint32_t endpoint_count;
	char endpoints[CONFIG_ETCD_ENDPOINTS_MAX][CONFIG_PATH_MAX + 1]; /* without a final slash */
	char ca[CONFIG_PATH_MAX + 1];
	char cert[CONFIG_PATH_MAX + 1], key[CONFIG_PATH_MAX + 1]; /* both or none */
	char user[CONFIG_ETCD_USER_MAX + 1];
	char *password; /* with the user; sodium_malloc'd */
	uint32_t lease_s;
};

enum config_register { CONFIG_REGISTER_FILE, CONFIG_REGISTER_ETCD };

struct config {
	char cluster[LIST_NAME_MAX + 1];
	char name[LIST_NAME_MAX + 1];		   /* this agent's name in the list */
	char listen[LIST_ADDRESS_MAX + 1];	   /* peer protocol */
	char state_directory[CONFIG_PATH_MAX + 1]; /* default /var/lib/mcroster/<cluster> */
	char control_socket[CONFIG_PATH_MAX + 1];  /* default /run/mcroster/<cluster>.control */
	char clients_socket[CONFIG_PATH_MAX + 1];  /* default /run/mcroster/<cluster>.clients */
	unsigned clients_mode;			   /* of that socket; default 0666 */
	uint32_t clients_per_user;		   /* default 2048 */
	uint32_t owed_max;			   /* keys; default OWED_KEYS_MAX */
	uint32_t owed_per_user;			   /* of them; default a quarter */
	char discovery[LIST_ADDRESS_MAX + 1];	   /* a loopback address; "": none */
	char segment[CONFIG_PATH_MAX + 1];	   /* default /mcroster.<cluster> */
	struct trust trust;			   /* trusted-keys, threshold */
	uint64_t rate_keys, rate_bytes;		   /* a second for all movers; 0: unlimited */
	bool adaptive;				   /* movers give way to other clients; default */
	uint32_t boot_wait_ms;			   /* default 30000 */
	char metrics[LIST_ADDRESS_MAX + 1];	   /* a loopback address; "": none */
	uint8_t *host_secret;			   /* LIST_HOST_KEY_BYTES, sodium_malloc'd */
	uint8_t host_public[LIST_HOST_KEY_BYTES];
	uint8_t *previous_host_secret; /* or NULL */
	uint8_t previous_host_public[LIST_HOST_KEY_BYTES];
	uint8_t *psk;			  /* 32 bytes, sodium_malloc'd */
	uint8_t *previous_psk;		  /* or NULL */
	enum config_register register_in; /* default file */
	struct config_etcd etcd;
	struct mc_access_list access;		 /* how memcacheds are spoken to: */
	uint8_t servers_digest[LIST_HASH_BYTES]; /* what the file says of it */
	uint8_t tls_digest[LIST_HASH_BYTES];	 /* and what the TLS files hold that it names */
	char **on_change;	      /* argument vector, ended by NULL; or NULL */
	uint32_t on_change_timeout_ms;
};

/* Reads the file and the key files it names (secretfile.h).
 * -EINVAL, -EPERM, -ENOENT with the sentence; *config is untouched then. */
int config_load(const char *path, struct config **config, struct failure *failure);
/* Takes over what `next`, read from the same file later, may change in a running agent.  -EINVAL,
 * with all options named that it may not change: *running is as it was.  `next` is the caller's
 * still.  *keys_changed: a pre-shared or host key is another one now. */
int config_reload(struct config *running, struct config *next, const char *path, bool *keys_changed,
		  struct failure *failure);
void config_free(struct config *config);

#endif
