# What cannot be deleted is handed to nobody.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_servers_that_refuse
s/local owed, why = plan:owe\([^\n]*/local owed = true/
