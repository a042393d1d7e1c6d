# In SETTLE and DRAIN an update does not delete at the old owner.
# file: shmlib/plan.c
s/(define AFTER_SWITCH.*\[MCR_OP_UPDATE\] = RULE\(RESULT, NEW, )DELETE\(OLD\), (WRITE\(NEW\)\), *\\\n[^\n]*\[MCR_OP_APPEND\] = RULE\(NOT)/\1\2/
