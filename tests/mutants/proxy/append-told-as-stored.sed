# What append has not stored it has.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_append_is_refused_where_it_could_damage_a_reservation
s/core\.ANSWER_NOT_STORED then/nil then/
