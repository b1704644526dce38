use crate::place::Place;
use serde_json::Value;

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "nine green lanterns";

fn members(user: &Value, names: [&str; 3]) -> [Value; 3] {
    names.map(|name| user[name].clone())
}

#[test]
fn a_user_is_created_listed_disabled_and_enabled() {
    let place = Place::migrated();
    let created =
        place.run(&["users", "create", ADA, "--name", "Ada", "--role", "support", "--json"]).succeeded().json();
    assert_eq!(members(&created[0], ["email", "name", "status"]), [ADA, "Ada", "active"]);
    assert_eq!(created[0]["roles"], serde_json::json!(["support"]));

    let disabled = place.run(&["users", "disable", ADA, "--json"]).succeeded().json();
    assert_eq!(disabled[0]["status"], "disabled");
    let listed = place.run(&["users", "list", "--status", "disabled", "--json"]).succeeded().json();
    assert_eq!(listed.len(), 1);
    assert_eq!(members(&listed[0], ["id", "email", "status"]), members(&disabled[0], ["id", "email", "status"]));
    assert_eq!(listed[0]["active_sessions"], 0);

    // By id as well as by address.
    let id = created[0]["id"].as_str().unwrap();
    assert_eq!(place.run(&["users", "enable", id, "--json"]).succeeded().json()[0]["status"], "active");
    assert!(place.run(&["users", "list", "--status", "disabled"]).succeeded().stdout.is_empty());
}

#[test]
fn lists_go_on_beyond_one_page_and_filter() {
    let place = Place::migrated();
    for n in 0..3 {
        place.run(&["users", "create", &format!("user{n}@example.com"), "--role", "support"]).succeeded();
    }
    place.run(&["users", "create", ADA]).succeeded();
    let count = |arguments: &[&str]| place.run(arguments).succeeded().stdout.lines().count();
    assert_eq!(count(&["users", "list"]), 4);
    assert_eq!(count(&["users", "list", "--role", "support"]), 3);
    assert_eq!(count(&["users", "list", "--search", "ADA@"]), 1);
}

#[test]
fn roles_are_replaced_and_the_last_administrator_stays_one() {
    let place = Place::migrated();
    place.run(&["users", "create", ADA, "--role", "admin"]).succeeded();
    place.run(&["users", "set-role", ADA]).failed_with(1, "the last administrator must stay one");
    place
        .run(&["users", "disable", ADA])
        .failed_with(1, "the last administrator must stay one")
        .failed_with(1, "make another one first, with `vestibule users set-role USER admin`");
    place.run(&["users", "create", "eve@example.com", "--role", "admin"]).succeeded();
    let changed = place.run(&["users", "set-role", ADA, "support", "user", "--json"]).succeeded().json();
    assert_eq!(changed[0]["roles"], serde_json::json!(["support", "user"]));
}

#[test]
fn passwords_come_from_standard_input_or_a_file_or_are_made() {
    let place = Place::migrated();
    let created = place.run_with_input(&["users", "create", ADA, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(!created.succeeded().stdout.contains("password"), "nobody needs to be told");
    let service = place.start(&["serve"]);
    let login = |password: &str| {
        service.post("/login", &serde_json::json!({ "email": ADA, "password": password }).to_string()).0
    };
    assert_eq!(login(PASSWORD), 200);

    let made = place.run(&["users", "set-password", ADA, "--json"]).succeeded().json();
    let made = made[0]["password"].as_str().unwrap();
    assert_eq!((login(PASSWORD), login(made)), (401, 200));

    let place = place.with("VESTIBULE_PASSWORD_FILE", "password");
    place.write("password", "eleven blue lanterns\n");
    place.run(&["users", "set-password", ADA]).succeeded();
    assert_eq!((login(made), login("eleven blue lanterns")), (401, 200));
}

#[test]
fn what_the_rules_forbid_fails_and_says_why() {
    let place = Place::migrated();
    let create = |address: &str, password: &str| {
        place.run_with_input(&["users", "create", address, "--password-stdin"], password)
    };
    create(ADA, "password").failed_with(1, "the password must have");
    create(ADA, "").failed_with(1, "the password must not be empty");
    create(ADA, PASSWORD).succeeded();
    create("ADA@EXAMPLE.COM", PASSWORD).failed_with(1, "the address belongs to another account");
    create("nobody", PASSWORD).failed_with(2, "must be an address like name@example.com");
    place
        .run(&["users", "create", "bob@example.com", "--role", "boss"])
        .failed_with(1, "there is no role boss; there are: admin, support, user");
}

#[test]
fn whom_a_command_is_about_is_an_id_or_an_address_and_both_are_said() {
    let place = Place::migrated();
    for command in ["disable", "enable", "unlock", "set-role", "set-password"] {
        let malformed = "must be an id, as in `vestibule users list`, or an address like name@example.com";
        place.run(&["users", command, "zzz"]).failed_with(2, malformed);
        for nobody in ["bob@example.com", "0197f0a0-0000-7000-8000-000000000000"] {
            place
                .run(&["users", command, nobody])
                .failed_with(1, &format!("there is no user {nobody}\n  `vestibule users list` shows them all"));
        }
    }
}

#[test]
fn a_password_file_that_cannot_be_read_is_named() {
    let place = Place::migrated().with("VESTIBULE_PASSWORD_FILE", "password");
    place.run(&["users", "create", ADA]).failed_with(1, "VESTIBULE_PASSWORD_FILE: password: No such file");
    std::fs::write(place.path("password"), [0xff]).unwrap();
    place.run(&["users", "create", ADA]).failed_with(1, "VESTIBULE_PASSWORD_FILE: password: stream did not contain");
}

#[test]
fn a_password_cannot_be_given_where_everybody_can_read_it() {
    let place = Place::empty();
    place.run(&["users", "create", ADA, "--password", PASSWORD]).failed_with(2, "unexpected argument");
}

#[test]
fn without_the_schema_commands_say_what_to_run() {
    let place = Place::empty();
    for command in [["users", "list"].as_slice(), &["keys", "list"], &["backup", "copy.db"], &["migrate", "--check"]] {
        let said = place.run(command).failed_with(1, "make it with `vestibule migrate`, or run this where it is");
        assert!(said.stderr.contains("var/vestibule.db (store.url)"), "{said:?}");
    }
    assert!(!place.path("var").exists(), "nothing is made");
    std::fs::create_dir(place.path("var")).unwrap();
    place.write("var/vestibule.db", "");
    place.run(&["users", "list"]).failed_with(1, "apply with `vestibule migrate`");
}
