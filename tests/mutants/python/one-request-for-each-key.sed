# Reads of many keys are not put together.
# file: bindings/python/mcroster/client.py
# test: Phases.test_many_reads_are_one_request_for_each_server_and_step
s/asked.setdefault\(look.run.plan.steps\[look.step\].server.id, \[\]\)/asked.setdefault(id(look), [])/
