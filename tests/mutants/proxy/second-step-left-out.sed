# A write of a moving key has one step.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_a_write_is_where_its_phase_wants_it_and_nowhere_else
s/(undelivered, own_sent = 0, nil, false, nil, false\n)/\1\tcount = math.min(count, i)\n/
