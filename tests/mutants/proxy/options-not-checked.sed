# An option is taken as it comes.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_options
s/broken or options_wrong\(options\)/broken/
