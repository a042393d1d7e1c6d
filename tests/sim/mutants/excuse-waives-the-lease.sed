# An agent that was excused is not waited for though it holds a lease.
# file: agent/core/coord_barrier.c
s/if \(coord_host_holds\(&coord->host\[i\], now_ms\) &&\n/if (coord_host_holds(\&coord->host[i], now_ms) \&\& !coord_agent_excused(coord, coord->host[i].name) \&\&\n/
