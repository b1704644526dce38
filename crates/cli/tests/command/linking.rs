//! How a release is linked (docs/decisions/0021 and 0025), shown by small programs, and what is not in it (0032).
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

use crate::place::Place;
use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "../../build/static_libc.rs"]
mod static_libc;

/// Without the list a linker takes its functions in the order of their names.
const ORDERED: &str = r#"
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

/// Looks for an account and a host as the driver of PostgreSQL does. Where nothing else is said Debian looks for accounts
/// in a library of systemd's too, and others for hosts.
const NAMES: &str = r#"
    use std::net::ToSocketAddrs;

    #[allow(dead_code)]
    #[path = C_LIBRARY]
    mod c_library;

    unsafe extern "C" {
        fn getpwuid(id: u32) -> *const u8;
    }

    fn main() {
        c_library::load_no_library().unwrap();
        assert!(unsafe { getpwuid(4_242_424_242) }.is_null());
        assert!("localhost:1".to_socket_addrs().unwrap().all(|address| address.ip().is_loopback()));
        let caught = std::panic::catch_unwind(|| panic!("still caught"));
        assert!(caught.is_err());
        print!("{}", std::fs::read_to_string("/proc/self/maps").unwrap());
    }
"#;

/// The lines that a program writes.
fn run(source: &str, link_arguments: &[String]) -> String {
    let place = Place::empty();
    let (file, program) = (place.path("main.rs"), place.path("main"));
    fs::write(&file, source).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--allow", "non_snake_case"]);
    rustc.args(link_arguments.iter().map(|argument| format!("-Clink-arg={argument}")));
    assert!(rustc.arg("-o").arg(&program).arg(&file).status().unwrap().success());
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn listed_functions_come_first_and_constants_are_not_executable() {
    run(ORDERED, &[format!("-T{}/functions.ld", env!("CARGO_MANIFEST_DIR"))]);
}

#[test]
fn the_c_library_is_in_the_binary_and_loads_no_other() {
    let place = Place::empty();
    let arguments = static_libc::arguments(&place.path("")).unwrap();
    let c_library = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/c_library.rs");
    let source = NAMES.replace("C_LIBRARY", &format!("{:?}", c_library.display().to_string()));
    let maps = run(&source, &arguments);
    // Some systems have no archive of the C library to link with.
    let foreign = if arguments.is_empty() { "/libnss_" } else { ".so" };
    assert!(!maps.contains(foreign), "{maps}");
}

/// `jent_` begins the names of jitterentropy, which AWS-LC has a copy of.
#[test]
fn no_start_waits_for_the_jitter_of_a_clock() {
    let binary = fs::read(env!("CARGO_BIN_EXE_vestibule")).unwrap();
    let names = |prefix: &str| memchr::memmem::find(&binary, prefix.as_bytes()).is_some();
    assert!(names("aws_lc_"), "no names are found");
    assert!(!names("jent_"), "AWS-LC was built without AWS_LC_SYS_NO_JITTER_ENTROPY");
}
