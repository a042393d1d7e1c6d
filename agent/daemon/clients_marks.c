/* clients_marks.c - a client's counts, in memory that the client writes.
 *
 * A descriptor that a stranger passes may be anything: a file that shrinks under its mapping, huge
 * pages that are not there, a file system whose server never answers.  Only a memfd of the right
 * size, sealed against shrinking, is mapped.  To ask for the seals is the one question that cannot
 * block; what has none is closed by a thread of its own, for close can.
 */
#include "daemon/clients_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "atomics.h"

#define SEALS_WANTED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Threads that close something.  They may outlive whoever asked for it. */
static int disposing;

static void *dispose_run(void *context)
{
	(void)close((int)(intptr_t)context);
	(void)__atomic_sub_fetch(&disposing, 1, __ATOMIC_RELAXED);
	return NULL;
}

void clients_dispose(int fd)
{
	pthread_t thread;

	(void)__atomic_add_fetch(&disposing, 1, __ATOMIC_RELAXED);
	if (pthread_create(&thread, NULL, dispose_run, (void *)(intptr_t)fd) == 0)
		(void)pthread_detach(thread);
	else
		(void)dispose_run((void *)(intptr_t)fd);
}

bool clients_dispose_busy(void)
{
	return __atomic_load_n(&disposing, __ATOMIC_RELAXED) >= CLIENTS_DISPOSING_MAX;
}

int clients_marks_map(int fd, struct mcr_marks **marks)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct statfs system;
	struct stat status;
	void *map;

	if (seals < 0) {
		clients_dispose(fd);
		return -EINVAL;
	}
	/* It is the kernel's own memory from here on. */
	if ((seals & SEALS_WANTED) != SEALS_WANTED || fstat(fd, &status) != 0 ||
	    fstatfs(fd, &system) != 0 || system.f_type != TMPFS_MAGIC ||
	    status.st_size != MCR_MARKS_BYTES) {
		(void)close(fd);
		return -EINVAL;
	}
	map = mmap(NULL, MCR_MARKS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return -EINVAL;
	*marks = map;
	return 0;
}

void clients_marks_unmap(struct mcr_marks *marks, uint32_t attempt)
{
	if (marks == NULL)
		return;
	/* An older attempt may end after a newer one. */
	if (attempt > u32_load_relaxed(&marks->dropped))
		u32_store_relaxed(&marks->dropped, attempt);
	(void)munmap(marks, MCR_MARKS_BYTES);
}

bool clients_marks_barrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
}

static bool line_older(const struct mcr_marks_line *line, uint32_t since, uint32_t generation)
{
	const uint32_t used = u32_load_relaxed(&line->used);

	/* A turn that its reader has not come to holds what was planned four generations ago. */
	for (uint32_t i = 1; i <= CLIENTS_COUNTED && generation - i >= since; i++)
		if (generation - i <= used &&
		    flying_load_acquire(&line->flying[(generation - i) % 4]) != 0)
			return true;
	return false;
}

void clients_marks_look(const struct mcr_marks *marks, uint32_t since, uint32_t generation,
			struct client_marks *seen)
{
	uint32_t lines = u32_load_relaxed(&marks->lines);

	if (lines > MCR_MARKS_LINES)
		lines = MCR_MARKS_LINES;
	seen->older = u32_load_relaxed(&marks->uncounted) != 0;
	seen->used = 0;
	seen->refused = u32_load_relaxed(&marks->refused);
	seen->reason = u32_load_relaxed(&marks->refused_why);
	for (uint32_t i = 0; i < lines; i++) {
		const uint32_t used = u32_load_relaxed(&marks->line[i].used);

		if (used > seen->used && used <= generation)
			seen->used = used;
		seen->older = line_older(&marks->line[i], since, generation) || seen->older;
	}
}
