# So is a quiet one.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_no_command_sees_a_reservation
s/self\.request:has_flag\("q"\) and/false and/
