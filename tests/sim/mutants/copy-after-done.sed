# COPY is reported done, and a delta pass runs after it.
# file: agent/core/host.c
s/if \(work->state != WORK_DONE\)\n		return;/if (work->state == WORK_RUNNING \&\& (work->left > 0 || work->moved == 0))\n		return;/
