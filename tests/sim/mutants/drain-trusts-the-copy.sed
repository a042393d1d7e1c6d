# DRAIN takes the new owner's value for good, though the old one's was written since.
# file: agent/core/pass_line.c
s/return cas > pass->base.cas \? MOVE_DRAIN_NEWER : MOVE_DRAIN;/return MOVE_DRAIN;/
