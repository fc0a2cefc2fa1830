#!/bin/bash
# Module of dracut: puts binfmt_register, the interpreters that /etc/binfmt_register.conf asks for and the kernel's module
# into the initramfs. Whatever is wrong is said, and the initramfs is made without: no machine shall fail to boot.

conf=/etc/binfmt_register.conf

# dracut leaves /usr/local/bin out.
tool() { PATH=$PATH:/usr/local/bin type -P binfmt_register; }

# The paths of those that are registered at boot, one a line. In execution mode there are none: they are looked up on the
# real root.
interpreters() (
    set -a
    . $conf
    "$(tool)" --interpreters
)

# Called by dracut: whether the module is wanted.
check() {
    [[ -e $conf ]] || return 255 # only where it is asked for by name
    if [[ -z $(ARCHES= && . $conf && echo "$ARCHES") ]]; then
        dwarn "binfmt_register: ARCHES is blank in $conf, nothing is added; set it, for example ARCHES=arm64"
        return 1
    fi
    if ! tool >/dev/null; then
        dwarn "binfmt_register: no binfmt_register in $PATH:/usr/local/bin, nothing is added"
        return 1
    fi
}

# Called by dracut: the modules this one needs.
depends() {
    return 0
}

# Called by dracut: the kernel's modules. Not only what is loaded where the initramfs is made.
installkernel() {
    hostonly='' instmods binfmt_misc
}

# Called by dracut: the files.
install() {
    local interpreter
    while IFS= read -r interpreter; do
        inst_binary "$interpreter"
    done < <(interpreters)
    inst_binary "$(tool)" /usr/bin/binfmt_register
    inst_simple $conf
    # shellcheck disable=SC2154 # dracut sets it
    inst_hook pre-udev 10 "$moddir/register.sh"
}
