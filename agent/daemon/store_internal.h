/* store_internal.h - what a kind of store is, and what moving a register needs beyond store.h. */
#ifndef MCROSTER_STORE_INTERNAL_H
#define MCROSTER_STORE_INTERNAL_H

#include "daemon/store.h"

#define STORE_REGISTER_FILE "register"
#define STORE_MOVED_FILE    "register.moved"
#define STORE_LISTS	    2u /* a register names at most two */

struct store_ops {
	int (*write)(struct store *store, const struct reg *reg, bool moved,
		     const struct store_bodies *bodies);
	/* NULL where nothing depends on what is known elsewhere. */
	void (*failover)(struct store *store, uint64_t term, bool ours);
	void (*known)(struct store *store, uint64_t term, uint64_t serial);
	void (*stand)(struct store *store, enum election_stand stand);
	/* NULL where nobody but the store writes it. */
	int (*look)(struct store *store, struct reg *reg, struct failure *failure);
	void (*resign)(struct store *store);
	void (*close)(struct store *store);
	/* Is the register marked as moved away?  While it leads. */
	bool (*moved)(const struct store *store);
};

/* The first member of every kind. */
struct store {
	const struct store_ops *ops;
	struct store_owner owner;
};

/* As store_open_etcd, but a register that was moved away is no reason not to lead. */
int store_open_etcd_to_move(const struct config *config, struct event_base *base,
			    const struct store_owner *owner, struct store **store,
			    struct failure *failure);
int store_open_file_to_move(struct state *state, const char *name, struct event_base *base,
			    const struct store_owner *owner, struct store **store,
			    struct failure *failure);

#endif
