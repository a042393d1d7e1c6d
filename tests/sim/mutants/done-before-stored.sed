# Work is reported done before that is on disk.
# file: agent/core/host.c
s/if \(unsaid && host->work.state == WORK_DONE\)/if (unsaid \&\& host->work.state == WORK_NONE)/
