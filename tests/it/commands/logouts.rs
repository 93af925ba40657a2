use super::Place;

#[test]
fn nobody_was_told_of_anything_yet() {
    let place = Place::with_anna();
    assert_eq!(place.json(&["logouts", "list"]), serde_json::json!([]));
    let table = place.run(&["logouts", "list", "--failed", "--client", "shop", "--most", "5"]).succeeded();
    assert_eq!(table.split_whitespace().next(), Some("SIGNED"), "{table}");
    assert_eq!(table.lines().count(), 1, "{table}");
    for usage in [&["logouts"][..], &["logouts", "list", "--most", "0"], &["logouts", "show"]] {
        assert_eq!(place.run(usage).code, 2, "{usage:?}");
    }
}
