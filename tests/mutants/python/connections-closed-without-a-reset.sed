# A connection is closed as any other.
# file: bindings/python/mcroster/client.py
# test: Failures.test_a_time_out_closes_by_a_reset
s/struct.pack\("ii", 1, 0\)/struct.pack("ii", 0, 0)/
