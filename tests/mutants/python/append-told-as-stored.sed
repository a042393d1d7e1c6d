# An append that was dropped is told as stored.
# file: bindings/python/mcroster/client.py
# test: Phases.test_updates_go_to_the_owner
s/return False if plan.answer == Answer.NOT_STORED else written.result/return True if plan.answer == Answer.NOT_STORED else written.result/
