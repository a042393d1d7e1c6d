# COPY shows the next list.
# file: agent/list/phase.c
# test: list/test_phase
s/phase >= PHASE_SWITCH/phase >= PHASE_COPY/
