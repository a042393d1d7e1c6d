# A step is sent after the plan's deadline.
# file: bindings/libmemcached/write.c
# test: generations
s/(enum wire_answer answer;\n\n\t\tif \()mcr_check\(session->reader, &run->plan\) != MCR_OK/\1false/
