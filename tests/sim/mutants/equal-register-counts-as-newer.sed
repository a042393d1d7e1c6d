# >= for > on serials: a host that knows the same register halts its coordinator.
# file: agent/core/coord_hosts.c
s/register_compare\(&renew->known, &coord->reg\) > 0 \&\&/register_compare(\&renew->known, \&coord->reg) >= 0 \&\&/
