# A write begins though one of its servers has no connection.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_server_that_is_not_connected_yet
s/if not known then/if false then/
