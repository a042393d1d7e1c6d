/* doctor_segment.c - see doctor.h: the segment through the library that clients use. */
#include <inttypes.h>
#include <time.h>

#include <mcroster.h>

#include "admin/doctor.h"

#define HEARTBEAT_WAIT_MS 2000u
#define HEARTBEAT_LOOK_MS 50u

static void pause_ms(unsigned ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&pause, NULL);
}

static void heartbeat_check(struct mcr *mcr, uint64_t before, struct checkup *checkup)
{
	struct mcr_info info;

	for (unsigned waited = 0; waited < HEARTBEAT_WAIT_MS; waited += HEARTBEAT_LOOK_MS) {
		pause_ms(HEARTBEAT_LOOK_MS);
		if (mcr_info(mcr, &info) >= 0 && info.heartbeat != before) {
			checkup_add(checkup, CHECK_HEARTBEAT, CHECKUP_OK, "", "beats");
			return;
		}
	}
	checkup_add(checkup, CHECK_HEARTBEAT, CHECKUP_FAULT, "", "still for %u ms",
		    HEARTBEAT_WAIT_MS);
}

void doctor_segment(const char *name, struct checkup *checkup)
{
	struct mcr *mcr;
	struct mcr_info info;
	int error = mcr_open(name, 0, &mcr);

	if (error < 0) {
		checkup_add(checkup, CHECK_SEGMENT, CHECKUP_FAULT, name, "%s", mcr_strerror(error));
		return;
	}
	error = mcr_info(mcr, &info);
	if (error < 0)
		checkup_add(checkup, CHECK_SEGMENT, CHECKUP_FAULT, name, "%s", mcr_strerror(error));
	else
		checkup_add(checkup, CHECK_SEGMENT, CHECKUP_OK, name,
			    "generation %" PRIu32 ", epoch %" PRIu64 ", %" PRIu32 " servers",
			    info.generation, info.epoch, info.server_count);
	if (error >= 0)
		heartbeat_check(mcr, info.heartbeat, checkup);
	mcr_close(mcr);
}
