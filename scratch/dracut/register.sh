#!/bin/sh
# Hook of the initramfs (pre-udev): registers what the module has put in. In a process of its own, as dracut sources this.
(
    set -a
    . /etc/binfmt_register.conf
    exec /usr/bin/binfmt_register
)
