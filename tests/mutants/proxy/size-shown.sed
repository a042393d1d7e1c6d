# The size that was asked for beside is shown.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_answers_are_a_memcacheds_in_every_phase
s/:gsub\(" s%d\+", "", 1\)//
