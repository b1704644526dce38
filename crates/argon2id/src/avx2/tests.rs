use super::*;

#[test]
fn what_does_not_fit_is_refused_and_harms_nothing() {
    let mut memory = Memory::map(Avx2::detect().unwrap(), 64).unwrap();
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
