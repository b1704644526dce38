//! The order that the linker puts functions into (docs/decisions/0021).

use crate::place::Place;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Without the list a linker takes its functions in the order of their names.
const PROGRAM: &str = r#"
    #[unsafe(no_mangle)] #[inline(never)] extern "C" fn executed_by_nobody() {}
    #[unsafe(no_mangle)] #[inline(never)] extern "C" fn sqlite3VdbeExec() {}
    static CONSTANT: [u8; 4096] = [7; 4096];

    fn main() {
        let [listed, other] = [sqlite3VdbeExec as *const () as usize, executed_by_nobody as *const () as usize];
        assert!(listed < other, "{listed:x} is not before {other:x}");
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let constant = &raw const CONSTANT as usize;
        let holds = |line: &&str| {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [from, to] = [from, to].map(|end| usize::from_str_radix(end, 16).unwrap());
            (from..to).contains(&constant)
        };
        let map = maps.lines().find(holds).unwrap();
        assert!(map.contains(" r--p "), "{map}");
    }
"#;

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
fn listed_functions_come_first_and_constants_are_not_executable() {
    let place = Place::empty();
    let (source, program) = (place.path("main.rs"), place.path("main"));
    fs::write(&source, PROGRAM).unwrap();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("functions.ld");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--allow", "non_snake_case", "-C"]).arg(format!("link-arg=-T{}", list.display()));
    assert!(rustc.arg("-o").arg(&program).arg(&source).status().unwrap().success());
    assert!(Command::new(program).status().unwrap().success());
}
