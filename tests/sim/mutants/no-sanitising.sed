# New owners keep what they hold when a change begins.
# file: agent/core/register.c
s/return phase == PHASE_PREPARE \|\| phase == PHASE_CLEAN \|\|/return phase == PHASE_CLEAN ||/
