# A write that overran its plan counts as done.
# file: bindings/python/mcroster/client.py
# test: Generations.test_a_write_that_overran_is_made_good
s/(touched: Dict\[int, Server\] = \{\}\n            if )end == End.REPEAT/\1False/
