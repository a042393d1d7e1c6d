/* mc_protocol.h - memcached's meta protocol as bytes: replies read, commands written.
 *
 * Pure: no connection, no clock, no allocation.  Replies come from outside and are hostile until
 * they are checked here; what a parser returns points into the bytes it was given.
 */
#ifndef MCROSTER_MC_PROTOCOL_H
#define MCROSTER_MC_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MC_KEY_MAX 250u
/* A line of a reply, its end included; a metadump line with a key of 250 encoded bytes is below 1
 * KiB. */
#define MC_LINE_MAX 2048u
/* Room that any command without its value needs. */
#define MC_COMMAND_MAX (MC_KEY_MAX + 128u)
/* Above this memcached reads a TTL as a point in time (30 days, in seconds). */
#define MC_TTL_RELATIVE_MAX 2592000
/* memcached itself takes no -I above 1 GiB. */
#define MC_VALUE_MAX (1u << 30)

enum mc_code {
	MC_HD,	  /* done, no value */
	MC_VA,	  /* a value */
	MC_EN,	  /* miss */
	MC_NS,	  /* not stored */
	MC_EX,	  /* the CAS differs */
	MC_NF,	  /* no such key */
	MC_MN,	  /* end of a pipeline */
	MC_END,	  /* of a dump or of `stats` */
	MC_BUSY,  /* another crawl is running */
	MC_ERROR, /* unknown or forbidden command */
	MC_CLIENT_ERROR,
	MC_SERVER_ERROR, /* no memory, too large */
	MC_LINE,	 /* any other line: STAT, key=... */
	MC_UNSURE, /* never read from the wire: it is one of several quiet ones, not all of which
		    * failed
		    */
	MC_LOST,   /* never read from the wire: the connection ended, the outcome is unknown */
};

struct mc_reply {
	enum mc_code code;
	bool has_cas, has_size, has_ttl, has_flags, has_opaque;
	bool won, stale, sent; /* W, X, Z */
	uint32_t client_flags; /* f */
	uint32_t opaque;       /* O, where it is a number */
	uint64_t cas;	       /* c */
	uint64_t size;	       /* s: bytes of the value */
	int64_t ttl;	       /* t: seconds left, -1 never expires */
	const char *value;     /* VA only; borrowed */
	size_t value_bytes;
	const char *text; /* the line without its end; borrowed */
	size_t text_bytes;
};

/* Reads one reply from the front of `bytes`.  1: *reply filled, *used bytes belong to it.  0: more
 * bytes are needed, *used says how many there must be at least.  -EBADMSG: this is no memcached, or
 * a value over value_max. */
int mc_reply_parse(const char *bytes, size_t length, size_t value_max, struct mc_reply *reply,
		   size_t *used);

/* A key as it stands on the wire: itself, or in base64 with the flag b. */
struct mc_key {
	uint8_t length;
	bool base64;
	char text[MC_KEY_MAX];
};

/* 0, -EINVAL for an empty key or one over 250 bytes, -ENAMETOOLONG for one that the meta protocol
 * cannot name (a space, NUL or line end in it, and its base64 over 250 characters). */
int mc_key_write(const void *key, size_t key_bytes, struct mc_key *out);

/* Commands: each writes at `out` (MC_COMMAND_MAX bytes of room) and returns how many bytes.  What
 * they look at does not count as used (u): else all that was copied would be the hottest. */
size_t mc_write_get_cas(char *out, const struct mc_key *key);	/* mg u c s */
size_t mc_write_get_value(char *out, const struct mc_key *key); /* mg u v f t c */
size_t mc_write_reserve(char *out, const struct mc_key *key, unsigned ttl);
size_t mc_write_delete(char *out, const struct mc_key *key);
size_t mc_write_delete_cas(char *out, const struct mc_key *key, uint64_t cas);
/* The line of ms; the value and "\r\n" follow.  ttl 0: no expiry.  cas 0: whatever is there. */
size_t mc_write_set(char *out, const struct mc_key *key, size_t value_bytes, uint64_t cas,
		    uint32_t client_flags, int64_t ttl);

/* The same and mc_write_delete_cas, answered only where they fail, then with O<number>. */
size_t mc_write_set_quiet(char *out, const struct mc_key *key, size_t value_bytes, uint64_t cas,
			  uint32_t client_flags, int64_t ttl, uint32_t number);
size_t mc_write_delete_cas_quiet(char *out, const struct mc_key *key, uint64_t cas,
				 uint32_t number);

/* One line of `lru_crawler metadump`. */
struct mc_dump_line {
	uint8_t key[MC_KEY_MAX];
	size_t key_bytes;
	int64_t expires; /* seconds since the epoch by the server's clock; -1: never */
	uint64_t cas;
	uint64_t size;	   /* of the whole item */
	uint64_t accessed; /* seconds since the epoch by the server's clock; 0: not said */
	bool fetched;	   /* somebody has read it since it was stored */
};

/* `line` is without its end.  -EBADMSG when it is not such a line; *out is undefined then. */
int mc_dump_line_parse(const char *line, size_t length, struct mc_dump_line *out);

/* "STAT name value": 0 and borrowed pieces, or -EBADMSG. */
int mc_stat_parse(const char *line, size_t length, const char **name, size_t *name_bytes,
		  const char **value, size_t *value_bytes);
/* All of `text` is one decimal number. */
bool mc_number_parse(const char *text, size_t length, uint64_t *number);

#endif
