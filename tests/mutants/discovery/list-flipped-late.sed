# SWITCH shows the list that was.
# file: agent/list/phase.c
# test: list/test_phase
s/phase >= PHASE_SWITCH/phase > PHASE_SWITCH/
