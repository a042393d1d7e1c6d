/* mover_mark.c - the orders around the probe item: two processes proven different, a source's CAS
 * taken as a mark, the mark put on disk.
 */
#include <string.h>

#include "daemon/mover_inside.h"

static void probe_retry(struct mover *mover, uint32_t number)
{
	mover_waits_for(mover, number, mover->probe.why);
	mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
}

static void probe_ended(struct mover_probe *probe, void *context, bool ok)
{
	struct mover *mover = context;

	if (!ok)
		probe_retry(mover, mover->setup.server);
	else if (probe->same)
		pass_probed(&mover->pass, mover->probed);
	else
		mover->probed++;
	if (ok)
		mover_wake(mover);
}

void mover_step_probe(struct mover *mover)
{
	struct mover_peer *other;

	while (mover->probed < mover->setup.change->server_count &&
	       !pass_probe_wanted(&mover->pass, mover->probed)) {
		mover->probed++;
	}
	if (mover->probed > 0) { /* the one before is not needed any more */
		for (uint32_t i = 0; i < mover->probed; i++) {
			mover_peer_free(mover->peers[i]);
			mover->peers[i] = NULL;
		}
	}
	if (mover->probed == mover->setup.change->server_count) {
		pass_probed(&mover->pass, mover->setup.server);
		mover_wake(mover);
		return;
	}
	other = mover_peer_get(mover, mover->probed);
	if (other == NULL || !mover_peer_is_up(other)) {
		if (other == NULL || mover_peer_why(other)[0] != '\0')
			mover_waits_for(mover, mover->probed,
					other == NULL ? "no memory" : mover_peer_why(other));
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
		return;
	}
	mover_probe_start(&mover->probe, &mover->pass, mover->source, other, probe_ended, mover);
}

static void mark_ended(struct mover_probe *probe, void *context, bool ok)
{
	struct mover *mover = context;

	if (ok) {
		pass_marked(&mover->pass, probe->cas);
		mover_wake(mover);
	} else {
		probe_retry(mover, mover->setup.server);
	}
}

void mover_step_save(struct mover *mover)
{
	const struct pass_mark *mark = &mover->pass.save;
	struct mover_mark saved = {.known = mark->known,
				   .full_pass_done = mark->full_pass_done,
				   .cas = mark->cas,
				   .pid = mark->of.pid,
				   .start_time = mark->of.start_time};
	int error = mover->setup.events->mark_save(mover->setup.context, &saved);

	if (error != 0) {
		mover_waits(mover, "its mark cannot be saved: %s",
			    strerror(error < 0 ? -error : error));
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
		return;
	}
	pass_saved(&mover->pass);
	mover_wake(mover);
}

void mover_step_mark(struct mover *mover)
{
	(void)mover_gentle_ready(mover); /* the dump will wait for it: it learns meanwhile */
	mover_probe_start(&mover->probe, &mover->pass, mover->source, NULL, mark_ended, mover);
}
