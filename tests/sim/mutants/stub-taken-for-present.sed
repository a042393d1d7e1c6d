# Another mover's reservation counts as the key being there.
# file: agent/core/move.c
s/return again\(move, move->kind\); \/\* another mover.s stub \*\//return finish(move, MOVE_PRESENT);/
