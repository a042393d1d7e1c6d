// The public headers are C++17 too, and the library links to it: this file compiles, links and
// runs.
#include <type_traits>

#include "mcroster.h"
#include "mcroster_segment.h"

static_assert(std::is_standard_layout<mcr_plan>::value && sizeof(mcr_plan) == 40, "mcr_plan");
static_assert(std::is_standard_layout<mcr_segment_header>::value, "mcr_segment_header");

int main()
{
	mcr *handle = nullptr;

	return mcr_open("", 0, &handle) == MCR_BAD_ARGUMENT && handle == nullptr ? 0 : 1;
}
