# An owed delete counts though a server did not answer.
# file: agent/core/owed_execute.c
s/const bool whole = execution->step == execution->plan.step_count && execution->failed == 0;/const bool whole = true;/
