use super::Place;

/// The page that refuses names the run; the command tells it.
#[test]
fn the_id_on_an_error_page_leads_to_each_check_its_rule_and_its_remedy() {
    let place = Place::new();
    let create = [
        "clients",
        "create",
        "--name",
        "A",
        "--kind",
        "web",
        "--client-id",
        "shop",
        "--redirect-uri",
        "https://a.example.com/cb",
    ];
    place.run(&create).succeeded();
    let server = place.serve(&[]);
    let query = "client_id=shop&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fa.example.com%2Fcd";
    let page = server.get(&format!("/authorize?{query}"));
    // Events are written off the request's path; the end of the server waits for them.
    server.stop();

    let listed = place.json(&["trace", "--refused", "5"]);
    let id = listed[0]["trace_id"].as_str().unwrap();
    assert!(page.contains(id), "the page names {id}");
    let text = place.run(&["trace", id]).succeeded();
    for part in [
        "authorize  client shop\n",
        "  ✓ client\n",
        "  ✗ redirect_uri\n",
        "    expected  https://a.example.com/cb\n",
        "    received  https://a.example.com/cd (differs from https://a.example.com/cb at character 24: 'd' instead of 'b')\n",
        "    answered  invalid_request: redirect_uri is not one that the client registered\n",
        "    rule      RFC 9700 §2.1\n",
        "    remedy    register exactly the URI that the app sends",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let told = place.json(&["trace", &id.to_uppercase()]);
    let checks = told["events"][0]["checks"].as_array().unwrap();
    assert_eq!(
        (&checks.last().unwrap()["rule"], &checks.last().unwrap()["source"]),
        (&"redirect_uri".into(), &"RFC 9700 §2.1".into())
    );
    let table = place.run(&["trace", "--refused"]).succeeded();
    assert!(table.starts_with("TIME") && table.contains(id) && table.contains("redirect_uri"), "{table}");
}

#[test]
fn a_run_that_is_not_known_is_said_to_be_so() {
    let place = Place::new();
    let line = place.run(&["trace", "0123456789abcdef"]).refused(1);
    assert!(
        line.contains("nothing is known of the run 0123456789abcdef in sqlite:") && line.contains("kept for 7d"),
        "{line}"
    );
    for usage in [&["trace"][..], &["trace", "short"], &["trace", "0123456789abcde'"], &["trace", "--refused", "0"]] {
        assert_eq!(place.run(usage).code, 2, "{usage:?}");
    }
}
