# A delta pass leaves what the new owner has.
# file: agent/core/pass_line.c
s/verdict->kind = changed \? MOVE_RECOPY : MOVE_COPY;/verdict->kind = MOVE_COPY;/
