/* config_reading.h - agent.conf as it was read, option by option, for config.c and the files that
 * judge groups of its options.
 */
#ifndef MCROSTER_CONFIG_READING_H
#define MCROSTER_CONFIG_READING_H

#include <confuse.h>

#include "daemon/config.h"

enum config_option_id {
	OPTION_CLUSTER,
	OPTION_NAME,
	OPTION_LISTEN,
	OPTION_STATE_DIRECTORY,
	OPTION_CONTROL_SOCKET,
	OPTION_CLIENTS_SOCKET,
	OPTION_CLIENTS_MODE,
	OPTION_CLIENTS_PER_USER,
	OPTION_OWED_MAX,
	OPTION_OWED_PER_USER,
	OPTION_DISCOVERY,
	OPTION_SEGMENT,
	OPTION_HOST_KEY,
	OPTION_PREVIOUS_HOST_KEY,
	OPTION_PSK,
	OPTION_PREVIOUS_PSK,
	OPTION_TRUSTED_KEYS,
	OPTION_THRESHOLD,
	OPTION_RATE_KEYS,
	OPTION_RATE_BYTES,
	OPTION_ADAPTIVE,
	OPTION_BOOT_WAIT,
	OPTION_METRICS,
	OPTION_ON_CHANGE,
	OPTION_ON_CHANGE_TIMEOUT,
	OPTION_REGISTER,
	OPTION_ETCD_ENDPOINTS,
	OPTION_ETCD_CA,
	OPTION_ETCD_CERT,
	OPTION_ETCD_KEY,
	OPTION_ETCD_USER,
	OPTION_ETCD_PASSWORD_FILE,
	OPTION_ETCD_LEASE,
	OPTION_SERVER,
	OPTION_SERVER_USER,
	OPTION_SERVER_PASSWORD_FILE,
	OPTION_SERVER_TLS,
	OPTION_SERVER_TLS_CA,
	OPTION_SERVER_TLS_CERT,
	OPTION_SERVER_TLS_KEY,
	OPTION_SERVER_TLS_NAME,
	OPTION_COUNT
};

struct config_option {
	const char *name;
	bool required;
	bool in_server; /* it stands in the sections server "NAME" { ... } */
};
extern const struct config_option config_options[OPTION_COUNT];

/* One file being read: where each option was found, and the first thing that was wrong. */
struct config_reading {
	const char *path;
	cfg_t *cfg;
	int line[OPTION_COUNT]; /* 0: the option is not in the file */
	unsigned calls[OPTION_COUNT];
	char problem[FAILURE_BYTES];
};

/* Reads the file and splits it.  Borrowed: `path`. */
int config_reading_open(struct config_reading *reading, const char *path, struct failure *failure);
void config_reading_close(struct config_reading *reading);

/* The sentence of a refused value: file, line, option, "found", then `format`.  -EINVAL. */
int config_refuse(const struct config_reading *reading, enum config_option_id option,
		  struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The option's text, or NULL when it is not in the file. */
const char *config_text(const struct config_reading *reading, enum config_option_id option);
/* An absolute path of at most `max` bytes, or `fallback` where the option is not in the file. */
int config_path(const struct config_reading *reading, enum config_option_id option, size_t max,
		const char *fallback, char out[CONFIG_PATH_MAX + 1], struct failure *failure);
/* *out is the default. */
int config_number(const struct config_reading *reading, enum config_option_id option,
		  uint64_t least, uint64_t most, uint64_t *out, struct failure *failure);

/* config_register.c: where the register lives, and the way to etcd. */
int config_take_register(const struct config_reading *reading, struct config *config,
			 struct failure *failure);

/* config_metrics.c: the address of the metrics. */
int config_take_metrics(const struct config_reading *reading, struct config *config,
			struct failure *failure);

/* config_discovery.c: the address of the discovery endpoint. */
int config_take_discovery(const struct config_reading *reading, struct config *config,
			  struct failure *failure);

/* Is it a file with something in it, that can be read?  For those that a library reads. */
int config_file_readable(const char *path, struct failure *failure);

/* The rule of the list's names. */
bool config_name_valid(const char *name);

/* config_on_change.c: the operator's command. */
int config_take_on_change(const struct config_reading *reading, struct config *config,
			  struct failure *failure);
void config_on_change_free(struct config *config);

/* config_server.c: the sections that say how memcacheds are spoken to. */
int config_take_servers(const struct config_reading *reading, struct config *config,
			struct failure *failure);

#endif
