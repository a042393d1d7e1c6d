# When the first step fails the second is not sent.
# file: bindings/python/mcroster/client.py
# test: Failures.test_a_first_step_that_fails_is_the_callers
s/(written.undelivered = i\n)(            except BaseException)/\1                break\n\2/
