//! What `--explain` reads in a file: its header and program headers, against the crate `object`; the first line of a script,
//! against the kernel's `load_script()`; its property notes, against those of `object`.
//!
//! The input is the start of a file, and is read as notes, too.
#![no_main]

use binfmt_register::architecture::{ByteOrder, Class, ElfHeader, script_interpreter};
use binfmt_register::machine::{Defect, Segments};
use libfuzzer_sys::fuzz_target;
use object::elf::{self, FileHeader32, FileHeader64};
use object::endian::{Endian, Endianness};
use object::read::ReadRef;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

fuzz_target!(|input: &[u8]| {
    assert_eq!(script_interpreter(input), script(input));
    match ElfHeader::parse(input) {
        None => {
            let is_header = read::<FileHeader32<Endianness>>(input).is_some_and(|header| header.e_ident.class == 1)
                || read::<FileHeader64<Endianness>>(input).is_some_and(|header| header.e_ident.class == 2);
            assert!(!is_header);
        }
        Some(header) if header.class == Class::Elf32 => compare::<FileHeader32<Endianness>>(header, input),
        Some(header) => compare::<FileHeader64<Endianness>>(header, input),
    }
});

/// The header at the start, of one class or the other, if its magic and the order of its bytes are known.
fn read<Header: FileHeader<Endian = Endianness>>(input: &[u8]) -> Option<&Header> {
    let header: &Header = input.read_at(0).ok()?;
    let ident = header.e_ident();
    (ident.magic == elf::ELFMAG && (ident.data == 1 || ident.data == 2)).then_some(header)
}

fn compare<Header: FileHeader<Endian = Endianness, Word: From<u32>>>(header: ElfHeader, input: &[u8]) {
    let theirs = read::<Header>(input).expect("it is one");
    let order = if header.byte_order == ByteOrder::Little { Endianness::Little } else { Endianness::Big };
    assert_eq!(theirs.e_ident().data, header.byte_order as u8);
    assert_eq!((theirs.e_machine(order), theirs.e_flags(order)), (header.machine, header.flags));
    let offset: u64 = theirs.e_phoff(order).into();
    let (length, count) = (theirs.e_phentsize(order), theirs.e_phnum(order));
    assert_eq!(offset, header.program_headers_offset);
    assert_eq!((length, count), (header.program_header_length, header.program_headers));
    let is_program = matches!(theirs.e_type(order), elf::ET_EXEC | elf::ET_DYN) && theirs.e_ident().version == 1;
    assert_eq!(is_program, header.is_program);

    let size = input.len() as u64;
    let ours = Segments::read(&header, input, size, &|_, _| None);
    let longest = size_of::<Header::ProgramHeader>();
    if usize::from(length) != longest || usize::from(count) * longest > 65536 {
        assert_eq!(ours, Err(Defect::Malformed));
    } else if let Ok(segments) = input.read_slice_at::<Header::ProgramHeader>(offset, count.into()) {
        let place = |segment: &Header::ProgramHeader| -> (u64, u64) {
            (segment.p_offset(order).into(), segment.p_filesz(order).into())
        };
        let of = |kind| segments.iter().filter(move |segment| segment.p_type(order) == kind);
        let fits = |segment| {
            let (offset, length) = place(segment);
            offset.saturating_add(length) <= size
        };
        if of(elf::PT_LOAD).count() == 0 || !of(elf::PT_LOAD).all(fits) {
            assert_eq!(ours, Err(Defect::Truncated));
        } else {
            let ours = ours.expect("it is whole");
            let linker = of(elf::PT_INTERP).next().map(place);
            let properties = of(elf::PT_GNU_PROPERTY).last().map(place);
            assert_eq!(ours.linker.map(|segment| (segment.offset, segment.size)), linker);
            assert_eq!(ours.properties.map(|segment| (segment.offset, segment.size)), properties);
        }
    } else {
        assert_eq!(ours, Err(Defect::Truncated));
    }
    // Any bytes may be notes, such as those after the header.
    for notes in [input, input.get(64..).unwrap_or_default()] {
        if let Some(expected) = needed::<Header>(order, notes) {
            assert_eq!(header.needed_level(notes), expected);
        }
    }
}

/// The level that is needed; `None` where there is an error in the notes: of these it is enough that they are read.
fn needed<Header: FileHeader<Endian = Endianness, Word: From<u32>>>(order: Endianness, bytes: &[u8]) -> Option<u8> {
    let alignment = if size_of::<Header>() == 64 { 8 } else { 4 };
    let mut notes = NoteIterator::<Header>::new(order, alignment.into(), bytes).ok()?;
    // There is one, whose name is of four bytes with the one that ends it.
    let Some(note) = notes.next().ok()?.filter(|note| note.n_namesz(order) == 4) else { return Some(0) };
    let Some(mut properties) = note.gnu_properties(order) else { return Some(0) };
    while let Some(property) = properties.next().ok()? {
        if property.pr_type() == elf::GNU_PROPERTY_X86_ISA_1_NEEDED && property.pr_data().len() == 4 {
            let levels = order.read_u32(property.pr_data().try_into().expect("they are four"));
            return Some((1..=4).rev().find(|level| levels & (1 << (level - 1)) != 0).unwrap_or(0));
        }
    }
    Some(0)
}

/// `load_script()` of the kernel, in its words.
fn script(file: &[u8]) -> Option<&[u8]> {
    let mut buf = [0; 256];
    let length = file.len().min(256);
    buf[..length].copy_from_slice(&file[..length]);
    let spacetab = |c: u8| c == b' ' || c == b'\t';
    let next_non_spacetab = |first: usize, last: usize| (first..=last).find(|&at| !spacetab(buf[at]));
    let next_terminator = |first: usize, last: usize| (first..=last).find(|&at| spacetab(buf[at]) || buf[at] == 0);
    if buf[..2] != *b"#!" {
        return None;
    }
    let buf_end = 255;
    // strnchr() ends at a NUL byte.
    let newline = buf.iter().position(|&c| c == b'\n' || c == 0).filter(|&at| buf[at] == b'\n');
    let mut i_end = match newline {
        Some(at) => at,
        None => {
            let first = next_non_spacetab(2, buf_end)?;
            next_terminator(first, buf_end)?;
            buf_end
        }
    };
    while spacetab(buf[i_end - 1]) {
        i_end -= 1;
    }
    let at = |place: usize| if place == i_end { 0 } else { buf[place] };
    let i_name = (2..=i_end).find(|&place| !spacetab(at(place)))?;
    if i_name == i_end {
        return None;
    }
    let end = (i_name..=i_end).find(|&place| spacetab(at(place)) || at(place) == 0)?;
    Some(file.get(i_name..end).unwrap_or_default())
}
