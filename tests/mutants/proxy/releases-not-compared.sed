# mcroster.so may be of any release.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_two_releases
s/core\.INTERFACE ~= INTERFACE and/false and/
