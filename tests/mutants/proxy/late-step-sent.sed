# A step is sent after the plan's deadline.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_a_step_that_is_too_late_is_not_sent
s/not plan:aim\(i, over\)/not plan:aim(i, true)/
