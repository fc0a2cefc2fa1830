//! The headers of interpreters, against the crate `object` and the rules of the kernel's `load_elf_binary()`.
//!
//! The input is the start of a file. Files of several sizes start so.
#![no_main]

use binfmt_register::architecture::HOST;
use binfmt_register::machine::{Defect, judge};
use libfuzzer_sys::fuzz_target;
use object::elf;
use object::endian::NativeEndian;
use object::read::ReadRef;
use object::read::elf::{FileHeader, ProgramHeader};

/// As much of a file as the tool reads.
const LONGEST_START: usize = 1024;

// The hosts of cargo-fuzz have 64 bits.
type Header = elf::FileHeader64<NativeEndian>;
type Segment = elf::ProgramHeader64<NativeEndian>;

fuzz_target!(|input: &[u8]| {
    // As long as it is; without an end, as a device; and so that the last segment just fits, or just does not.
    let end = last_end(input);
    for size in [input.len() as u64, u64::MAX, end, end.saturating_sub(1)] {
        let mut start = input.to_vec();
        start.resize(LONGEST_START.min(usize::try_from(size).unwrap_or(usize::MAX)), 0);
        for must_be_static in [false, true] {
            let defects = defects(&start, size, must_be_static);
            // What is not in the start reads as zeros, up to the end.
            let read = |buffer: &mut [u8], offset: u64| {
                let rest = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
                buffer.fill(0);
                Some(buffer.len().min(rest))
            };
            match judge(&start, size, must_be_static, &read) {
                Ok(()) => assert_eq!(defects, [], "of {size} bytes"),
                Err(defect) => assert!(defects.contains(&defect), "{defect:?} is none of {defects:?}, of {size} bytes"),
            }
        }
    }
});

/// All that is wrong with a file. Any of it may be said.
fn defects(start: &[u8], size: u64, must_be_static: bool) -> Vec<Defect> {
    if start.get(..4) != Some(&elf::ELFMAG) {
        return vec![Defect::NotElf];
    }
    let Ok(header) = start.read_at::<Header>(0) else { return vec![Defect::Truncated] };
    let mut defects = Vec::new();
    let byte_order = if cfg!(target_endian = "little") { elf::ELFDATA2LSB } else { elf::ELFDATA2MSB };
    let is_program = matches!(header.e_type(NativeEndian), elf::ET_EXEC | elf::ET_DYN)
        && header.e_machine(NativeEndian) == HOST.machine; // elf_check_arch()
    if !header.is_supported() || header.e_ident.data != byte_order || !is_program {
        defects.push(Defect::OtherMachine);
    }
    // load_elf_phdrs()
    let count = u64::from(header.e_phnum(NativeEndian));
    let length = size_of::<Segment>() as u64;
    if u64::from(header.e_phentsize(NativeEndian)) != length || count * length > 65536 {
        defects.push(Defect::Malformed);
    }
    let segments = segments(start, header);
    let are_all = header.e_phoff(NativeEndian).saturating_add(count * length) <= size;
    let is = |kind| move |segment: &&Segment| segment.p_type(NativeEndian) == kind;
    let loaded = segments.iter().filter(is(elf::PT_LOAD));
    if !are_all || loaded.clone().count() == 0 || loaded.clone().any(|segment| end(segment) > size) {
        defects.push(Defect::Truncated);
    }
    if must_be_static && segments.iter().any(|segment| is(elf::PT_INTERP)(&segment)) {
        defects.push(Defect::DynamicallyLinked);
    }
    defects
}

/// The program headers, as far as they are in the start of the file. The others are zeros.
fn segments<'a>(start: &'a [u8], header: &Header) -> &'a [Segment] {
    let count = usize::from(header.e_phnum(NativeEndian));
    let read = |count| start.read_slice_at(header.e_phoff(NativeEndian), count).ok();
    let most = LONGEST_START / size_of::<Segment>();
    (0..=count.min(most)).rev().find_map(read).unwrap_or_default()
}

/// Where a segment ends in the file.
fn end(segment: &Segment) -> u64 {
    segment.p_offset(NativeEndian).saturating_add(segment.p_filesz(NativeEndian))
}

/// Where the last segment that is loaded ends in the file; 0 if there is none.
fn last_end(start: &[u8]) -> u64 {
    let Ok(header) = start.read_at::<Header>(0) else { return 0 };
    let loaded = segments(start, header).iter().filter(|segment| segment.p_type(NativeEndian) == elf::PT_LOAD);
    loaded.map(end).max().unwrap_or_default()
}
