# A miss is final, though a newer generation is out.
# file: bindings/python/mcroster/client.py
# test: Generations.test_a_miss_while_the_generation_moves_on_is_read_again_once
s/end == End.NEWER and not self.missed_before/False/
