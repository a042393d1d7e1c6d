# mcroster: everything is built, tested and installed from here.  `make help` lists the targets.
#   V=1 shows the commands; SAN=address,undefined or SAN=thread builds into a directory of its own.

PREFIX     ?= /usr/local
CC         ?= gcc
SAN        ?=
comma      := ,
B          ?= build/$(if $(SAN),$(subst $(comma),-,$(SAN)),plain)
PKG_CONFIG ?= pkg-config
Q          := $(if $(V),,@)

PACKAGES   := libsodium libconfuse libevent_core libevent_extra
CPPFLAGS   += -D_GNU_SOURCE -Iinclude -Iagent -Ishmlib $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
CFLAGS     ?= -O2 -g
CFLAGS     += -std=c17 -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes \
              -Wmissing-prototypes -fno-common -fstack-protector-strong -fPIC
LDFLAGS    += -Wl,-z,relro,-z,now
LDLIBS     += $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lm
ifeq ($(SAN),)
CPPFLAGS   += -D_FORTIFY_SOURCE=2
else
CFLAGS     += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS    += -fsanitize=$(subst fuzzer-no-link,fuzzer,$(SAN))
endif

ROOMS      := list core net daemon admin
objects     = $(patsubst %.c,$(B)/%.o,$(filter-out agent/daemon/main.c agent/admin/main.c,$(wildcard $(1)/*.c)))

.PHONY: all clean
all: $(B)/mcrosterd $(B)/mcadmin $(B)/libmcroster.a

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define room
$(B)/$(1).a: $$(call objects,agent/$(1))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

$(B)/libmcroster.a: $(call objects,shmlib)
	$(Q)rm -f $@ && ar rcs $@ $^

# A room links what stands below it, never beside or above.
BELOW_shmlib := $(B)/libmcroster.a
BELOW_list   := $(B)/list.a $(B)/libmcroster.a
BELOW_core   := $(B)/core.a $(BELOW_list)
BELOW_net    := $(B)/net.a $(BELOW_core)
BELOW_daemon := $(B)/daemon.a $(BELOW_net)
BELOW_admin  := $(B)/admin.a $(BELOW_net)

$(B)/mcrosterd: $(B)/agent/daemon/main.o $(BELOW_daemon)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/mcadmin: $(B)/agent/admin/main.o $(BELOW_admin)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Unit tests: tests/unit/<room>/test_<file>.c, one Check suite each, linked with the room and below.
CHECK_LIBS  = $(shell $(PKG_CONFIG) --libs check 2>/dev/null)
define unit
UNIT_$(1) := $$(patsubst %.c,$(B)/%,$$(wildcard tests/unit/$(1)/test_*.c))
$$(UNIT_$(1)): $(B)/%: $(B)/%.o $(BELOW_$(1))
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) $$(CHECK_LIBS)
.PHONY: unit-$(1)
unit-$(1): $$(UNIT_$(1))
	$(Q)for t in $$^; do $$$$t || exit 1; done
endef
$(foreach r,shmlib $(ROOMS),$(eval $(call unit,$(r))))

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
