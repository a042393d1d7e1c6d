# A file that cannot be loaded again is loaded again.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_a_file_that_cannot_be_loaded_again
s/ and loads_again\(\) then/ then/
