# A reservation at the new owner is a value for a reader.
# file: shmlib/plan.c
s/MCR_SEND_READ, 1\}/MCR_SEND_READ, 0}/
