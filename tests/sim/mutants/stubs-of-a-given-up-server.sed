# Reservations of a server that was given up are not waited for.
# file: agent/core/coord_barrier.c
s/return !movers \|\| now_ms >= coord->quiet_ms;/return !movers || now_ms >= 0;/
