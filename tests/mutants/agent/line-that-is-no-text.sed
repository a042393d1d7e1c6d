# What is no text goes to the journal, which shows none of it.
# file: agent/daemon/log.c
# test: daemon/test_log
s/if \(control \|\| length == 0\)/length += length == 0;\n\t\tif (control)/
