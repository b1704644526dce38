#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = vestibule_fuzz::cursor::check(input);
});
