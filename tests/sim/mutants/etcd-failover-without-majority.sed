# A failover in etcd goes on without having heard a majority.
# file: agent/core/coord_barrier.c
s/coord->shared \&\& coord->failover_term == 0 \&\&/coord->shared \&\&/
