/* wait.c - sleeps until the generation moves.  The only function of the library that waits.
 *
 * The generation is the futex word; a read-only mapping is enough to wait on it.  Any thread.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

/* An object that was replaced is never published in again, so the sleep is cut in pieces and
 * between them the name is looked at. */
#define LOOK_NS 1000000000

static int64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The kernel's form of a time, whatever width the C library gives its own on 32 bits. */
struct kernel_time {
	int64_t seconds, nanoseconds;
};
#ifdef SYS_futex_time64
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif

static int futex_wait(const uint32_t *word, uint32_t value, int64_t sleep_ns)
{
	const struct kernel_time sleep = {sleep_ns / 1000000000, sleep_ns % 1000000000};

	if (syscall(FUTEX, word, FUTEX_WAIT, value, &sleep, NULL, 0) == 0)
		return 0;
	return errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT ? 0 : -errno;
}

int mcr_wait(struct mcr *mcr, uint32_t generation, int timeout_ms)
{
	int64_t until_ns = 0;

	if (mcr == NULL)
		return MCR_BAD_ARGUMENT;
	if (timeout_ms > 0)
		until_ns = monotonic_ns() + (int64_t)timeout_ms * 1000000;
	for (;;) {
		int64_t sleep_ns = LOOK_NS;

		if (mcr_replaced(mcr))
			return MCR_MOVED;
		if (generation_load_acquire(mcr->header) != generation) {
			mcr_service_try(mcr);
			return MCR_OK;
		}
		if (timeout_ms >= 0) {
			const int64_t left_ns = timeout_ms == 0 ? 0 : until_ns - monotonic_ns();

			if (left_ns <= 0)
				return MCR_TIMED_OUT;
			if (left_ns < sleep_ns)
				sleep_ns = left_ns;
		}
		if (futex_wait(&mcr->header->generation, generation, sleep_ns) != 0)
			return MCR_SYSTEM;
	}
}
