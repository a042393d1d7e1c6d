# DRAIN removes a key at the old owner after its reservation was lost.
# file: agent/core/move.c
s/return again\(move, move->kind\);\n		return end\(move, reply->answer == MOVE_DIFFERS/return finish(move, MOVE_PRESENT);\n		return end(move, reply->answer == MOVE_DIFFERS/
