# >= for > on serials: a host counts a lease only once it has published a later register.
# file: agent/core/host.c
s/if \(host->grant.serial > host->published.serial\)/if (host->grant.serial >= host->published.serial)/
