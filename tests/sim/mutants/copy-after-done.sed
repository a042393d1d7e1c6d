# Work that was reported done in a phase begins again after a restart.
# file: agent/core/host.c
s/host->work.state = WORK_DONE;/host->work.state = WORK_RUNNING;/
