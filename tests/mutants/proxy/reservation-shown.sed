# An empty value is a value, whoever made it.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_no_command_sees_a_reservation
s/elseif not empty_is_miss or self\.way\.read_found\(res, self\) then/elseif true then/
