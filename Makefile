# mcroster: everything is built, tested and installed from here.  `make help` lists the targets.
#   V=1 shows the commands.  TLS=1 builds an agent that can speak TLS to memcached.  SAN=address,undefined or SAN=thread builds into a directory of its own.

VERSION    := 0.1.0
SOVERSION  := 0
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
LIBDIR     ?= $(PREFIX)/lib
UNITDIR    ?= $(PREFIX)/lib/systemd/system
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
# Where Debian's Python looks: its packages share one directory, what is local goes by the version.
PYTHONDIR  ?= $(PREFIX)/lib/$(if $(filter /usr,$(PREFIX)),python3,$(or $(notdir $(realpath /usr/bin/python3)),python3))/dist-packages
ifeq ($(origin CC),default)
CC         := gcc
endif
SAN        ?=
TLS        ?=
comma      := ,
B          ?= build/$(if $(SAN),$(subst $(comma),-,$(SAN)),plain)
PKG_CONFIG ?= pkg-config
Q          := $(if $(V),,@)
say         = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))
MAKEFLAGS  += --no-print-directory
.DELETE_ON_ERROR:

# ---- flags.  CFLAGS, CPPFLAGS and LDFLAGS are the caller's and come last.
# pkg-config is asked once, and only when something is compiled: set-up may have to install it first.
PACKAGES    := libsodium libconfuse libevent_core libevent_extra $(if $(TLS),openssl)
ETCD        := libcurl jansson
ask          = $(eval $(1) := $(shell $(PKG_CONFIG) $(2)))$($(1))
PKG_CFLAGS   = $(call ask,PKG_CFLAGS,--cflags $(PACKAGES) $(ETCD))
PKG_LIBS     = $(call ask,PKG_LIBS,--libs $(PACKAGES))
ETCD_LIBS    = $(call ask,ETCD_LIBS,--libs $(ETCD))
CHECK_LIBS   = $(call ask,CHECK_LIBS,--libs check)
CLIENT_LIBS  = $(call ask,CLIENT_LIBS,--libs libmemcached)

CFLAGS      ?= -O2 -g
WARNINGS    := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
HARDENING   := -fstack-protector-strong -fstack-clash-protection \
               $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
cppflags     = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DMCROSTER_VERSION='"$(VERSION)"' \
               -Iinclude -Iagent -Ishmlib -Ibindings/libmemcached $(PKG_CFLAGS) $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) $(CPPFLAGS)
cflags      := -std=c17 -fPIC -fno-common $(WARNINGS) $(HARDENING) $(CFLAGS)
ldflags     := -Wl,--as-needed,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
ifneq ($(SAN),)
cflags      += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
ldflags     += -fsanitize=$(SAN)
endif
link         = $(CC) $(cflags) -pie $(ldflags) -o $@ $^

# ---- what is built
ROOMS       := list core net daemon admin
# One of two files is the agent's TLS; the libraries below follow when it becomes the other.
NOT_BUILT   := %/main.c $(if $(TLS),%/mc_tls_none.c,%/mc_tls.c)
objects      = $(patsubst %.c,$(B)/%.o,$(filter-out $(NOT_BUILT),$(wildcard $(1)/*.c)))
CHOSEN      := $(B)/.tls$(TLS)

.PHONY: all
all: $(B)/mcrosterd $(B)/mcadmin $(B)/libmcroster.a $(B)/libmcroster.so \
	$(B)/libmcroster-memcached.a $(B)/libmcroster-memcached.so

$(CHOSEN):
	@mkdir -p $(@D)
	$(Q)rm -f $(B)/.tls* && touch $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

define room
$(B)/$(1).a: $$(call objects,agent/$(1)) $(if $(filter net,$(1)),$(CHOSEN))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

# The library needs libc alone and shows only what its map names.
$(B)/libmcroster.a: $(call objects,shmlib)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libmcroster.so.$(VERSION): $(call objects,shmlib) shmlib/libmcroster.map
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) \
		-Wl,-soname,libmcroster.so.$(SOVERSION) -Wl,--version-script=shmlib/libmcroster.map \
		-o $@ $(filter %.o,$^)
$(B)/libmcroster.so: $(B)/libmcroster.so.$(VERSION)
	$(Q)ln -sf libmcroster.so.$(VERSION) $(B)/libmcroster.so.$(SOVERSION)
	$(Q)ln -sf libmcroster.so.$(SOVERSION) $@

# The adapter: libmemcached that follows plans, on top of the library.
$(B)/libmcroster-memcached.a: $(call objects,bindings/libmemcached)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libmcroster-memcached.so.$(VERSION): $(call objects,bindings/libmemcached) $(B)/libmcroster.so \
		bindings/libmemcached/libmcroster-memcached.map
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) \
		-Wl,-soname,libmcroster-memcached.so.$(SOVERSION) \
		-Wl,--version-script=bindings/libmemcached/libmcroster-memcached.map \
		-o $@ $(filter %.o %.so,$^) $(CLIENT_LIBS)
$(B)/libmcroster-memcached.so: $(B)/libmcroster-memcached.so.$(VERSION)
	$(Q)ln -sf libmcroster-memcached.so.$(VERSION) $(B)/libmcroster-memcached.so.$(SOVERSION)
	$(Q)ln -sf libmcroster-memcached.so.$(SOVERSION) $@

# A room links what stands below it, never beside or above.
BELOW_shmlib := $(B)/libmcroster.a
BELOW_libmemcached := $(B)/libmcroster-memcached.a $(BELOW_shmlib)
BELOW_client := $(patsubst %,$(B)/tests/client/%.o,history late items)
BELOW_list   := $(B)/list.a $(BELOW_shmlib)
BELOW_core   := $(B)/core.a $(BELOW_list)
BELOW_net    := $(B)/net.a $(BELOW_core)
BELOW_daemon := $(B)/daemon.a $(BELOW_net)
BELOW_admin  := $(B)/admin.a $(BELOW_net)

$(B)/mcrosterd: $(B)/agent/daemon/main.o $(BELOW_daemon)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) $(ETCD_LIBS) -lm
$(B)/mcadmin: $(B)/agent/admin/main.o $(BELOW_admin)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) -lm

# ---- bindings
# For memcached's own proxy: a Lua module with the library in it.  Lua is the host program's.
PROXY := $(B)/bindings/proxy/mcroster.so
LUA_CFLAGS = $(call ask,LUA_CFLAGS,--cflags lua5.4)
LUA_LIBS = $(call ask,LUA_LIBS,--libs lua5.4)
$(patsubst %.c,$(B)/%.o,$(wildcard bindings/proxy/*.c)): cppflags += -fvisibility=hidden $(LUA_CFLAGS)
$(PROXY): $(call objects,bindings/proxy) $(B)/libmcroster.a
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) -Wl,--exclude-libs,ALL -o $@ $^
.PHONY: proxy
proxy: $(PROXY)

# ---- what tests them
# A stand-in for that proxy in plain Lua (tests/proxy/standin.lua).
STANDIN := $(B)/tests/proxy/standin.so
$(B)/tests/proxy/standin.o: cppflags += -Ibindings/proxy $(LUA_CFLAGS)
$(STANDIN): $(B)/tests/proxy/standin.o
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) -o $@ $^

# Unit tests: tests/unit/<room>/test_<file>.c, one Check suite each, linked with the room, what is
# below, and the other sources of its directory.
define unit
UNIT_$(1) := $$(patsubst %.c,$(B)/%,$$(wildcard tests/unit/$(1)/test_*.c))
$$(UNIT_$(1)): $(B)/%: $(B)/%.o $$(patsubst %.c,$(B)/%.o,$$(filter-out $$(wildcard \
		tests/unit/$(1)/test_*.c),$$(wildcard tests/unit/$(1)/*.c))) $(BELOW_$(1))
	$$(call say,LD,$$@)
	$(Q)$$(link) $$(PKG_LIBS) $$(if $$(filter daemon,$(1)),$$(ETCD_LIBS)) $$(if $$(filter libmemcached,$(1)),$$(CLIENT_LIBS) -lpthread) $$(CHECK_LIBS) -lm
.PHONY: unit-$(1)
unit-$(1): $$(UNIT_$(1))
	$(Q)for t in $$^; do CK_DEFAULT_TIMEOUT=60 $$$$t || exit 1; done
endef
$(foreach r,shmlib libmemcached client $(ROOMS),$(eval $(call unit,$(r))))
UNITS := $(foreach r,shmlib libmemcached client $(ROOMS),$(UNIT_$(r)))
$(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/client/*.c)): cppflags += -Itests/client

# Programs that tests and demo run beside the two: the files of tests/client with a main, each
# linked with the files there that have none.
CLIENT_MAINS := $(shell grep -ls '^int main\b' tests/client/*.c)
CLIENTS      := $(patsubst %.c,$(B)/%,$(CLIENT_MAINS))
# plant.c stands between the adapter and the library.
PLANTED      := -Wl,--wrap=mcr_begin,--wrap=mcr_check,--wrap=mcr_end
$(CLIENTS): $(B)/%: $(B)/%.o $(patsubst %.c,$(B)/%.o,$(filter-out $(CLIENT_MAINS),$(wildcard \
		tests/client/*.c))) $(B)/libmcroster-memcached.a $(BELOW_net)
	$(call say,LD,$@)
	$(Q)$(link) $(PLANTED) $(PKG_LIBS) $(CLIENT_LIBS) -lpthread -lm

# An agent of this tree that speaks the protocol's version before this one and no other, as the release
# before does: the range that a session offers is session.c's, and its object takes that one's place.
OLDER := $(B)/older/mcrosterd
$(B)/older/session.o: agent/net/session.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(cppflags) -DPROTOCOL_VERSION=1u $(cflags) -MMD -MP -c -o $@ $<
$(OLDER): $(B)/agent/daemon/main.o $(B)/older/session.o $(BELOW_daemon)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) $(ETCD_LIBS) -lm

# The stale checker.
CHECKER := $(B)/tests/checker/checker
$(patsubst %.c,$(B)/%.o,$(wildcard tests/checker/*.c)): cppflags += -Itests
$(CHECKER): $(patsubst %.c,$(B)/%.o,$(wildcard tests/checker/*.c) tests/client/plant.c tests/client/late.c) \
		$(B)/libmcroster-memcached.a $(BELOW_shmlib)
	$(call say,LD,$@)
	$(Q)$(link) $(PLANTED) $(CLIENT_LIBS) -lpthread

# The segment between its writers and readers: writers killed (torn), whole agents (agents), threads
# on one mapping (race).
TORN   := $(B)/tests/torn/torn
RACE   := $(B)/tests/torn/race
AGENTS := $(B)/tests/torn/agents
SHARED := $(patsubst %.c,$(B)/%.o,tests/torn/torn_read.c tests/torn/torn_write.c \
	$(wildcard agent/daemon/segment*.c)) $(BELOW_list)
$(TORN) $(RACE) $(AGENTS): $(B)/%: $(B)/%.o $(SHARED)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) -lpthread -lm

# The proxy's module in several Lua states at once.
STATES := $(B)/tests/proxy/states
$(B)/tests/proxy/states.o: cppflags += -Ibindings/proxy $(LUA_CFLAGS)
$(STATES): $(B)/tests/proxy/states.o $(call objects,bindings/proxy) \
		$(patsubst %.c,$(B)/%.o,$(wildcard agent/daemon/segment*.c)) $(BELOW_list)
	$(call say,LD,$@)
	$(Q)$(link) -Wl,--wrap=mmap64,--wrap=munmap $(PKG_LIBS) $(LUA_LIBS) -lpthread -lm

# Fuzz targets: tests/fuzz/fuzz_<parser>.c with its corpus in tests/fuzz/corpus/<parser>/.
FUZZERS := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZERS): $(B)/%: $(B)/%.o $(B)/daemon.a $(BELOW_admin)
	$(call say,LD,$@)
	$(Q)$(link) -fsanitize=fuzzer $(PKG_LIBS) $(ETCD_LIBS) -lm

# The simulator: the real core in a simulated world, and with planted faults (tests/sim/mutants).
SIM         := $(B)/tests/sim/sim
SIM_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c) tests/unit/core/fake_etcd.c)
SIM_INCLUDES := -Itests/sim -Itests/unit/core
$(SIM_OBJECTS): cppflags += $(SIM_INCLUDES)
$(SIM): $(SIM_OBJECTS) $(BELOW_core)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) -lm

SEEDS       ?= 2000
SIM_RANGE    = $(if $(findstring -,$(SEEDS)),$(SEEDS),1-$(SEEDS))
.PHONY: sim sim-mutants sim-mutant
sim:
	@tests/setup check
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/tests/sim/sim
	@build/plain/tests/sim/sim $(SIM_RANGE)
sim-mutants:
	@tests/setup check
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/tests/sim/sim
	@tests/sim/mutants/run search build/plain
# One of them, for tests/sim/mutants/run: its object takes the place of the file's own.
sim-mutant: $(SIM_OBJECTS) $(BELOW_core)
	$(CC) $(cppflags) $(SIM_INCLUDES) -I$(dir $(MUTANT_FILE)) $(cflags) -c -o $(MUTANT)/mutant.o $(MUTANT)/$(MUTANT_FILE)
	$(CC) $(cflags) -pie $(ldflags) -o $(MUTANT)/sim \
		$(filter-out $(MUTANT_FILE:%.c=$(B)/%.o),$(SIM_OBJECTS)) $(MUTANT)/mutant.o \
		$(BELOW_core) $(PKG_LIBS) -lm

# Benchmarks, a folder each, with what they share in bench/.  That of lookups is linked with the library
# as applications have it and takes what it shares with the agent from the archive; those of moves run
# the daemon's own mover.
bench_objects = $(patsubst %.c,$(B)/%.o,$(wildcard bench/*.c) $(filter-out $(2),$(wildcard bench/$(1)/*.c)))
LOOKUP_BENCH := $(B)/bench/lookup/lookup
MOVE_BENCHES := $(B)/bench/move/move $(B)/bench/move/foreground
$(patsubst %.c,$(B)/%.o,$(wildcard bench/*.c bench/*/*.c)): cppflags += -Ibench
$(LOOKUP_BENCH): $(call bench_objects,lookup) \
		$(filter-out $(B)/libmcroster.a,$(B)/daemon.a $(BELOW_daemon)) $(B)/libmcroster.so \
		$(B)/libmcroster.a
	$(call say,LD,$@)
	$(Q)$(link) -Wl,-rpath,'$$ORIGIN/../..' $(PKG_LIBS) $(CLIENT_LIBS) -lpthread -lm
$(MOVE_BENCHES): $(B)/%: $(B)/%.o $(call bench_objects,move,$(MOVE_BENCHES:$(B)/%=%.c)) \
		$(B)/daemon.a $(BELOW_daemon)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) $(ETCD_LIBS) -lm

POOL_BENCH := $(B)/bench/libmemcached/overhead
$(POOL_BENCH): $(call bench_objects,libmemcached) \
		$(patsubst %.c,$(B)/%.o,bench/lookup/fleet.c bench/lookup/host.c bench/move/server.c bench/move/wire.c) \
		$(B)/libmcroster-memcached.a $(B)/daemon.a $(BELOW_daemon)
	$(call say,LD,$@)
	$(Q)$(link) $(PKG_LIBS) $(ETCD_LIBS) $(CLIENT_LIBS) -lpthread -lm

.PHONY: bench-lookup bench-libmemcached bench-foreground bench-move bench-move-large bench-move-many
bench-lookup:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/bench/lookup/lookup
	@build/plain/bench/lookup/lookup $(ARGS)
bench-libmemcached:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/bench/libmemcached/overhead
	@build/plain/bench/libmemcached/overhead $(ARGS)
bench-foreground:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/bench/move/foreground
	@build/plain/bench/move/foreground $(ARGS)
bench-move bench-move-large bench-move-many:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/bench/move/move
	@build/plain/bench/move/move $(if $(findstring large,$@),--keys 10000 --value-bytes 102400) \
		$(if $(findstring many,$@),--keys 10000000 --value-bytes 8 --rounds 1 --no-unsafe) $(ARGS)

.PHONY: built raced fuzzers unit check check-full model fuzz torn stale demo
built: all $(OLDER) $(UNITS) $(CLIENTS) $(CHECKER) $(SIM) $(TORN) $(AGENTS) $(PROXY) $(STANDIN)
raced: $(RACE) $(STATES) $(B)/tests/client/load
fuzzers: $(FUZZERS)

# With TLS: the same build tests both, and of the one without only a file is another, which has a unit
# test; a third build would cost minutes and show no more.
TESTED  := SAN=address,undefined TLS=1 B=build/address-undefined
RACED   := SAN=thread B=build/thread
FUZZED  := CC=clang SAN=fuzzer-no-link,address,undefined B=build/fuzz
SECONDS ?= 60
# As many jobs as processors, unless the caller has said how many.
JOBS     = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

unit: $(UNITS)
	@tests/run $(B) unit

check:
	@tests/setup check
	@$(MAKE) $(JOBS) $(TESTED) built
	@$(MAKE) $(JOBS) $(RACED) raced
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/tests/sim/sim
	@tests/run build/address-undefined unit race torn=2000 model sim proc

check-full:
	@tests/setup full
	@$(MAKE) $(JOBS) $(TESTED) built
	@$(MAKE) $(JOBS) $(RACED) raced
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/tests/sim/sim
	@$(MAKE) $(JOBS) $(FUZZED) fuzzers
	@tests/run build/address-undefined unit race torn=20000 model-whole sim proc proc-full fuzz=$(SECONDS)

model:
	@tests/setup check
	@tests/model/check

fuzz:
	@tests/setup check
	@$(MAKE) $(JOBS) $(FUZZED) fuzzers
	@tests/run build/fuzz fuzz=$(SECONDS)

KILLS ?= 1000000
torn:
	@tests/setup check
	@$(MAKE) $(JOBS) SAN= B=build/plain build/plain/tests/torn/torn
	@build/plain/tests/torn/torn --kills $(KILLS)

# So many seconds of the stale checker, servers coming and going meanwhile.
stale:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain all clients build/plain/tests/checker/checker
	@BUILD=$(CURDIR)/build/plain tests/checker/run $(SECONDS) $(ARGS)

demo:
	@tests/setup demo
	@$(MAKE) $(JOBS) SAN= B=build/plain all clients
	@BUILD=$(CURDIR)/build/plain MCROSTERD=$(CURDIR)/build/plain/mcrosterd \
		MCADMIN=$(CURDIR)/build/plain/mcadmin tests/demo/run

.PHONY: clients older
clients: $(CLIENTS)
older: $(OLDER)

# ---- installation
.PHONY: install install-proxy uninstall deb clean help
D = $(DESTDIR)$(PREFIX)
MONITORING := etc/mcroster.rules.yml etc/mcroster-dashboard.json
fill = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
	-e 's|@VERSION@|$(VERSION)|g'

install: all
	install -d $(D)/sbin $(D)/bin $(D)/include $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(UNITDIR) \
		$(D)/lib/sysusers.d $(D)/lib/tmpfiles.d $(D)/share/doc/mcroster $(DESTDIR)$(SYSCONFDIR)/mcroster
	install -m 755 $(B)/mcrosterd $(D)/sbin/
	install -m 755 $(B)/mcadmin $(D)/bin/
	install -m 644 include/mcroster.h include/mcroster_clients.h include/mcroster_segment.h $(D)/include/
	install -m 644 bindings/libmemcached/mcroster_memcached.h $(D)/include/
	for lib in libmcroster libmcroster-memcached; do \
		install -m 644 $(B)/$$lib.a $(B)/$$lib.so.$(VERSION) $(DESTDIR)$(LIBDIR)/ && \
		ln -sf $$lib.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$$lib.so.$(SOVERSION) && \
		ln -sf $$lib.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/$$lib.so || exit 1; done
	$(fill) shmlib/libmcroster.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libmcroster.pc
	$(fill) bindings/libmemcached/libmcroster-memcached.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libmcroster-memcached.pc
	install -d $(DESTDIR)$(PYTHONDIR)/mcroster
	install -m 644 $(wildcard bindings/python/mcroster/*.py) $(DESTDIR)$(PYTHONDIR)/mcroster/
	$(fill) systemd/mcrosterd.service.in >$(DESTDIR)$(UNITDIR)/mcrosterd.service
	install -m 644 systemd/sysusers.d/mcroster.conf $(D)/lib/sysusers.d/
	install -m 644 systemd/tmpfiles.d/mcroster.conf $(D)/lib/tmpfiles.d/
	for f in etc/*.conf; do install -m 644 $$f $(DESTDIR)$(SYSCONFDIR)/mcroster/$${f##*/}.sample; done
	install -D -m 644 -t $(D)/share/mcroster $(MONITORING)
	install -m 644 LICENSE README.md $(wildcard docs/*.md) $(D)/share/doc/mcroster/
	install -d $(D)/share/bash-completion/completions $(DESTDIR)$(ZSHDIR)
	$(B)/mcadmin completion bash >$(D)/share/bash-completion/completions/mcadmin
	$(B)/mcadmin completion zsh >$(DESTDIR)$(ZSHDIR)/_mcadmin
	for page in $(wildcard docs/man/*.[1-8]); do \
		install -D -m 644 $$page $(D)/share/man/man$${page##*.}/$${page##*/}; done

install-proxy: $(PROXY)
	install -D -m 644 $(PROXY) $(DESTDIR)$(LIBDIR)/lua/5.4/mcroster.so
	install -D -m 644 bindings/proxy/mcroster.lua $(D)/share/lua/5.4/mcroster.lua

# The packages of what this build directory has, in it.
DEB_REVISION ?= 1
deb: all
	+@packaging/deb/build $(B) $(VERSION) $(DEB_REVISION)

uninstall:
	rm -f $(DESTDIR)$(LIBDIR)/lua/5.4/mcroster.so $(D)/share/lua/5.4/mcroster.lua
	rm -f $(D)/sbin/mcrosterd $(D)/bin/mcadmin $(D)/include/mcroster.h $(D)/include/mcroster_clients.h $(D)/include/mcroster_segment.h \
		$(DESTDIR)$(LIBDIR)/libmcroster.a $(DESTDIR)$(LIBDIR)/libmcroster.so* \
		$(D)/include/mcroster_memcached.h $(DESTDIR)$(LIBDIR)/libmcroster-memcached.* \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libmcroster*.pc $(DESTDIR)$(UNITDIR)/mcrosterd.service \
		$(D)/lib/sysusers.d/mcroster.conf $(D)/lib/tmpfiles.d/mcroster.conf \
		$(DESTDIR)$(SYSCONFDIR)/mcroster/*.sample
	rm -f $(D)/share/bash-completion/completions/mcadmin $(DESTDIR)$(ZSHDIR)/_mcadmin
	rm -rf $(D)/share/doc/mcroster $(D)/share/mcroster $(DESTDIR)$(PYTHONDIR)/mcroster
	for page in $(wildcard docs/man/*.[1-8]); do rm -f $(D)/share/man/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf build

help:
	@echo 'make              build mcrosterd, mcadmin and libmcroster into build/plain'
	@echo 'make demo         set up, build, and show two changes of a live fleet'
	@echo 'make check        set up, build with sanitizers, run every test (under 20 minutes)'
	@echo 'make check-full   the longer tests too: both models whole, fuzzing, long scenarios'
	@echo 'make unit         the unit tests; make unit-ROOM those of: shmlib libmemcached $(ROOMS)'
	@echo 'make model        both models and every planted fault (about 3 minutes)'
	@echo 'make sim SEEDS=2000   the simulator: a number of seeds, or SEEDS=A-B; sim-mutants: planted faults'
	@echo 'make torn KILLS=1000000   writers of the segment killed beside readers'
	@echo 'make stale SECONDS=3600   clients on five hosts look for stale reads while servers come and go'
	@echo 'make fuzz SECONDS=60   each fuzz target for so long; findings stay in build/fuzz/findings'
	@echo 'make bench-lookup   what a lookup costs beside libmemcached; ARGS=--json'
	@echo 'make bench-libmemcached   what the adapter costs on top of libmemcached; ARGS="--rounds N --threads N --json"'
	@echo 'make bench-move   the mover beside a copy without safety; ARGS="--rounds N --json";'
	@echo '                  bench-move-large: values of 100 KiB; bench-move-many: ten million keys'
	@echo 'make bench-foreground   what other clients feel of a move; ARGS="--rounds N --json"'
	@echo 'make proxy        the module for the proxy in memcached (needs Lua 5.4 headers); install-proxy'
	@echo 'make install      DESTDIR=, PREFIX=/usr/local; uninstall takes it away again'
	@echo 'make deb          Debian packages in build/plain/deb, by dpkg-dev alone; DEB_REVISION=1'
	@echo 'make clean        remove build/'
	@echo 'TLS=1 builds an mcrosterd that can speak TLS to memcached (OpenSSL); make TLS=1 install too'
	@echo 'V=1 shows commands, SAN=address,undefined or SAN=thread builds with sanitizers'

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
