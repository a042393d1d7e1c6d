# A segment that comes later is not seen.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_segment_that_comes_and_goes
s/mcp\.schedule_config_reload\(\)/servers = nil/
