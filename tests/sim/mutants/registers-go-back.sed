# A host takes any register that it hears.
# file: agent/core/host.c
s/if \(register_compare\(reg, &host->known\) <= 0\)/if (register_compare(reg, \&host->known) == 0)/
s/register_compare\(&host->known, &host->state.reg\) <= 0/register_compare(\&host->known, \&host->state.reg) == 0/
