use super::*;

fn memory(kib: u32) -> Memory {
    Memory::map(Avx2::detect().unwrap(), kib).unwrap()
}

/// Section 5.3.
#[test]
fn the_vector_of_rfc_9106() {
    let parameters = Parameters { memory_kib: 32, passes: 3, lanes: 4 };
    let input = Input { password: &[1; 32], salt: &[2; 16], secret: &[3; 8], associated_data: &[4; 12] };
    let mut tag = [0; 32];
    memory(32).hash(parameters, input, &mut tag).unwrap();
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
        0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
    ];
    assert_eq!(tag, expected);
}

#[test]
fn what_does_not_fit_is_refused_and_harms_nothing() {
    let mut memory = memory(64);
    let input = Input::new(b"password", b"somesalt");
    let mut hash = |memory_kib| {
        let mut tag = [0; 32];
        memory.hash(Parameters { memory_kib, passes: 1, lanes: 1 }, input, &mut tag).map(|()| tag)
    };
    let before = hash(64).unwrap();
    assert!(matches!(hash(68), Err(Error::Small { needed: 68, mapped: 64 })));
    assert_ne!(hash(67).unwrap(), before, "four equal parts of 67 are 64, but the number is hashed too");
    assert_eq!(hash(64).unwrap(), before);
}
