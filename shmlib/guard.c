/* guard.c - one process, one state: who may change what struct mcr says of itself, and how a child
 * finds out that it is one.
 *
 * The guard stands in a page that the kernel wipes in a child (MADV_WIPEONFORK, Linux 4.14).  A
 * child that finds it empty lets go of its parent's registration and marks, which stay the
 * parent's, and begins its own.  The lock in it is free in the child, whoever held it in the
 * parent.
 *
 * Lookups only try the lock, so nobody is ever waited for in one; in a signal handler it may be the
 * interrupted thread that holds it.  The others take it: opening, readers made and freed, service.
 */
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int mcr_guard_make(struct mcr *mcr)
{
	void *page =
	    mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return MCR_NO_MEMORY;
	if (madvise(page, page_bytes(), MADV_WIPEONFORK) != 0) {
		(void)munmap(page, page_bytes());
		return MCR_SYSTEM;
	}
	mcr->guard = page;
	mcr_guard_restamp(mcr);
	return MCR_OK;
}

void mcr_guard_free(struct mcr *mcr)
{
	(void)munmap(mcr->guard, page_bytes());
}

bool mcr_guard_try(struct mcr *mcr)
{
	if (__atomic_exchange_n(&mcr->guard->busy, 1, __ATOMIC_ACQUIRE) != 0)
		return false;
	if (mcr_guard_stamp(mcr->guard) == 0)
		mcr_guard_forked(mcr);
	return true;
}

void mcr_guard_take(struct mcr *mcr)
{
	while (!mcr_guard_try(mcr))
		(void)sched_yield();
}

void mcr_guard_leave(struct mcr *mcr)
{
	__atomic_store_n(&mcr->guard->busy, 0, __ATOMIC_RELEASE);
}

void mcr_guard_restamp(struct mcr *mcr)
{
	if (++mcr->stamps == 0)
		mcr->stamps = 1;
	__atomic_store_n(&mcr->guard->stamp, mcr->stamps, __ATOMIC_RELEASE);
}

void mcr_guard_forked(struct mcr *mcr)
{
	mcr_registration_close(mcr);
	/* Without memory for marks nothing can be counted, so nothing may be planned: the stamp
	 * stays 0 and the next call tries again. */
	if (mcr_marks_make(mcr) != MCR_OK)
		return;
	mcr->home++;
	mcr_registration_init(mcr);
	mcr_guard_restamp(mcr);
}
