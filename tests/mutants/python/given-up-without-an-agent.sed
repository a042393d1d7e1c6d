# Deletes are not tried again where no agent answers.
# file: bindings/python/mcroster/client.py
# test: Failures.test_without_an_agent_it_is_tried_again
s/and time.monotonic\(\) < until:/and False:/
