# In SETTLE and DRAIN a set writes at the new owner before it deletes at the old one.
# file: shmlib/plan.c
s/(define AFTER_SWITCH.*\[MCR_OP_SET\]	= RULE\(RESULT, NEW, )DELETE\(OLD\), WRITE\(NEW\)(\), *\\\n[^\n]*\[MCR_OP_ADD\]	= RULE\(RESULT, NEW, READ_NON, DELETE)/\1WRITE(NEW), DELETE(OLD)\2/
