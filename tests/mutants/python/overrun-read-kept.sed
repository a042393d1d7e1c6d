# A read that overran its plan is the answer.
# file: bindings/python/mcroster/client.py
# test: Generations.test_a_read_that_overran_is_thrown_away
s/if end == End.REPEAT or self.late:/if self.late:/
