//! Access to binfmt_misc, or words for why there is none.

use crate::binfmt_misc::BinfmtMisc;
use crate::errno::Errno;
use crate::host::Host;
use crate::kernel::NAMESPACED;
use crate::message::Say;
use crate::report::Report;
use crate::rootless;
use crate::text::BLANK;

/// Opens binfmt_misc to change it, or says why that cannot be.
pub fn open(host: &Host, report: &mut Report) -> BinfmtMisc {
    let fs = match host.first {
        true => BinfmtMisc::open(host.dir, true, true),
        false => rootless::open(host, report),
    };
    if let Some(error) = fs.failed() {
        let line = match error {
            Errno::PERM if !host.first && host.version < NAMESPACED => Say::NoNamespaces,
            Errno::PERM if !host.first => Say::NotPermittedHere,
            Errno::PERM | Errno::ACCESS => Say::NotPermitted,
            Errno::NODEV => Say::NoModule,
            Errno::NOENT | Errno::NOTDIR => Say::NoPlace,
            _ => Say::Unreachable,
        };
        report.say(line, BLANK, error.into());
    }
    fs
}
