# An owed delete is carried out and counts though the lease had run out.
# file: agent/core/owed_execute.c
s/if \(!whole \|\| !execution_in_time\(owed, execution, now_ms\)\)/if (!whole)/
s/return execution->view == owed->view && now_ms < execution->deadline_ms &&\n	       now_ms < owed->lease_ms;/return owed != NULL \&\& execution != NULL \&\& now_ms > 0;/
s/now_ms >= owed->lease_ms \|\|//
