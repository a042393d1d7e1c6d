/* marks.c - where this process counts the operations that it has under way (mcroster_clients.h).
 *
 * The lines stand in a memfd, so that the agent can look at them itself: a process that is idle, or
 * stopped, cannot answer.  It is sealed: the agent could not trust it otherwise.  Where no memfd is
 * to be had the lines are private, and only this process can answer for itself.
 *
 * Lines are given and taken back under the guard; a line's counts are its reader's alone.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

_Static_assert(MCR_SEGMENT_RING == 4, "a line has a count for each generation in the ring");

static bool membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

/* Both at once: the agent looks by the one, this process by the other. */
static bool membarrier_prepare(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) &&
	       membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static int sealed_make(void)
{
	const int fd = memfd_create("mcroster marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, MCR_MARKS_BYTES) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int mcr_marks_make(struct mcr *mcr)
{
	const int fd = sealed_make();
	void *map = mmap(NULL, MCR_MARKS_BYTES, PROT_READ | PROT_WRITE,
			 fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);

	if (map == MAP_FAILED) {
		if (fd >= 0)
			(void)close(fd);
		return MCR_NO_MEMORY;
	}
	mcr_marks_free(mcr); /* a parent's */
	mcr->marks = map;
	mcr->marks_fd = fd;
	mcr->fenced = !membarrier_prepare();
	memset(mcr->line_used, 0, sizeof(mcr->line_used));
	return MCR_OK;
}

void mcr_marks_free(struct mcr *mcr)
{
	if (mcr->marks != NULL)
		(void)munmap(mcr->marks, MCR_MARKS_BYTES);
	if (mcr->marks_fd >= 0)
		(void)close(mcr->marks_fd);
	mcr->marks = NULL;
	mcr->marks_fd = -1;
}

void mcr_marks_line_take(struct mcr *mcr, struct mcr_reader *reader)
{
	struct mcr_marks *marks = mcr->marks;
	uint32_t line = 0;

	while (line < MCR_MARKS_LINES && mcr->line_used[line] != 0)
		line++;
	if (line < MCR_MARKS_LINES) {
		mcr->line_used[line] = 1;
		if (line >= u32_load_relaxed(&marks->lines))
			u32_store_relaxed(&marks->lines, line + 1);
		reader->line = (int)line;
		reader->flying = marks->line[line].flying;
	} else {
		u32_store_relaxed(&marks->uncounted, u32_load_relaxed(&marks->uncounted) + 1);
		reader->line = -1;
		reader->flying = reader->own_flying;
		memset(reader->own_flying, 0, sizeof(reader->own_flying));
	}
	reader->newest = 0;
	reader->home = mcr->home;
}

void mcr_marks_line_leave(struct mcr *mcr, struct mcr_reader *reader)
{
	struct mcr_marks *marks = mcr->marks;

	if (reader->home != mcr->home)
		return; /* it was the parent's */
	if (reader->line < 0) {
		u32_store_relaxed(&marks->uncounted, u32_load_relaxed(&marks->uncounted) - 1);
		return;
	}
	for (unsigned i = 0; i < MCR_SEGMENT_RING; i++)
		u32_store_relaxed(&reader->flying[i], 0);
	u32_store_relaxed(&marks->line[reader->line].used, 0);
	mcr->line_used[reader->line] = 0;
}

/* What stands under the newest generation's turn is of it, or of one that is long over; so is what
 * stands under a turn that the reader has not come to. */
static bool line_none_older(const struct mcr_marks_line *line, uint32_t generation)
{
	const uint32_t used = u32_load_relaxed(&line->used);

	for (uint32_t i = 1; i < MCR_SEGMENT_RING; i++)
		if (generation - i <= used &&
		    flying_load_acquire(&line->flying[(generation - i) % MCR_SEGMENT_RING]) != 0)
			return false;
	return true;
}

bool mcr_marks_none_older(const struct mcr *mcr, uint32_t generation)
{
	/* Pairs with the readers' counts: see atomics.h.  Where it fails they fence. */
	if (!mcr->fenced && !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return false;
	generation_fence_seq_cst();
	if (u32_load_relaxed(&mcr->marks->uncounted) != 0)
		return false;
	for (uint32_t i = 0; i < MCR_MARKS_LINES; i++)
		if (mcr->line_used[i] != 0 && !line_none_older(&mcr->marks->line[i], generation))
			return false;
	return true;
}
