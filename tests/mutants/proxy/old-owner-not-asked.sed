# A read asks one server.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_no_command_sees_a_reservation
s/(function Operation:look\(plan, count\)\n)/\1\tcount = 1\n/
