# A write whose delete did not get through is done.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_servers_that_refuse
s/then undelivered = i end/then own = own end/
