//! The levels of x86-64 (x86-64 psABI, section 3.1.1), and programs that only a CPU of a level executes, real or emulated.

use super::{Architecture, Probe};

/// The instructions of each level from the second on, at least one of each of its features that changes what is executed.
/// Those that touch memory touch the stack, which starts at a multiple of 16 bytes.
pub static LEVELS: [&[u8]; 3] = [
    // popcnt eax, eax; pcmpgtq xmm0, xmm0; pshufb xmm0, xmm0; addsubpd xmm0, xmm0; ptest xmm0, xmm0; cmpxchg16b [rsp]
    b"\xf3\x0f\xb8\xc0\x66\x0f\x38\x37\xc0\x66\x0f\x38\x00\xc0\x66\x0f\xd0\xc0\x66\x0f\x38\x17\xc0\x48\x0f\xc7\x0c\x24",
    // vpaddd ymm0, ymm0, ymm0; andn eax, eax, eax; shlx eax, eax, eax; vfmadd231ps xmm0, xmm0, xmm0;
    // vcvtph2ps xmm0, xmm0; movbe eax, [rsp]
    b"\xc5\xfd\xfe\xc0\xc4\xe2\x78\xf2\xc0\xc4\xe2\x79\xf7\xc0\xc4\xe2\x79\xb8\xc0\xc4\xe2\x79\x13\xc0\
      \x0f\x38\xf0\x04\x24",
    // vpaddd zmm0, zmm0, zmm0; vpaddb the same; vandps the same; vpconflictd zmm0, zmm0; vpaddd xmm16, xmm16, xmm16
    b"\x62\xf1\x7d\x48\xfe\xc0\x62\xf1\x7d\x48\xfc\xc0\x62\xf1\x7c\x48\x54\xc0\x62\xf2\x7d\x48\xc4\xc0\
      \x62\xa1\x7d\x00\xfe\xc0",
];

/// A program of `x86_64` that executes `instructions`, and exits with status 0 where the CPU has them.
pub fn level_probe(x86_64: &Architecture, instructions: &[u8]) -> Probe {
    x86_64.probe_after(instructions)
}
