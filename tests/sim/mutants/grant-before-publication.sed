# A grant counts before its register is published.
# file: agent/core/host.c
s/if \(host->grant.serial > host->published.serial\)\n		return;/if (false)\n		return;/
s/if \(host->grant.term != host->published.term\) \{/if (false) {/
