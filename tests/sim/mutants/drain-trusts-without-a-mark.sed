# DRAIN takes the new owner's value for good, though the mark is unknown.
# file: agent/core/pass_line.c
s/return MOVE_DRAIN_UNSURE;/return MOVE_DRAIN;/
