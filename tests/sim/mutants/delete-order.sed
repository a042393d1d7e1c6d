# In SETTLE and DRAIN a delete begins at the new owner.
# file: shmlib/plan.c
s/(define AFTER_SWITCH.*\[MCR_OP_DELETE\] = RULE\(RESULT, NEW, )DELETE\(OLD\), DELETE\(NEW\)(\), *\\\n[^\n]*\[MCR_OP_TOUCH\]	= RULE\(READ, NEW, READ_NON)/\1DELETE(NEW), DELETE(OLD)\2/
