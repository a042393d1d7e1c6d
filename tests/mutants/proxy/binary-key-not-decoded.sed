# A binary key is taken for the text that it comes as.
# file: bindings/proxy/mcroster.lua
# test: Phases.test_a_binary_key_is_the_one_that_it_names
s/core\.binary_key\(self\.key\)/self.key/
