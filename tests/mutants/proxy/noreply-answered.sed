# A command that was sent is answered in spite of its noreply.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_no_command_sees_a_reservation
s/noreply\?Y\?/noreply/
