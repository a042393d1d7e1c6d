# Who is interrupted leaves answers on the other connections.
# file: bindings/python/mcroster/client.py
# test: Failures.test_whoever_leaves_while_others_are_waited_for_leaves_no_answer_behind
s/for connection, _, _ in waiting:\n                connection.close\(\)/pass/
