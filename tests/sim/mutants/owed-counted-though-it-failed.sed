# An owed delete counts though a server did not answer.
# file: agent/core/owed_execute.c
s/if \(!whole \|\| !execution_in_time\(owed, execution, now_ms\)\)/if (now_ms == 0 \&\& whole)/
