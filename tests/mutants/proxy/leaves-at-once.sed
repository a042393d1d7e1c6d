# A server that has left is given up at once.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_server_that_leaves_and_comes_again
s/LINGER_S = 10/LINGER_S = 0/
