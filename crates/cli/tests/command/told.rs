//! What the C library is told (`told.c`).
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::place::{Place, compile_for_preload};
use std::fs;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

fn place() -> Place {
    let place = Place::empty();
    let library = place.path("told.so");
    compile_for_preload("told.c", &library);
    let told = place.path("told");
    place.with("LD_PRELOAD", library.to_str().unwrap()).with("TOLD", told.to_str().unwrap())
}

fn told(place: &Place) -> String {
    fs::read_to_string(place.path("told")).unwrap()
}

#[test]
fn every_command_looks_names_up_without_libraries_of_the_systems() {
    let place = place();
    place.run(&["--version"]).succeeded();
    let ways = "hosts files dns\npasswd files\ngroup files\nservices files\nprotocols files\n";
    assert_eq!(told(&place), ways);
}

#[test]
fn who_has_told_the_c_library_how_many_heaps_gets_them() {
    for (name, value) in [("MALLOC_ARENA_MAX", "3"), ("GLIBC_TUNABLES", "glibc.malloc.arena_max=3")] {
        let place = place().with(name, value);
        let mut service = place.start(&["serve", "--migrate"]);
        service.log_until("listening");
        service.end();
        assert!(!told(&place).contains("heaps"), "{name}: {}", told(&place));
    }
}

#[test]
fn a_service_has_as_many_heaps_as_cores_and_gives_back_what_its_start_has_left() {
    let place = place();
    let mut service = place.start(&["serve", "--migrate"]);
    service.log_until("listening");
    let cores = available_parallelism().unwrap();
    let (all, start) = (format!("\nheaps {cores}\ntrim all\n"), Instant::now());
    while !told(&place).ends_with(&all) {
        assert!(start.elapsed() < Duration::from_secs(10), "{}", told(&place));
    }
    service.end();
}
