# Its second step deletes another key.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_a_binary_key_is_the_one_that_it_names
s/if self\.binary then return mcp\.request\("md/if false then return mcp.request("md/
