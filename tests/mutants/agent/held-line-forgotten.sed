# What was held back is never written.
# file: agent/daemon/log_often.c
# test: daemon/test_log_often
s/if \(line == NULL\)\n\t\treturn word;\n\tword.write = true;/if (line == NULL || !all)\n\t\treturn word;\n\tword.write = true;/
