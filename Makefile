# sengen: build, try, check, install. `make demo` and `make check` are all a fresh Debian machine needs.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
BUILD    ?= build
SANITIZE ?=

CC       ?= cc
CFLAGS   ?= -O2 -g
PKGS     := libpcre2-8 libcurl gnutls libzip expat gmime-3.0 sqlite3 libconfig libcrypto jansson libidn2 zlib
PKG_CONFIG ?= pkg-config
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lunistring -letpan

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wnull-dereference -Wdouble-promotion -Werror
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DSENGEN_VERSION='"$(VERSION)"' -I. -I$(BUILD) $(WARN) -fstack-protector-strong \
	-D_FORTIFY_SOURCE=2 -fno-strict-aliasing -fPIE $(PKG_CFLAGS) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

LIB_SRC    := $(sort $(wildcard lib/*.c lib/*/*.c))
DAEMON_SRC := $(sort $(wildcard daemon/*.c))
CTL_SRC    := $(sort $(filter-out ctl/inspect.c,$(wildcard ctl/*.c)))
# sengenctl with its command inspect: see ctl/inspect_start.c.
INSPECT_SRC := $(filter-out ctl/inspect_start.c,$(CTL_SRC)) ctl/inspect.c
PDF_SRC    := $(sort $(wildcard pdf/*.c))
TEST_SRC   := $(sort $(wildcard tests/unit/test_*.c))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(TEST_SRC))

.PHONY: all
all: programs

# ---- the two commands of a fresh machine ----

.PHONY: demo check deps deps-check
deps:
	@tools/install-deps
deps-check:
	@tools/install-deps check
demo: deps
	@$(MAKE) --no-print-directory -s programs
	@SENGEN_BUILD=$(BUILD) demo/run
check: deps-check
	@$(MAKE) --no-print-directory -s programs $(BUILD)/tests/all hdr-check
	@SENGEN_BUILD=$(BUILD) tests/run
# Unit tests alone: what the sanitizer build runs.
.PHONY: check-unit
check-unit: deps-check
	@$(MAKE) --no-print-directory -s programs $(BUILD)/tests/all
	@SENGEN_BUILD=$(BUILD) tests/run unit

# ---- building ----

.PHONY: programs
programs: $(BUILD)/sengend $(BUILD)/sengen-reader $(BUILD)/sengen-line $(BUILD)/sengenctl $(BUILD)/sengen-inspect $(BUILD)/sengen-pdf $(BUILD)/locale/ja/LC_MESSAGES/sengen.mo events $(BUILD)/completion/sengenctl

$(BUILD)/locale/%/LC_MESSAGES/sengen.mo: po/%.po
	@mkdir -p $(@D)
	@msgfmt --check-format -o $@ $<

$(BUILD)/completion/sengenctl: $(BUILD)/sengenctl
	@mkdir -p $(@D)
	@$< completion bash >$@.new && mv $@.new $@

# The journal's catalogue in both languages and the manual page of the events, from one table.
.PHONY: events
events: $(BUILD)/sengen.catalog $(BUILD)/sengen.ja.catalog $(BUILD)/man/sengen-events.7
$(BUILD)/tools/catalog: $(BUILD)/tools/catalog.o $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/sengen.catalog: $(BUILD)/tools/catalog
	@$< en >$@.new && mv $@.new $@
$(BUILD)/sengen.ja.catalog: $(BUILD)/tools/catalog
	@$< ja >$@.new && mv $@.new $@
$(BUILD)/man/sengen-events.7: man/sengen-events.7.in $(BUILD)/tools/catalog
	@mkdir -p $(@D)
	@$(BUILD)/tools/catalog man >$@.list
	@sed -e '/^@EVENTS@$$/r $@.list' -e '/^@EVENTS@$$/d' $< >$@.new && mv $@.new $@

# Data files that are built in: config/x.conf becomes the array embedded_x, lib/desk/x.css likewise.
EMBED := $(filter-out config/sengend.conf,$(wildcard config/*.conf)) $(wildcard lib/desk/*.css lib/desk/*.js)
EMBED_OBJ := $(patsubst %,$(BUILD)/embed/%.o,$(basename $(notdir $(EMBED)))) $(BUILD)/embed/filters.o
vpath %.conf config
vpath %.css lib/desk
vpath %.js lib/desk
EMBED_C = @mkdir -p $(@D); { echo '\#include "lib/base/embed.h"'; echo 'const char embedded_$(subst -,_,$*)[] = {'; \
	od -An -v -tx1 $< | sed 's/ \(..\)/(char)0x\1,/g'; echo '0};'; } > $@
$(BUILD)/embed/%.c: %.conf
	$(EMBED_C)
$(BUILD)/embed/%.c: %.css
	$(EMBED_C)
$(BUILD)/embed/%.c: %.js
	$(EMBED_C)

# The filters of system calls: made here, not at each start.
$(BUILD)/tools/filters: $(BUILD)/tools/filters.o $(BUILD)/lib/base/confine_kinds.o
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lseccomp
$(BUILD)/embed/filters.c: $(BUILD)/tools/filters
	@mkdir -p $(@D)
	@$< >$@.new && mv $@.new $@

$(BUILD)/libsengen.a: $(call obj,$(LIB_SRC)) $(EMBED_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

# The daemon and the two programs its children are forked by: each loads what it uses and no more, since each has its own copy of what the loader writes.
DAEMON_MAIN := daemon/main.c daemon/reader_main.c daemon/line_main.c
$(BUILD)/sengend: $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a | $(BUILD)/sengen-reader $(BUILD)/sengen-line
$(BUILD)/sengen-reader: $(BUILD)/daemon/reader_main.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
$(BUILD)/sengen-line: $(BUILD)/daemon/line_main.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
$(BUILD)/sengend $(BUILD)/sengen-reader $(BUILD)/sengen-line:
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $^ $(PKG_LIBS)

$(BUILD)/sengenctl: $(call obj,$(CTL_SRC)) $(BUILD)/libsengen.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/sengen-inspect: $(call obj,$(INSPECT_SRC)) $(BUILD)/libsengen.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# Apart from the others, so that what draws is loaded by nobody else.
PDF_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags cairo-pdf pangocairo 2>/dev/null))
PDF_LIBS   := $(shell $(PKG_CONFIG) --libs cairo-pdf pangocairo 2>/dev/null)
$(call obj,$(PDF_SRC)): PKG_CFLAGS += $(PDF_CFLAGS)
$(BUILD)/sengen-pdf: $(call obj,$(PDF_SRC)) $(BUILD)/libsengen.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PDF_LIBS) -lunistring

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embed/%.o: $(BUILD)/embed/%.c
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A unit test may use the daemon's own parts: everything but main().
$(BUILD)/libdaemon.a: $(call obj,$(filter-out $(DAEMON_MAIN),$(DAEMON_SRC)))
	@rm -f $@
	@$(AR) rcs $@ $^

# What several tests share, such as a mail server that does what a script says.
$(BUILD)/libtests.a: $(call obj,$(sort $(wildcard tests/*.c)))
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libtests.a $(BUILD)/libdaemon.a $(BUILD)/libsengen.a | $(BUILD)/locale/ja/LC_MESSAGES/sengen.mo $(BUILD)/sengen-reader $(BUILD)/sengen-line
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lssl $(TEST_LIBS)
# What systemd reckons itself, beside ours.
$(BUILD)/tests/unit/test_host: private TEST_LIBS := -lsystemd

# A child that was taken over (tests/taken_over.h): only these programs have it.
TAKEN_OVER := -Wl,--wrap=form_read,--wrap=received_read,--wrap=transport_send,--wrap=mailbox_list,--wrap=mailbox_fetch
TAKEN := $(BUILD)/tests/sengen-reader $(BUILD)/tests/sengen-line
$(BUILD)/tests/sengen-%: $(BUILD)/daemon/%_main.o $(BUILD)/tests/taken_over.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(TAKEN_OVER) -o $@ $^ $(PKG_LIBS)
# A daemon finds what lies beside it: these two.
$(BUILD)/tests/sengend-taken: $(BUILD)/sengend $(TAKEN)
	@cp $< $@
$(BUILD)/tests/unit/test_taken_over: private LDFLAGS += $(TAKEN_OVER) -Wl,--wrap=program_find
$(BUILD)/tests/unit/test_taken_over: | $(TAKEN)

$(BUILD)/tests/unit/test_public_list $(BUILD)/tests/unit/test_desk_publish $(BUILD)/tests/unit/test_taken_over: | $(BUILD)/sengen-pdf

# Programs that test scripts talk to.
PEERS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/peers/*.c)))
$(BUILD)/tests/peers/%: $(BUILD)/tests/peers/%.o $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# The office under faults: the program's calls that change files, ask for time or chance, or wait are answered by tests/faults.
FAULTS := $(BUILD)/tests/faults/faults
FAULT_WRAP := open openat read write pwrite fsync fdatasync syncfs ftruncate mkdir mkdirat rename renameat renameat2 link linkat unlink unlinkat remove rmdir \
	mkostemp mkostemps fdopen fileno stat lstat fstat fstatat statvfs \
	time clock_gettime nanosleep RAND_bytes adjtimex getpid poll __poll_chk _exit child_confine wire_send \
	settings_load settings_free template_set_load template_set_unpack template_set_free notice_try fieldmap_load fieldmap_free
FAULT_OBJ := $(call obj,$(sort $(wildcard tests/faults/*.c)))
$(FAULTS): $(FAULT_OBJ) $(BUILD)/libdaemon.a $(BUILD)/libsengen.a | $(BUILD)/locale/ja/LC_MESSAGES/sengen.mo
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FAULT_WRAP:%=-Wl,--wrap=%) -o $@ $^ $(PKG_LIBS)
# The same with one piece made wrong: proof that the invariants notice.
BITES := $(patsubst tests/faults/bite/%.c,$(BUILD)/tests/faults/bite/%,$(sort $(wildcard tests/faults/bite/*.c)))
$(BUILD)/tests/faults/bite/%: $(BUILD)/tests/faults/bite/%.o $(FAULT_OBJ) $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FAULT_WRAP:%=-Wl,--wrap=%) -Wl,-z,muldefs -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/all: $(TESTS) $(PEERS) $(FAULTS) $(BITES) $(BUILD)/tests/sengend-taken
	@touch $@

# One unit test: make BUILD=… unit-text
.PHONY: unit unit-%
unit-%: $(BUILD)/tests/unit/test_%
	SENGEN_BUILD=$(BUILD) ./$<
unit: $(TESTS)
	@for t in $(TESTS); do echo "== $$t"; SENGEN_BUILD=$(BUILD) ./$$t || exit 1; done

# Figures, not checks: every row of bench/ beside its peers, some hours; bench/README.md. `bench/run ROW` for one of them.
BENCHES := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard bench/peers/*.c)))
.PHONY: bench bench-programs
bench: deps-check
	@tools/install-deps bench
	@SENGEN_BUILD=$(BUILD) bench/run
bench-programs: programs $(BENCHES) $(BUILD)/tests/peers/fill
# A peer loads what it uses and no more.
$(BUILD)/bench/peers/%: $(BUILD)/bench/peers/%.o $(BUILD)/libtests.a $(BUILD)/libdaemon.a $(BUILD)/libsengen.a
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $^ $(PKG_LIBS) -lssl

# Experiments with real faults, an hour or more, as root: kill -9, disks that fill, break and lose power, weeks of downtime, restored backups.
# SOAK=short: seconds each. SOAK_ONLY=word: only those.
.PHONY: soak
soak: deps-check
	@tools/install-deps soak
	@$(MAKE) --no-print-directory -s programs $(BUILD)/tests/faults/faults $(BUILD)/tests/soak/clock.so $(BUILD)/tests/soak/disk
	@SENGEN_BUILD=$(BUILD) tests/soak/run
$(BUILD)/tests/soak/clock.so: tests/soak/clock.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<
$(BUILD)/tests/soak/disk: tests/soak/disk.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags fuse3)) $(ALL_LDFLAGS) -o $@ $< -lfuse3

.PHONY: hdr-check
hdr-check:
	@for h in $$(find lib daemon ctl tests -name '*.h'); do echo "#include \"$$h\"" | $(CC) $(ALL_CFLAGS) -fsyntax-only -x c - || exit 1; done

# ---- installing ----

SBINDIR ?= $(PREFIX)/sbin
BINDIR  ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR  ?= $(DATADIR)/man
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
COMPLETIONDIR ?= $(DATADIR)/bash-completion/completions
DOCDIR ?= $(DATADIR)/doc/sengen

.PHONY: install
install: programs
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(SYSCONFDIR)/sengen $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR) $(DESTDIR)$(DATADIR)/sengen
	install -m 755 $(BUILD)/sengend $(DESTDIR)$(SBINDIR)/sengend
	install -m 755 $(BUILD)/sengenctl $(DESTDIR)$(BINDIR)/sengenctl
	install -D -m 755 $(BUILD)/sengen-pdf $(DESTDIR)$(PREFIX)/libexec/sengen/sengen-pdf
	install -D -m 755 $(BUILD)/sengen-inspect $(DESTDIR)$(PREFIX)/libexec/sengen/sengen-inspect
	install -D -m 755 $(BUILD)/sengen-reader $(DESTDIR)$(PREFIX)/libexec/sengen/sengen-reader
	install -D -m 755 $(BUILD)/sengen-line $(DESTDIR)$(PREFIX)/libexec/sengen/sengen-line
	for f in $$(cd config && find . -type f); do [ -e "$(DESTDIR)$(SYSCONFDIR)/sengen/$$f" ] || \
		install -D -m 644 "config/$$f" "$(DESTDIR)$(SYSCONFDIR)/sengen/$$f"; done
	for f in $$(find templates spool -type f); do install -D -m 644 "$$f" "$(DESTDIR)$(DATADIR)/sengen/$$f"; done
	install -m 644 systemd/*.service systemd/*.timer systemd/*.target $(DESTDIR)$(UNITDIR)/
	sed -i 's|^ExecStart=/usr/sbin/|ExecStart=$(SBINDIR)/|; s|/usr/bin/sengenctl|$(BINDIR)/sengenctl|; s|/etc/sengen/|$(SYSCONFDIR)/sengen/|' $(DESTDIR)$(UNITDIR)/sengen-*.service
	install -m 644 systemd/sysusers.d/sengen.conf $(DESTDIR)$(SYSUSERSDIR)/sengen.conf
	install -m 644 systemd/tmpfiles.d/sengen.conf $(DESTDIR)$(TMPFILESDIR)/sengen.conf
	sed -i 's|/usr/share/sengen/|$(DATADIR)/sengen/|; s|/etc/sengen/|$(SYSCONFDIR)/sengen/|' $(DESTDIR)$(TMPFILESDIR)/sengen.conf
	install -d $(DESTDIR)$(CATALOGDIR) $(DESTDIR)$(COMPLETIONDIR)
	install -m 644 $(BUILD)/sengen.catalog $(BUILD)/sengen.ja.catalog $(DESTDIR)$(CATALOGDIR)/
	install -m 644 $(BUILD)/completion/sengenctl $(DESTDIR)$(COMPLETIONDIR)/sengenctl
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md README.ja.md SECURITY.md
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/man/img man/img/*.png
	for page in man/*.[1-8] $(BUILD)/man/*.[1-8]; do s=$${page##*.}; install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$$s/$${page##*/}; done
	for mo in $(BUILD)/locale/*/LC_MESSAGES/sengen.mo; do [ ! -f $$mo ] || install -D -m 644 $$mo \
		$(DESTDIR)$(DATADIR)/$${mo#$(BUILD)/}; done

# The Debian package, from a copy of this tree: $(BUILD)/deb/sengen_VERSION_ARCH.deb. Tests are those of `make check`.
DEB := $(BUILD)/deb
.PHONY: deb
deb:
	@tools/install-deps deb
	@rm -rf $(DEB) && mkdir -p $(DEB)/sengen-$(VERSION)
	@tar -c --exclude-vcs --exclude=./build* --exclude=./demo-out . | tar -x -C $(DEB)/sengen-$(VERSION)
	cd $(DEB)/sengen-$(VERSION) && DEB_BUILD_OPTIONS="nocheck parallel=$$(nproc)" DEB_BUILD_PROFILES=nocheck \
		dpkg-buildpackage --unsigned-source --unsigned-changes --build=any
	@rm -rf $(DEB)/sengen-$(VERSION)
	@ls -l $(DEB)/*.deb

# For editors and linters.
compile_commands.json: Makefile
	@{ echo '['; sep=; for c in $(LIB_SRC) $(DAEMON_SRC) $(CTL_SRC) ctl/inspect.c $(TEST_SRC); do \
		printf '%s{"directory":"%s","file":"%s","command":"%s"}' "$$sep" "$(CURDIR)" $$c \
		'$(subst ",\\\",$(CC) $(subst ',,$(ALL_CFLAGS))) -c '$$c; sep=','; done; echo ']'; } > $@

# gcc's own analysis. It loses what strlist_addn() puts into an array that may have moved.
ANALYZED := $(patsubst %.c,$(BUILD)/analyzed/%,$(LIB_SRC) $(DAEMON_SRC) $(CTL_SRC) ctl/inspect.c $(PDF_SRC))
.PHONY: analyze
analyze: $(ANALYZED)
$(BUILD)/analyzed/lib/base/str: ANALYZE = -Wno-analyzer-malloc-leak
$(BUILD)/analyzed/pdf/%: PKG_CFLAGS += $(PDF_CFLAGS)
$(BUILD)/analyzed/%: %.c
	@mkdir -p $(@D)
	@echo ANALYZE $<
	@$(CC) $(ALL_CFLAGS) -O1 -fanalyzer -Wno-format-truncation $(ANALYZE) -c -o /dev/null $<
	@touch $@

.PHONY: lint format format-check
lint: compile_commands.json
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -D_GNU_SOURCE '-Ddie(...)=abort()' '-Djson_object_foreach(o,k,v)=while(next(o,&k,&v))' \
		'-Djson_array_foreach(a,i,v)=while(next(a,&i,&v))' -I. lib daemon ctl pdf
	@echo '$(LIB_SRC) $(DAEMON_SRC) $(CTL_SRC) ctl/inspect.c' | tr ' ' '\n' | xargs -P 2 -n 4 clang-tidy --quiet -p . 
format:
	clang-format -i $$(find lib daemon ctl pdf tests bench -name '*.[ch]')
format-check:
	@clang-format --dry-run -Werror $$(find lib daemon ctl pdf tests bench -name '*.[ch]')

# Each reader of outside bytes under libFuzzer: tests/fuzz/fuzz_x.c with its seeds in tests/fuzz/corpus/x, its words in tests/fuzz/x.dict.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
# The short run is the same on every machine: fixed seed, fixed number of inputs. FUZZ_RUNS=-1 goes on until it is stopped.
FUZZ_RUNS ?= 6000
FUZZ_SEED ?= 1
.PHONY: fuzz fuzz-short fuzz-build
FUZZ := $(BUILD)-fuzz
FUZZ_FLAGS = -std=c17 -D_GNU_SOURCE -DSENGEN_VERSION='"$(VERSION)"' -I. -g -O1 -fno-sanitize-recover=all $(PKG_CFLAGS)
$(FUZZ)/obj/%.o: %.c
	@mkdir -p $(@D)
	@clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<
$(FUZZ)/libsengen.a: $(patsubst %.c,$(FUZZ)/obj/%.o,$(LIB_SRC)) $(EMBED_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
$(FUZZ)/libdaemon.a: $(patsubst %.c,$(FUZZ)/obj/%.o,$(filter-out $(DAEMON_MAIN),$(DAEMON_SRC)))
	@rm -f $@
	@$(AR) rcs $@ $^
$(FUZZ)/fuzz_%: $(FUZZ)/obj/tests/fuzz/fuzz_%.o $(FUZZ)/obj/tests/fuzz/fuzz.o $(FUZZ)/libdaemon.a $(FUZZ)/libsengen.a
	@clang $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS)
fuzz-build: $(FUZZERS:%=$(FUZZ)/%)
# Where an input costs milliseconds there are fewer of them.
FUZZ_SLOW := fuzz_control fuzz_form fuzz_registry fuzz_request fuzz_result
fuzz-short: fuzz-build
	@for f in $(FUZZERS); do mkdir -p $(FUZZ)/work/$$f; echo "fuzz $$f"; runs=$(FUZZ_RUNS); name=$${f#fuzz_}; \
		case " $(FUZZ_SLOW) $$runs" in *" $$f "*-*) ;; *" $$f "*) runs=$$((runs / 5));; esac; \
		$(FUZZ)/$$f -runs=$$runs -seed=$(FUZZ_SEED) -rss_limit_mb=2048 -timeout=30 -verbosity=0 -artifact_prefix=$(FUZZ)/ \
		$$(ls tests/fuzz/$$name.dict 2>/dev/null | sed 's/^/-dict=/') $(FUZZ)/work/$$f $$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) || exit 1; done
# The same targets under AFL++, those that read what strangers send most: FUZZ_MINUTES for each.
FUZZ_AFL ?= message docx bounce
AFL := $(BUILD)-afl
.PHONY: fuzz-afl fuzz-afl-build
$(AFL)/obj/%.o: %.c
	@mkdir -p $(@D)
	@AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1 afl-clang-fast $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
$(AFL)/libsengen.a: $(patsubst %.c,$(AFL)/obj/%.o,$(LIB_SRC)) $(EMBED_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
$(AFL)/fuzz_%: $(AFL)/obj/tests/fuzz/fuzz_%.o $(AFL)/obj/tests/fuzz/fuzz.o $(AFL)/libsengen.a
	@AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1 afl-clang-fast $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)
fuzz-afl-build: $(FUZZ_AFL:%=$(AFL)/fuzz_%)
fuzz-afl: deps-check
	@tools/install-deps fuzz-afl
	@$(MAKE) --no-print-directory -s fuzz-afl-build
	@tests/fuzz/afl $(AFL) $(FUZZ_AFL)
# Hours: each target until 20 minutes bring no new edge (FUZZ_QUIET), then the corpus is merged into tests/fuzz/corpus.
fuzz: fuzz-build
	tests/fuzz/long $(FUZZ) $(FUZZ_TARGETS)

# How much of lib/ the unit tests run through: lines and branches, a table by file in $(BUILD)-coverage/coverage.txt.
.PHONY: coverage
coverage: deps-check
	@tools/install-deps coverage
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-coverage CFLAGS='-O0 -g --coverage -fprofile-update=atomic -Wno-error' programs $(BUILD)-coverage/tests/all
	@tests/coverage $(BUILD)-coverage

# The unit tests under valgrind: an hour. MEMCHECK names some of them.
.PHONY: memcheck
memcheck: deps-check
	@tools/install-deps memcheck
	@$(MAKE) --no-print-directory -s programs $(BUILD)/tests/all
	@tests/memcheck $(BUILD) $(MEMCHECK)

# Would the tests notice a wrong? tests/mutants/run: MUTANTS wrongs drawn by MUTANTS_SEED.
MUTANTS ?= 100
MUTANTS_SEED ?= 1
.PHONY: mutants
mutants: deps-check
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-mutants CFLAGS='-O1 -fPIC -Wno-error' programs mutants-ready
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)-mutants CFLAGS='-O1 -fPIC -Wno-error' mutants-run
.PHONY: mutants-ready mutants-run
MUTANTS_AT = $(BUILD)/mutants
.SECONDARY: $(call obj,$(TEST_SRC))
MUTATED := $(sort $(wildcard lib/flow/*.c lib/store/*.c))
mutants-ready: $(BUILD)/libsengen.so $(MUTANTS_AT)/counted/libsengen.so $(MUTANTS_AT)/mutate $(patsubst tests/unit/%.c,$(MUTANTS_AT)/bin/%,$(TEST_SRC))
mutants-run:
	@echo '$(abspath $(call obj,$(LIB_SRC)) $(EMBED_OBJ))' >$(MUTANTS_AT)/objects
	@SENGEN_BUILD=$(BUILD) COMPILE='$(subst ','"'"',$(CC) $(ALL_CFLAGS))' LINK='$(CC) -shared -Wl,-soname,libsengen.so' LIBS='$(PKG_LIBS)' \
		tests/mutants/run $(MUTANTS) $(MUTANTS_SEED) $(MUTANTS_FILES)
$(BUILD)/libsengen.so: $(call obj,$(LIB_SRC)) $(EMBED_OBJ)
	@$(CC) -shared -Wl,-soname,libsengen.so -o $@ $^ $(PKG_LIBS)
$(MUTANTS_AT)/counted/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -O0 --coverage -fprofile-update=atomic -c -o $(abspath $@) $<
$(MUTANTS_AT)/counted/libsengen.so: $(MUTATED:%.c=$(MUTANTS_AT)/counted/%.o) $(call obj,$(filter-out $(MUTATED),$(LIB_SRC))) $(EMBED_OBJ)
	@$(CC) -shared -Wl,-soname,libsengen.so --coverage -o $@ $^ $(PKG_LIBS)
$(MUTANTS_AT)/mutate: $(BUILD)/tests/mutants/mutate.o $(BUILD)/libsengen.a
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(MUTANTS_AT)/bin/%: $(BUILD)/tests/unit/%.o $(BUILD)/libtests.a $(BUILD)/libdaemon.a $(BUILD)/libsengen.so
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lssl

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) $(FUZZ) $(AFL) -name '*.d' 2>/dev/null)
