# A step is sent after the plan's deadline.
# file: bindings/python/mcroster/client.py
# test: Generations.test_a_step_that_is_too_late_is_not_sent
s/if not plan.check\(\):\n                written/if False:\n                written/
