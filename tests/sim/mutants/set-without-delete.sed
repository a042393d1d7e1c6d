# In COPY a set does not delete at the new owner.
# file: shmlib/plan.c
s/(\[MCR_COPY\] = \{.*\[MCR_OP_SET\]	= RULE\(RESULT, OLD, WRITE\(OLD\)), DELETE\(NEW\)(\),\n[^\n]*\[MCR_OP_ADD\]	= RULE\(RESULT, OLD, READ_ON)/\1\2/
