//! The simulation itself: what it says can be believed, repeated, and replayed.

use sandbox::simulation::{History, Options, replay, simulate};

fn by_chance(histories: u64, seed: u64) -> String {
    simulate(&Options {
        histories,
        seed,
        rest_from_one_in: 1,
        exhaustive: false,
        threads: 2,
        keep_going: false,
        kind: None,
    })
    .text
}

#[test]
fn every_promise_holds_in_some_histories_by_chance() {
    let text = by_chance(40, 1);
    assert!(!text.contains("BROKEN"), "{text}");
    assert!(text.contains("40 histories by chance, of seed 1"), "{text}");
    assert!(
        text.contains("Never reached"),
        "so few histories cannot have reached everything: {text}"
    );
}

#[test]
fn one_seed_gives_the_same_histories_in_any_number_of_threads() {
    let counted = |seed, threads| {
        let options = Options {
            histories: 6,
            seed,
            rest_from_one_in: 4,
            exhaustive: false,
            threads,
            keep_going: false,
            kind: None,
        };
        // Before the first line with a time in it.
        simulate(&options)
            .text
            .split("by chance")
            .next()
            .map(str::to_owned)
    };
    assert_eq!(counted(5, 1), counted(5, 3));
    assert_ne!(counted(5, 1), counted(6, 1));
}

#[test]
fn a_history_is_told_call_by_call() {
    let history: History = "0 begin:0:0 invoke:0:0 run:0:0 invoke:0:1 go:0:0 go:0:0 go:0:0 go:0:0 \
                            go:0:0:page-missing"
        .parse()
        .unwrap();
    let told = replay(&history);
    assert!(told.good, "{}", told.text);
    let lines: Vec<&str> = told.text.lines().collect();
    assert!(lines[2].ends_with("-> createSecret Issued"), "{}", told.text);
    assert!(
        lines[8].contains("go:0:0:page-missing  setSecret: List 53888000"),
        "{}",
        told.text
    );
    assert!(told.text.contains("Every promise holds."), "{}", told.text);
}

/// CONVERGES: the account is full of keys that people made, and it is not the one that the secret stood for
/// first.
#[test]
fn an_account_that_is_full_needs_a_person_whichever_it_is() {
    let history: History = "14715401898561976143 put:0:98 begin:0:0 invoke:0:0 enemy:3:106 run:1:0 put:1:370"
        .parse()
        .unwrap();
    let told = replay(&history);
    assert!(told.good, "{}", told.text);
}

/// The first look of an order proves the leaked key dead; a later one does not show that any more.
#[test]
fn a_key_that_an_order_proved_dead_stays_so_in_its_answer() {
    let history: History = "4338145210325279707 begin:0:0 due:0:0 invoke:0:0 break-glass:3:283 \
                            go:1:2:denied go:1:0 put:3:252 go:1:0 go:1:0 run:1:0"
        .parse()
        .unwrap();
    let told = replay(&history);
    assert!(told.good, "{}", told.text);
}
