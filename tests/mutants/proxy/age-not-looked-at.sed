# memcached may be of any age.
# file: bindings/proxy/mcroster.lua
# test: Wrong.test_an_older_memcached
s/if not mcp\.request\("mg key\\r\\n"\)\.raw_line then/if false then/
