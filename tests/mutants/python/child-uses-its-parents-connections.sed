# A child goes on with its parent's connections.
# file: bindings/python/mcroster/client.py
# test: Threads.test_a_child_has_connections_of_its_own
s/getattr\(local, "pid", None\) != os.getpid\(\)/not hasattr(local, "pid")/
