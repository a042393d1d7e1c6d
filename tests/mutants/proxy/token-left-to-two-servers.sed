# md C is told to both servers.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_what_is_not_supported_is_told
s/refuse = "EX"/refuse = nil/
