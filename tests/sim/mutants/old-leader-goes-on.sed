# Who has handed the register over goes on granting.
# file: agent/core/coord.c
s/coord->state = COORD_IDLE; \/\*/(void)0; \/*/
