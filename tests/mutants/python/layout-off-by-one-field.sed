# A structure lacks a field of the header's.
# file: bindings/python/mcroster/library.py
# test: Layout.test_structures_are_the_headers
s/\("bypass", c_uint8\),\n *//
