# Whatever the agent answers, the key is owed.
# file: bindings/python/mcroster/client.py
# test: Failures.test_what_the_agent_refuses_is_incomplete
s/refused = error\n/raise OwedError("owed") from error\n/
