/* atomics.h - every access to memory that the agent writes while clients read it.
 *
 * Each function is one kind of access; its name ends in its order.  The pairs:
 *
 *   generation_publish_release  ->  generation_load_acquire
 *       what was written into slot and turn before the release is seen after the acquire
 *   moved_publish               ->  generation_load_acquire
 *       a segment that was given up says so before the generation that wakes its clients
 *   generation_fence_seq_cst    ->  generation_recheck_acquire
 *       stands between a publication and the next fill.  Whoever has read one word of that fill
 *       sees, after his own fence, the generation that was published before it: so a reader whose
 *       slot was rewritten under him finds out.  (A release fence would do for that; seq_cst also
 *       keeps the waiters' wake behind the publication.)
 *   lease_store_release         ->  lease_load_acquire
 *       the agent publishes a phase before it counts the lease that came with it, so who sees the
 *       new deadline sees the new generation too
 *
 *   flying_up, generation_load_acquire   ->  (agent) generation_publish_release, membarrier, look
 *       a client counts an operation and then looks at the generation; the agent publishes and
 *       then looks at the counts.  membarrier puts a full fence into every thread of the clients
 *       between the agent's two, so one of both sees the other.  No fence is in the lookup, except
 *       where membarrier is missing (flying_fence).
 *   flying_down                 ->  (agent) flying_load_acquire
 *       who sees that an operation has ended sees it after its last reply
 *
 * Everything in slots and turns is read and written relaxed.  A word of the slot that is torn
 * by a rewrite is discarded by the re-check, and since no access is a plain one there is no data
 * race, for the language or for ThreadSanitizer, either.
 */
#ifndef MCROSTER_ATOMICS_H
#define MCROSTER_ATOMICS_H

#include <stddef.h>
#include <stdint.h>

#include "mcroster_segment.h"

/* The segment is mapped read-only: a load must be a load, not a compare-and-swap or a lock. */
_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "64-bit atomic loads");

static inline uint32_t generation_load_acquire(const struct mcr_segment_header *header)
{
	return __atomic_load_n(&header->generation, __ATOMIC_ACQUIRE);
}

static inline void generation_publish_release(struct mcr_segment_header *header, uint32_t value)
{
	__atomic_store_n(&header->generation, value, __ATOMIC_RELEASE);
}

/* ThreadSanitizer does not model fences, and gcc says so each time.  It has no need to: it looks
 * for plain accesses that race, and there are none. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void generation_fence_seq_cst(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The generation as it is now that everything before has been read. */
static inline uint32_t generation_recheck_acquire(const struct mcr_segment_header *header)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&header->generation, __ATOMIC_RELAXED);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* One operation more, or less, of a generation.  Only the reader's own thread writes. */
static inline void flying_up(uint32_t *flying)
{
	__atomic_store_n(flying, __atomic_load_n(flying, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
	/* The compiler keeps the order; membarrier has the processor keep it. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void flying_down(uint32_t *flying)
{
	const uint32_t count = __atomic_load_n(flying, __ATOMIC_RELAXED);

	if (count != 0)
		__atomic_store_n(flying, count - 1, __ATOMIC_RELEASE);
}

static inline uint32_t flying_load_acquire(const uint32_t *flying)
{
	return __atomic_load_n(flying, __ATOMIC_ACQUIRE);
}

/* Who sees the next generation, in any layout, sees that there will be none. */
static inline void moved_publish(struct mcr_segment_header *header)
{
	__atomic_store_n(&header->moved, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&header->generation,
			 __atomic_load_n(&header->generation, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELEASE);
}

static inline uint64_t lease_load_acquire(const struct mcr_segment_header *header)
{
	return __atomic_load_n(&header->lease_deadline_ns, __ATOMIC_ACQUIRE);
}

static inline void lease_store_release(struct mcr_segment_header *header, uint64_t deadline_ns)
{
	__atomic_store_n(&header->lease_deadline_ns, deadline_ns, __ATOMIC_RELEASE);
}

static inline uint16_t u16_load_relaxed(const uint16_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static inline uint32_t u32_load_relaxed(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static inline uint64_t u64_load_relaxed(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static inline void u32_store_relaxed(uint32_t *to, uint32_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

static inline void u64_store_relaxed(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

/* Records and tables cross as 32-bit words, whatever is in them.  Both sides aligned to 4 bytes,
 * `bytes` a multiple of 4. */
typedef uint32_t __attribute__((may_alias)) atomics_word;

static inline void words_load_relaxed(void *to, const void *from, size_t bytes)
{
	atomics_word *words = to;
	const atomics_word *in = from;

	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = __atomic_load_n(&in[i], __ATOMIC_RELAXED);
}

static inline void words_store_relaxed(void *to, const void *from, size_t bytes)
{
	atomics_word *words = to;
	const atomics_word *in = from;

	for (size_t i = 0; i < bytes / sizeof(*in); i++)
		__atomic_store_n(&words[i], in[i], __ATOMIC_RELAXED);
}

#endif
