# A read that failed everywhere is told as a miss.
# file: bindings/python/mcroster/client.py
# test: Failures.test_a_read_that_failed_is_no_miss
s/(def failed\(self, error: Exception\) -> None:\n)        self.error = error\n/\1/
