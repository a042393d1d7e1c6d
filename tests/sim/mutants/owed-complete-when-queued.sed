# An owed delete counts as complete when it begins.
# file: agent/core/owed_execute.c
s/(	owed->counts.executions\+\+;\n)/\1	entry->covered = entry->added;\n	owed_tell_complete(owed, number);\n/
