# A server that does not answer has nothing.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_servers_that_refuse
s/if found == "failed" then/if false then/
