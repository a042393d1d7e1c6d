# A reservation refuses an add, and is touched.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_no_command_sees_a_reservation
s/return not \(words:find\(" s0 "/return true or not (words:find(" s0 "/
