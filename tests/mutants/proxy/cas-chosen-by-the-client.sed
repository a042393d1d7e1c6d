# A client chooses the cas.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_what_is_not_supported_is_told
s/if flags\.E then/if false then/
