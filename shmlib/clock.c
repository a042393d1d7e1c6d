/* clock.c - the one clock of leases and deadlines: it counts suspend, and nobody sets it.
 *
 * The kernel's vDSO answers it without a system call.  Safe anywhere.
 */
#include <time.h>

#include "internal.h"

uint64_t mcr_clock_boot_ns(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists since Linux 2.6.39 and the pointer is good. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
