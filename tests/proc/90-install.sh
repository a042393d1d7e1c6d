#!/usr/bin/env bash
# `make install`: what is installed is complete and usable, and `make uninstall` takes it all away.
# `make deb`: the same files in packages.
set -eu
BUILD=$(cd "${BUILD:?BUILD must name the directory with the binaries}" && pwd)
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# The build under test is installed as it is: nothing is built again.
case $BUILD in */plain) san= ;; *) san=address,undefined ;; esac
make_it() {
	env -u MAKEFLAGS -u MAKELEVEL -u PKG_CONFIG_LIBDIR -u PKG_CONFIG_SYSROOT_DIR \
		make -s B="$BUILD" SAN=$san DESTDIR="$dir/root" PREFIX=/usr "$@"
}
# 1: something is to be made; 2: the Makefile is wrong.
make_it -pnq >"$dir/make" 2>/dev/null || [ $? = 1 ] || fail "make cannot read the Makefile"
grep -qx '\.DEFAULT_GOAL := all' "$dir/make" || fail "make alone does not build everything"
make_it install install-proxy
root=$dir/root
for file in sbin/mcrosterd bin/mcadmin include/mcroster.h include/mcroster_segment.h \
	lib/libmcroster.a lib/libmcroster.so lib/libmcroster.so.0 lib/pkgconfig/libmcroster.pc \
	lib/systemd/system/mcrosterd.service lib/sysusers.d/mcroster.conf \
	include/mcroster_memcached.h lib/libmcroster-memcached.a lib/libmcroster-memcached.so \
	lib/libmcroster-memcached.so.0 lib/pkgconfig/libmcroster-memcached.pc \
	lib/python3/dist-packages/mcroster/client.py share/man/man3/libmcroster-memcached.3 \
	lib/tmpfiles.d/mcroster.conf share/doc/mcroster/LICENSE share/man/man3/libmcroster.3 \
	share/man/man5/mcroster.conf.5 share/man/man5/mcroster-cluster.conf.5 share/man/man5/mcroster-list.5 \
	share/man/man7/mcroster.7 share/man/man8/mcadmin.8 share/man/man8/mcrosterd.8 \
	lib/lua/5.4/mcroster.so share/lua/5.4/mcroster.lua \
	share/mcroster/mcroster.rules.yml share/mcroster/mcroster-dashboard.json; do
	[ -s "$root/usr/$file" ] || fail "not installed: /usr/$file"
done
for file in share/bash-completion/completions/mcadmin share/zsh/site-functions/_mcadmin; do
	[ -s "$root/usr/$file" ] || fail "not installed: /usr/$file"
done
[ -s "$root/etc/mcroster/agent.conf.sample" ] || fail "not installed: the sample of agent.conf"
! grep -rn '@[A-Z]*@' "$root/usr/lib/systemd" "$root/usr/lib/pkgconfig" || fail "a name was not filled in"
! grep -rln "$dir" "$root/usr/lib/systemd" "$root/usr/lib/pkgconfig" || fail "DESTDIR is in a file"
"$root/usr/sbin/mcrosterd" --version
"$root/usr/bin/mcadmin" --help >/dev/null

# A program somewhere else, in C and as C++ would read the headers, by pkg-config alone.
cat >"$dir/program.c" <<'END'
#include <stdio.h>
#include <mcroster.h>
#include <mcroster_segment.h>
int main(void)
{
	struct mcr *mcr;
	int error = mcr_open("/mcroster.no-such-segment-here", 0, &mcr);
	puts(mcr_strerror(error));
	return error == MCR_NO_SEGMENT ? 0 : 1;
}
END
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/pkgconfig
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
sanitize=${san:+-fsanitize=$san}
# shellcheck disable=SC2046,SC2086  # pkg-config answers in words
gcc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize -o "$dir/program" "$dir/program.c" \
	$(pkg-config --cflags --libs libmcroster)
readelf -d "$dir/program" | grep -q 'NEEDED.*libmcroster\.so\.0\]' || fail "not linked by its soname"
LD_LIBRARY_PATH=$root/usr/lib "$dir/program" || fail "the installed library does not answer"
printf '#include <%s>\n' mcroster.h mcroster_segment.h mcroster_memcached.h >"$dir/header.c"
strict=(-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only "-I$root/usr/include")
for compiler in gcc clang; do
	"$compiler" -std=c11 "${strict[@]}" "$dir/header.c" || fail "the headers are not C11 for $compiler"
	"$compiler" -x c++ -std=c++17 "${strict[@]}" "$dir/header.c" ||
		fail "the headers are not C++17 for $compiler"
done
# shellcheck disable=SC2046,SC2086
g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror $sanitize -o "$dir/program++" tests/unit/shmlib/headers.cc \
	$(pkg-config --cflags --libs libmcroster)
LD_LIBRARY_PATH=$root/usr/lib "$dir/program++" || fail "the library does not answer a C++ program"
# shellcheck disable=SC2046,SC2086
gcc -std=c11 $sanitize -o "$dir/static" "$dir/program.c" $(pkg-config --cflags libmcroster) \
	"$root/usr/lib/libmcroster.a"
! readelf -d "$dir/static" | grep -q 'NEEDED.*libmcroster' || fail "not linked statically"
"$dir/static" || fail "the static library does not answer"
readelf -d "$root/usr/lib/libmcroster.so" >"$dir/dynamic"
grep -q 'SONAME.*\[libmcroster\.so\.0\]' "$dir/dynamic" || fail "no soname"
needed=$(sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' "$dir/dynamic" | grep -Ev '^(libc\.so|ld-linux|lib(a|ub|t)san\.)' || true)
[ -z "$needed" ] || fail "the library needs more than libc: $needed"
# What a library shows is what its header declares.
shows() { # LIBRARY HEADER
	local exported declared shown
	exported=$(nm -D --defined-only "$root/usr/lib/$1.so" | awk '$2 != "A" { print $3 }' |
		grep -v '^mcr_' || true)
	[ -z "$exported" ] || fail "$1 shows more than its API: $exported"
	declared=$(sed -n '/#ifndef/,$p' "$root/usr/include/$2" | sed -E 's|/\*.*\*/||; /^ *\/\*/,/\*\//d' |
		grep -oE '\bmcr_[a-z_]+\(' | tr -d '(' | sort -u)
	shown=$(nm -D --defined-only "$root/usr/lib/$1.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort -u)
	[ "$declared" = "$shown" ] || fail "$1: declared and shown differ: $(diff <(echo "$declared") <(echo "$shown"))"
}
shows libmcroster mcroster.h

# The adapter: an example of its own, by pkg-config alone, and nothing that could clash in the archive.
shows libmcroster-memcached mcroster_memcached.h
# shellcheck disable=SC2046,SC2086
gcc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize -o "$dir/greeting" \
	bindings/libmemcached/examples/greeting.c \
	-I"$root/usr/include" -L"$root/usr/lib" \
	$(env -u PKG_CONFIG_SYSROOT_DIR -u PKG_CONFIG_LIBDIR PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" \
		pkg-config --cflags --libs libmcroster-memcached)
readelf -d "$dir/greeting" | grep -q 'NEEDED.*libmcroster-memcached\.so\.0\]' || fail "not linked by its soname"
refused=$(LD_LIBRARY_PATH=$root/usr/lib "$dir/greeting" /mcroster.no-such-segment-here 2>&1 || true)
[ "$refused" = "greeting: there is no segment of that name" ] || fail "the adapter: $refused"
mine=$(nm -g --defined-only "$root/usr/lib/libmcroster-memcached.a" | awk 'NF == 3 { print $3 }' | grep -v '^mcr_' || true)
[ -z "$mine" ] || fail "the archive has names that are not its own: $mine"

sed "s|/usr/sbin|$root/usr/sbin|; s|file:/usr|file:$root/usr|" \
	"$root/usr/lib/systemd/system/mcrosterd.service" >"$dir/mcrosterd.service"
# That the page it names can be read is looked at too, where it was installed.
found=$(MANPATH=$root/usr/share/man systemd-analyze verify "$dir/mcrosterd.service" 2>&1) || fail "systemd-analyze: $found"
[ -z "$found" ] || fail "systemd-analyze: $found"
# In tenths: how much of the host is open to a service that has been taken over.
systemd-analyze security --offline=true --threshold=15 --no-pager "$dir/mcrosterd.service" >"$dir/exposure" ||
	fail "exposure above 1.5: $(tail -n 1 "$dir/exposure")"
tail -n 1 "$dir/exposure"
# What the work needs, and hardening must not take away.
for line in RemoveIPC=no PrivateUsers=no ProtectProc=default Type=notify WatchdogSec=30s User=mcroster Restart=on-failure; do
	grep -qx "$line" "$dir/mcrosterd.service" || fail "the unit does not say $line"
done
! grep -Eq '^(DynamicUser|PrivateIPC|PrivateNetwork)=' "$dir/mcrosterd.service" ||
	fail "the unit takes the segment or the network away"

# The proxy's module and what is beside it, as Lua finds them.
loads() { # LIBDIR SHAREDIR
	env ${san:+"LD_PRELOAD=$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0} \
		"LUA_CPATH=$1/lua/5.4/?.so" "LUA_PATH=$2/lua/5.4/?.lua" lua5.4 -e '
		mcp = setmetatable({ add_stat = function() end }, { __index = function(_, name) return name end })
		print(require "mcroster".pools(nil).why)'
}
why='pools wants a table of options, as { cluster = "web" }'
[ "$(loads "$root/usr/lib" "$root/usr/share")" = "$why" ] || fail "the proxy's module does not load"

make_it deb >"$dir/packages"
[ "$(wc -l <"$dir/packages")" = 8 ] || fail "not eight packages: $(cat "$dir/packages")"
while IFS= read -r package; do
	dpkg-deb -x "$package" "$dir/deb"
	dpkg-deb -f "$package" Depends >>"$dir/depends"
done <"$dir/packages"
for file in sbin/mcrosterd bin/mcadmin include/mcroster.h; do
	[ -s "$dir/deb/usr/$file" ] || fail "in no package: /usr/$file"
done
"$dir/deb/usr/sbin/mcrosterd" --version >/dev/null
[ "$(loads "$(dirname "$dir"/deb/usr/lib/*/lua)" "$dir/deb/usr/share")" = "$why" ] || fail "lua-mcroster does not load"
for library in libsodium23 libconfuse2 libcurl4; do
	grep -q "$library (>= " "$dir/depends" || fail "no package depends on $library"
done
dpkg-deb --ctrl-tarfile "$(grep mcroster-agent "$dir/packages")" | tar -xO ./conffiles |
	grep -qx /etc/mcroster/agent.conf.sample || fail "the agent's package has no conffile"
for library in libmcroster libmcroster-memcached; do
	dpkg-deb --ctrl-tarfile "$(grep "/${library}0_" "$dir/packages")" | tar -xO ./symbols |
		grep -qx "$library.so.0 ${library}0 #MINVER#" || fail "the package of $library does not say what it shows"
done

make_it uninstall
left=$(find "$root" ! -type d)
[ -z "$left" ] || fail "left by make uninstall: $left"
echo "ok"
