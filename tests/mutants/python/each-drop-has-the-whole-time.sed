# The time-out is each piece's, not the answer's.
# file: bindings/python/mcroster/client.py
# test: Failures.test_an_answer_that_comes_by_drops_is_given_up
s/left = self.until - time.monotonic\(\)\n        if left <= 0:/left = 1.0\n        if left <= 0:/
