# A token is taken by any server.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_a_token_holds_at_the_server_that_gave_it
s/if self\.token and \(not plan:holds[^)]*\) or /if self.token and (/
