# sengen: build, try, check, install. `make demo` and `make check` are all a fresh Debian machine needs.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
BUILD    ?= build
SANITIZE ?=

CC       ?= cc
CFLAGS   ?= -O2 -g
PKGS     := libcurl sqlite3 libconfig libcrypto jansson libidn2 libsystemd libseccomp zlib
PKG_CONFIG ?= pkg-config
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lunistring

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wnull-dereference -Wdouble-promotion -Werror
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DSENGEN_VERSION='"$(VERSION)"' -I. -I$(BUILD) $(WARN) -fstack-protector-strong \
	-D_FORTIFY_SOURCE=2 -fno-strict-aliasing -fPIE $(PKG_CFLAGS) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

LIB_SRC    := $(sort $(wildcard lib/*.c lib/*/*.c))
DAEMON_SRC := $(sort $(wildcard daemon/*.c))
CTL_SRC    := $(sort $(wildcard ctl/*.c))
TEST_SRC   := $(sort $(wildcard tests/unit/test_*.c))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(TEST_SRC))

.PHONY: all
all: $(BUILD)/sengend $(BUILD)/sengenctl

# Data files that are built in: config/x.conf becomes the array embedded_x.
EMBED := $(wildcard config/form-fields.conf config/wording.conf)
EMBED_OBJ := $(patsubst config/%.conf,$(BUILD)/embed/%.o,$(EMBED))
$(BUILD)/embed/%.c: config/%.conf
	@mkdir -p $(@D)
	@{ echo '#include "lib/base/embed.h"'; echo 'const char embedded_$(subst -,_,$*)[] = {'; od -An -v -tx1 $< | sed 's/ \(..\)/(char)0x\1,/g'; echo '0};'; } > $@

$(BUILD)/libsengen.a: $(call obj,$(LIB_SRC)) $(EMBED_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/sengend: $(call obj,$(DAEMON_SRC)) $(BUILD)/libsengen.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/sengenctl: $(call obj,$(CTL_SRC)) $(BUILD)/libsengen.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embed/%.o: $(BUILD)/embed/%.c
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A unit test may use the daemon's own parts: everything but its main().
$(BUILD)/libdaemon.a: $(call obj,$(filter-out daemon/main.c,$(DAEMON_SRC)))
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

# One unit test: make BUILD=… unit-text
.PHONY: unit unit-%
unit-%: $(BUILD)/tests/unit/test_%
	SENGEN_BUILD=$(BUILD) ./$<
unit: $(TESTS)
	@for t in $(TESTS); do echo "== $$t"; SENGEN_BUILD=$(BUILD) ./$$t || exit 1; done

.PHONY: hdr-check
hdr-check:
	@for h in $$(git ls-files '*.h'); do echo "#include \"$$h\"" | $(CC) $(ALL_CFLAGS) -fsyntax-only -x c - || exit 1; done

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
