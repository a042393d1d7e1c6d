# No token is remembered.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_flags_and_tokens_are_the_keys_own_when_replies_come_together
s/plan:gave\(step, self\.key, cas\)/cas = nil/
