/* mcroster_segment.h - the layout of the shared-memory segment: an ABI.
 *
 * The agent of a host publishes the cluster's server list in one POSIX shared-memory object,
 * /mcroster.<cluster> (on Linux the file /dev/shm/mcroster.<cluster>).  libmcroster reads it; so
 * can anything else that follows docs/segment.md.  This header only says where things stand.
 *
 *     offset 0              struct mcr_segment_header, padded to header_bytes
 *     header_bytes          slot 0     generation g lives whole in slot g % 4
 *       + slot_bytes        slot 1
 *       + 2 * slot_bytes    slot 2
 *       + 3 * slot_bytes    slot 3
 *
 * All integers are in the machine's own byte order (the object never leaves the host).  Every
 * 64-bit field stands at a multiple of 8, so 32-bit and 64-bit processes see the same layout.
 * Everything that changes after creation is read and written by atomic accesses only.
 * Times are CLOCK_BOOTTIME in nanoseconds.
 *
 * The layout version changes when anything here changes its place or meaning.  A reader refuses
 * a version that it does not know.
 */
#ifndef MCROSTER_SEGMENT_H
#define MCROSTER_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define MCR_SEGMENT_ASSERT(condition, text) static_assert(condition, text)
#else
#define MCR_SEGMENT_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define MCR_SEGMENT_MAGIC  "mcroster" /* 8 bytes, without the NUL */
#define MCR_SEGMENT_LAYOUT 2
#define MCR_SEGMENT_RING   4u
/* A generation g may be read while the current one is g, g + 1 or g + 2: its slot is rewritten
 * only from the moment on that g + 3 is current. */
#define MCR_SEGMENT_LIVE 3u

/* What a slot can be asked to hold, and what a reader accepts as geometry. */
#define MCR_SEGMENT_SERVERS_MAX	   2048u /* the union of two lists of 1,024 */
#define MCR_SEGMENT_LIST_MAX	   1024u /* servers of one list */
#define MCR_SEGMENT_BITS_MIN	   1u
#define MCR_SEGMENT_BITS_MAX	   16u				 /* of a slot table */
#define MCR_SEGMENT_POINTS_MAX	   (160u * MCR_SEGMENT_LIST_MAX) /* of a ring */
#define MCR_SEGMENT_INDEX_BITS_MAX 19u				 /* of a ring's index */
#define MCR_SEGMENT_HEADER_MAX	   65536u			 /* header_bytes */
#define MCR_SEGMENT_SLOT_BYTES_MAX (16u * 1024u * 1024u)	 /* slot_bytes */
#define MCR_SEGMENT_TIMEOUT_MAX_MS 3600000u			 /* op_timeout_ms */
#define MCR_SEGMENT_PATH_BYTES	   128u

/* The turn of a generation in the ring: turn[g % 4], valid as long as the slot is. */
struct mcr_segment_turn {
	uint64_t published_ns; /*  0: when the generation was published */
	uint64_t retire_ns;    /*  8: plans of the generation before it may send steps until then */
};

struct mcr_segment_header {
	/* Written once, before the object gets its name. */
	uint8_t magic[8];      /*   0: MCR_SEGMENT_MAGIC */
	uint32_t layout;       /*   8: MCR_SEGMENT_LAYOUT */
	uint32_t header_bytes; /*  12: where slot 0 begins; a multiple of 64 */
	uint32_t slot_bytes;   /*  16: from one slot to the next; a multiple of 64 */
	uint32_t ring;	       /*  20: MCR_SEGMENT_RING */
	uint64_t total_bytes;  /*  24: header_bytes + ring * slot_bytes; the object's size */
	uint8_t cluster[64];   /*  32: the cluster's name, NUL-terminated, zero-filled */

	uint64_t incarnation; /*  96: random; another one with each start of the agent */
	uint8_t pad_104[24];  /* 104: zero */

	/* Written while the agent lives. */
	uint64_t heartbeat;	    /* 128: counts up several times a second */
	uint64_t lease_deadline_ns; /* 136: the host holds its lease until then; 0: it holds none */
	uint32_t moved;		    /* 144: not 0: the object was replaced, open the name again */
	uint8_t pad_148[4];	    /* 148: zero */
	uint64_t heartbeat_ns;	    /* 152: when the heartbeat was last counted */
	uint64_t started_ns;	    /* 160: when this incarnation of the agent started */
	uint8_t pad_168[24];	    /* 168: zero */

	struct mcr_segment_turn turn[4]; /* 192: by generation % 4 */

	uint32_t generation; /* 256: the current one; 0: none yet.  Also the futex word */
	uint8_t pad_260[60]; /* 260: zero; the generation has its cache line for itself */

	/* 320: where clients register (mcroster_clients.h): an absolute path, NUL-terminated,
	 * zero-filled; "": nowhere.  Written before `incarnation` when the agent starts. */
	uint8_t clients_path[MCR_SEGMENT_PATH_BYTES];
};

/* struct mcr_segment_slot.flags */
#define MCR_SLOT_BYPASS	      1u /* isolation bypass: no plans without a lease */
#define MCR_SLOT_REGISTRATION 2u /* clients are to register with the agent */

/* struct mcr_segment_table.hash: what is taken of a key.  XXH3 has 64 bits; of the others the rule
 * is the one of the named program's source, bytes above 127 being negative in ONE_AT_A_TIME and
 * FNV. */
#define MCR_HASH_XXH3	       1u /* XXH3_64bits, seed 0 */
#define MCR_HASH_MD5	       2u /* the digest's first four bytes, the first one lowest */
#define MCR_HASH_ONE_AT_A_TIME 3u /* this and the following: libhashkit's and twemproxy's */
#define MCR_HASH_FNV1_64       4u
#define MCR_HASH_FNV1A_64      5u
#define MCR_HASH_FNV1_32       6u
#define MCR_HASH_FNV1A_32      7u
#define MCR_HASH_CRC16	       8u
#define MCR_HASH_CRC32	       9u
#define MCR_HASH_CRC32A	       10u
#define MCR_HASH_HSIEH	       11u
#define MCR_HASH_MURMUR	       12u
#define MCR_HASH_JENKINS       13u
#define MCR_HASH_LAST	       MCR_HASH_JENKINS

/* struct mcr_segment_table.kind: how the hash finds the owner.  Owners are 16-bit server numbers.
 */
#define MCR_TABLE_SLOTS 1u  /* owner[hash >> (64 - bits)]; XXH3 only, count is 1 << bits */
#define MCR_TABLE_RING	2u  /* the first point not below the low 32 bits of the hash, else point 0 \
			     */
#define MCR_TABLE_MODULO 3u /* owner[low 32 bits of the hash % count] */
#define MCR_TABLE_JUMP	 4u /* owner[jump consistent hash of the hash into count]; XXH3 only */

/* One list's table.  A point of a ring is the 64-bit number value << 32 | server; they stand in
 * ascending order, no value twice, and behind the last one stands UINT32_MAX << 32 | the server of
 * point 0.  Entry i of the ring's index is the number of points with a value below
 * i << (32 - bits). */
struct mcr_segment_table {
	uint32_t kind;	/*  0: MCR_TABLE_... */
	uint32_t hash;	/*  4: MCR_HASH_... */
	uint32_t count; /*  8: owners, or points without the one behind the last */
	uint32_t bits;	/* 12: SLOTS: of count; RING: the index has (1 << bits) + 1 entries */
	uint32_t at;	/* 16: u16 owners (a multiple of 2) or u64 points (of 8), from the slot */
	uint32_t index_at; /* 20: RING: u32 entries (a multiple of 4); else 0 */
	uint8_t pad_24[8]; /* 24: zero */
};

/* The head of a slot; what it points at stands behind it in the same slot. */
struct mcr_segment_slot {
	uint32_t generation;	/*   0: whose slot this is */
	uint32_t phase;		/*   4: enum mcr_phase */
	uint32_t flags;		/*   8: MCR_SLOT_... */
	uint32_t op_timeout_ms; /*  12: the bound of one client operation */
	uint32_t server_count;	/*  16: servers of both lists, each once */
	uint32_t server_stride; /*  20: bytes from one server record to the next; a multiple of 8 */
	uint32_t servers_at;	/*  24: from the slot's beginning; a multiple of 8 */
	uint32_t prefix_bytes;	/*  28: 0: the list is for all keys */
	uint32_t used_bytes;	/*  32: of the slot, from its beginning */
	uint8_t pad_36[12];	/*  36: zero */
	uint64_t epoch;		/*  48: of the list in force (STEADY) or before the change */
	uint64_t next_epoch;	/*  56: of the list that the change leads to; 0: STEADY */
	uint8_t list_hash[32];	/*  64: BLAKE2b-256 of the list with `epoch` */
	uint8_t next_hash[32];	/*  96: of the list with `next_epoch`; zero: STEADY */
	uint8_t prefix[64];	/* 128: zero-filled */
	struct mcr_segment_table old_table; /* 192: owners before */
	struct mcr_segment_table new_table; /* 224: owners after; STEADY: the same as old_table */
};

/* struct mcr_segment_server.flags */
#define MCR_SERVER_OLD 1u /* in the list before the change */
#define MCR_SERVER_NEW 2u /* in the list after it; settled: both */

struct mcr_segment_server {
	uint8_t name[64]; /*   0: NUL-terminated, zero-filled */
	uint8_t
	    address[112]; /*  64: "10.0.0.1:11211", "[::1]:11211"; NUL-terminated, zero-filled */
	uint64_t id;	  /* 176: xxh3_64 of name, one zero byte, address */
	uint32_t weight;  /* 184 */
	uint32_t flags;	  /* 188: MCR_SERVER_... */
};

#define MCR_SEGMENT_AT(type, field, offset)                                                        \
	MCR_SEGMENT_ASSERT(offsetof(struct type, field) == (offset), #type "." #field)

MCR_SEGMENT_AT(mcr_segment_turn, published_ns, 0);
MCR_SEGMENT_AT(mcr_segment_turn, retire_ns, 8);
MCR_SEGMENT_ASSERT(sizeof(struct mcr_segment_turn) == 16, "mcr_segment_turn");

MCR_SEGMENT_AT(mcr_segment_header, magic, 0);
MCR_SEGMENT_AT(mcr_segment_header, layout, 8);
MCR_SEGMENT_AT(mcr_segment_header, header_bytes, 12);
MCR_SEGMENT_AT(mcr_segment_header, slot_bytes, 16);
MCR_SEGMENT_AT(mcr_segment_header, ring, 20);
MCR_SEGMENT_AT(mcr_segment_header, total_bytes, 24);
MCR_SEGMENT_AT(mcr_segment_header, cluster, 32);
MCR_SEGMENT_AT(mcr_segment_header, incarnation, 96);
MCR_SEGMENT_AT(mcr_segment_header, heartbeat, 128);
MCR_SEGMENT_AT(mcr_segment_header, lease_deadline_ns, 136);
MCR_SEGMENT_AT(mcr_segment_header, moved, 144);
MCR_SEGMENT_AT(mcr_segment_header, heartbeat_ns, 152);
MCR_SEGMENT_AT(mcr_segment_header, started_ns, 160);
MCR_SEGMENT_AT(mcr_segment_header, turn, 192);
MCR_SEGMENT_AT(mcr_segment_header, generation, 256);
MCR_SEGMENT_AT(mcr_segment_header, clients_path, 320);
MCR_SEGMENT_ASSERT(sizeof(struct mcr_segment_header) == 448, "mcr_segment_header");

MCR_SEGMENT_AT(mcr_segment_table, kind, 0);
MCR_SEGMENT_AT(mcr_segment_table, hash, 4);
MCR_SEGMENT_AT(mcr_segment_table, count, 8);
MCR_SEGMENT_AT(mcr_segment_table, bits, 12);
MCR_SEGMENT_AT(mcr_segment_table, at, 16);
MCR_SEGMENT_AT(mcr_segment_table, index_at, 20);
MCR_SEGMENT_ASSERT(sizeof(struct mcr_segment_table) == 32, "mcr_segment_table");

MCR_SEGMENT_AT(mcr_segment_slot, generation, 0);
MCR_SEGMENT_AT(mcr_segment_slot, phase, 4);
MCR_SEGMENT_AT(mcr_segment_slot, flags, 8);
MCR_SEGMENT_AT(mcr_segment_slot, op_timeout_ms, 12);
MCR_SEGMENT_AT(mcr_segment_slot, server_count, 16);
MCR_SEGMENT_AT(mcr_segment_slot, server_stride, 20);
MCR_SEGMENT_AT(mcr_segment_slot, servers_at, 24);
MCR_SEGMENT_AT(mcr_segment_slot, prefix_bytes, 28);
MCR_SEGMENT_AT(mcr_segment_slot, used_bytes, 32);
MCR_SEGMENT_AT(mcr_segment_slot, epoch, 48);
MCR_SEGMENT_AT(mcr_segment_slot, next_epoch, 56);
MCR_SEGMENT_AT(mcr_segment_slot, list_hash, 64);
MCR_SEGMENT_AT(mcr_segment_slot, next_hash, 96);
MCR_SEGMENT_AT(mcr_segment_slot, prefix, 128);
MCR_SEGMENT_AT(mcr_segment_slot, old_table, 192);
MCR_SEGMENT_AT(mcr_segment_slot, new_table, 224);
MCR_SEGMENT_ASSERT(sizeof(struct mcr_segment_slot) == 256, "mcr_segment_slot");

MCR_SEGMENT_AT(mcr_segment_server, name, 0);
MCR_SEGMENT_AT(mcr_segment_server, address, 64);
MCR_SEGMENT_AT(mcr_segment_server, id, 176);
MCR_SEGMENT_AT(mcr_segment_server, weight, 184);
MCR_SEGMENT_AT(mcr_segment_server, flags, 188);
MCR_SEGMENT_ASSERT(sizeof(struct mcr_segment_server) == 192, "mcr_segment_server");

#undef MCR_SEGMENT_AT
#undef MCR_SEGMENT_ASSERT

#endif
