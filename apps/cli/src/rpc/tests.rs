use sotto_api::Secret;

use super::*;

#[test]
fn each_request_is_answered_under_its_id_before_the_program_ends() {
    let lines = talk(
        "{\"id\":7,\"method\":\"version\",\"params\":{}}\n{\"id\":3,\"method\":\"version\",\"params\":{}}",
    );
    assert_eq!(
        lines,
        [
            r#"{"event":"settings_changed"}"#,
            r#"{"id":7,"ok":{"reply":"version","value":"Sotto 0"}}"#,
            r#"{"id":3,"ok":{"reply":"version","value":"Sotto 0"}}"#,
        ]
    );
}

#[test]
fn params_may_be_left_out_where_they_are_empty() {
    let lines = talk("{\"id\":1,\"method\":\"version\"}\n\n");
    assert_eq!(
        lines[1],
        r#"{"id":1,"ok":{"reply":"version","value":"Sotto 0"}}"#
    );
}

#[test]
fn a_line_that_is_no_request_is_answered_with_an_error() {
    let lines = talk(
        "nonsense\n{\"id\":4,\"method\":\"fly\",\"params\":{}}\n{\"id\":5,\"method\":\"contact_view\",\"params\":{}}\n",
    );
    assert!(
        lines[1].starts_with(r#"{"id":0,"error":{"kind":"invalid""#),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with(r#"{"id":4,"error":{"kind":"invalid""#),
        "{}",
        lines[2]
    );
    assert!(lines[2].contains("unknown variant"), "{}", lines[2]);
    assert!(lines[3].contains("missing field `contact`"), "{}", lines[3]);
}

#[test]
fn an_error_never_repeats_what_the_line_held() {
    let line = r#"{"id":1,"method":"account_password","params":{"account":1,"password":"x","remember":"canary-9d"}}"#;
    let lines = talk(line);
    assert!(lines[1].contains("wrong type"), "{}", lines[1]);
    assert!(!lines[1].contains("canary"), "{}", lines[1]);
}

#[test]
fn a_refusal_is_passed_on_with_its_kind() {
    let lines = talk(r#"{"id":1,"method":"profile_unlock","params":{"passphrase":"no"}}"#);
    assert_eq!(
        lines[1],
        r#"{"id":1,"error":{"kind":"wrong_passphrase","message":"No."}}"#
    );
}

#[test]
fn a_request_that_the_engine_never_answers_does_not_keep_the_program_alive() {
    let lines = talk(r#"{"id":1,"method":"quit","params":{}}"#);
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn the_end_of_the_owner_ends_the_program_though_the_input_stays_open() {
    struct Ends;
    impl Engine for Ends {
        fn request(&self, _: Request, _: Answered) {}
        fn subscribe(&self, on_event: Box<dyn Fn(Event) + Send>) {
            on_event(Event::Ending);
        }
    }
    let (input, kept_open) = io::pipe().unwrap();
    run(&Ends, io::BufReader::new(input), io::sink()).unwrap();
    drop(kept_open);
}

/// Runs the input against an engine that knows three requests.
fn talk(input: &'static str) -> Vec<String> {
    struct Fake;
    impl Engine for Fake {
        fn request(&self, request: Request, done: Answered) {
            match request {
                Request::Version {} => {
                    // From another thread, as the real engine answers.
                    let _ =
                        thread::spawn(move || done(Ok(Reply::Version("Sotto 0".into())))).join();
                }
                Request::ProfileUnlock { passphrase } => {
                    assert_eq!(passphrase, Secret::new("no".into()));
                    done(Err(ApiError::new(ErrorKind::WrongPassphrase, "No.")));
                }
                _ => drop(done),
            }
        }
        fn subscribe(&self, on_event: Box<dyn Fn(Event) + Send>) {
            on_event(Event::SettingsChanged);
        }
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let output = Shared::default();
    run(&Fake, input.as_bytes(), output.clone()).unwrap();
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}
