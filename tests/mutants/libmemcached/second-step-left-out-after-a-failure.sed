# When the first step fails the second is not sent.
# file: bindings/libmemcached/write.c
# test: failures
s/(step_failed\(session, order, run->wire\[i\], i, own, written\);)/\1\n\t\t\treturn;/
