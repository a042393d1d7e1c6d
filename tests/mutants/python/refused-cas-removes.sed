# A cas that is refused where it goes deletes the value where it is.
# file: bindings/python/mcroster/client.py
# test: Phases.test_a_cas_of_a_value_that_has_gone_removes_nothing
s/ or self\._gone\(run\)//
