# Who is interrupted between two steps leaves the older value.
# file: bindings/python/mcroster/client.py
# test: Failures.test_somebody_who_leaves_in_the_middle_leaves_it_to_the_agent
s/if any\(step.send == Send.DELETE/if False and any(step.send == Send.DELETE/
