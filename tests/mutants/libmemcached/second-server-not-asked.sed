# Who has missed at the first server is asked for no more.
# file: bindings/libmemcached/read.c
# test: many
s/\t\treading->step\+\+;/\t\treading->step = reading->run->plan.step_count;/
