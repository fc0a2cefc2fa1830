use super::*;
use crate::architecture::{ARCHITECTURES, LEVELS, level_probe};
use std::vec::Vec;

#[test]
fn each_probe_is_read_as_what_it_is() {
    for architecture in &ARCHITECTURES {
        let probe = architecture.probe();
        let header = ElfHeader::parse(&probe).unwrap();
        assert_eq!((header.class, header.byte_order), (architecture.class, architecture.byte_order));
        assert_eq!((header.machine, header.flags, header.is_program), (architecture.machine, architecture.flags, true));
        let is_of: Vec<_> = ARCHITECTURES.iter().filter(|other| header.is_of(other)).collect();
        assert_eq!(is_of, [architecture]);
        assert_eq!(header.program_headers, 1);
        let at = header.program_headers_offset as usize;
        let segment = header.program_header(&probe[at..]).unwrap();
        assert_eq!((segment.kind, segment.offset, segment.size), (PT_LOAD, 0, probe.len() as u64));
        for length in 0..usize::from(architecture.class.header_length()) {
            assert_eq!(ElfHeader::parse(&probe[..length]), None, "{length}");
        }
    }
}

#[test]
fn what_is_no_header() {
    for (at, byte) in [(0, 0), (4, 0), (4, 3), (5, 0), (5, 3)] {
        let mut probe = ARCHITECTURES[0].probe();
        probe[at] = byte;
        assert_eq!(ElfHeader::parse(&probe), None, "{at}");
    }
}

/// A note, and a property in it.
fn note(order: ByteOrder, name: &[u8; 4], kind: u32, properties: &[(u32, &[u8])], alignment: usize) -> Vec<u8> {
    let word = |value: u32| if order == ByteOrder::Little { value.to_le_bytes() } else { value.to_be_bytes() };
    let mut description = Vec::new();
    for (kind, data) in properties {
        description.extend([word(*kind), word(data.len() as u32)].concat());
        description.extend_from_slice(data);
        description.resize(description.len().next_multiple_of(alignment), 0);
    }
    [&word(4), &word(description.len() as u32), &word(kind), &name[..], &description].concat()
}

#[test]
fn what_a_program_needs() {
    let x86_64 = ElfHeader::parse(&Architecture::find(b"x86_64").unwrap().probe()).unwrap();
    let needs = |properties: &[(u32, &[u8])]| {
        let note = note(ByteOrder::Little, b"GNU\0", 5, properties, 8);
        x86_64.needed_level(&note)
    };
    let levels = |bits: u8| needs(&[(0xc000_8002, &[bits, 0, 0, 0])]);
    assert_eq!([levels(0), levels(1), levels(3), levels(7), levels(15), levels(8)], [0, 1, 2, 3, 4, 4]);
    // After another property.
    assert_eq!(needs(&[(0xc000_0002, &[3, 0, 0, 0]), (0xc000_8002, &[2, 0, 0, 0])]), 2);
    assert_eq!(needs(&[(0xc001_0002, &[15, 0, 0, 0])]), 0, "what is used is not what is needed");
    let property: (u32, &[u8]) = (0xc000_8002, &[4, 0, 0, 0]);
    for (name, kind, expected) in [(b"GNU\0", 5, 3), (b"GNU\0", 3, 0), (b"XYZ\0", 5, 0)] {
        let note = note(ByteOrder::Little, name, kind, &[property], 8);
        assert_eq!(x86_64.needed_level(&note), expected);
    }
    // In a file of 32 bits the parts are filled up to 4 bytes, and in one of the other byte order it reads otherwise.
    let i386 = ElfHeader::parse(&Architecture::find(b"i386").unwrap().probe()).unwrap();
    assert_eq!(i386.needed_level(&note(ByteOrder::Little, b"GNU\0", 5, &[(1, &[9]), property], 4)), 3);
    let big = ElfHeader { byte_order: ByteOrder::Big, ..x86_64 };
    assert_eq!(big.needed_level(&note(ByteOrder::Big, b"GNU\0", 5, &[(0xc000_8002, &[0, 0, 0, 4])], 8)), 3);
}

#[test]
fn notes_that_are_cut_off_or_have_no_end() {
    let x86_64 = ElfHeader::parse(&Architecture::find(b"x86_64").unwrap().probe()).unwrap();
    let whole = note(ByteOrder::Little, b"GNU\0", 5, &[(0xc000_8002, &[1, 0, 0, 0])], 8);
    for length in 0..whole.len() - 4 {
        assert_eq!(x86_64.needed_level(&whole[..length]), 0, "{length}");
    }
    for number in [0_u32, 1, u32::MAX, u32::MAX - 15] {
        for at in [0, 4, 20] {
            let mut note = whole.clone();
            note[at..at + 4].copy_from_slice(&number.to_le_bytes());
            let level = x86_64.needed_level(&note);
            assert!(level < 2, "{number} {at}");
        }
    }
}

#[test]
fn there_is_room_for_the_probes_of_levels() {
    let x86_64 = Architecture::find(b"x86_64").unwrap();
    for instructions in LEVELS {
        let probe = level_probe(x86_64, instructions);
        assert!(probe.ends_with(&[instructions, x86_64.exit_code].concat()));
    }
}
