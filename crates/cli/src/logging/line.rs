//! What a line consists of.

use super::fields::{Fields, all_bytes};
use super::time;
use crate::config::LogFormat;
use std::cell::RefCell;
use std::fmt::Write as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope, SpanRef};

/// Gives a sink each line, with its end, in one piece.
pub(super) struct Lines<S> {
    format: LogFormat,
    sink: S,
}

impl<S: Fn(&[u8])> Lines<S> {
    pub(super) fn new(format: LogFormat, sink: S) -> Self {
        Self { format, sink }
    }
}

/// The fields of a span, as they stand in lines: written once, when they are known.
struct SpanFields(String);

impl<S, L> Layer<L> for Lines<S>
where
    S: Fn(&[u8]) + 'static,
    L: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, L>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = String::with_capacity(192);
        attributes.record(&mut Fields { format: self.format, line: &mut fields });
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, L>) {
        let Some(span) = context.span(id) else { return };
        // Before the span is locked: a value may log in that span while it is being formatted.
        let mut recorded = String::new();
        values.record(&mut Fields { format: self.format, line: &mut recorded });
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            fields.push_str(&recorded);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, L>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        LINE.with(|line| {
            // Something logged while it was being logged goes without its line.
            let Ok(mut line) = line.try_borrow_mut() else { return };
            line.clear();
            match self.format {
                LogFormat::Json => json(&mut line, event, &context),
                LogFormat::Text => text(&mut line, event, &context),
            }
            if let Some(escaped) = escape(&line) {
                *line = escaped;
            }
            line.push('\n');
            (self.sink)(line.as_bytes());
        });
    }
}

fn json<L>(line: &mut String, event: &Event<'_>, context: &Context<'_, L>)
where
    L: Subscriber + for<'a> LookupSpan<'a>,
{
    let metadata = event.metadata();
    line.push_str("{\"timestamp\":\"");
    time::push_now(line);
    line.push_str("\",\"level\":\"");
    line.push_str(metadata.level().as_str());
    line.push('"');
    event.record(&mut Fields { format: LogFormat::Json, line });
    line.push_str(",\"target\":\"");
    line.push_str(metadata.target());
    line.push('"');
    if let Some(span) = context.event_span(event) {
        line.push_str(",\"span\":{\"name\":\"");
        line.push_str(span.name());
        line.push('"');
        push_fields(line, &span);
        line.push('}');
    }
    line.push('}');
}

fn text<L>(line: &mut String, event: &Event<'_>, context: &Context<'_, L>)
where
    L: Subscriber + for<'a> LookupSpan<'a>,
{
    let metadata = event.metadata();
    time::push_now(line);
    let _ = write!(line, " {:>5} ", metadata.level().as_str());
    for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
        line.push_str(span.name());
        line.push('{');
        let begin = line.len();
        push_fields(line, &span);
        // Of the space before the first.
        if line.len() > begin {
            line.remove(begin);
        }
        line.push_str("}: ");
    }
    line.push_str(metadata.target());
    line.push(':');
    event.record(&mut Fields { format: LogFormat::Text, line });
}

fn push_fields<'a, L: LookupSpan<'a>>(line: &mut String, span: &SpanRef<'a, L>) {
    if let Some(SpanFields(fields)) = span.extensions().get() {
        line.push_str(fields);
    }
}

/// Escapes control characters, so that nothing that a client sends can begin a line of its own or steer the terminal of
/// whoever reads the log (CWE-117, CVE-2025-58160). The escapes are valid inside JSON texts. `None` if there are none.
fn escape(line: &str) -> Option<String> {
    if all_bytes(line, |byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::fmt;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    fn lines(format: LogFormat, log: impl FnOnce()) -> Vec<String> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let lines = Lines::new(format, move |line: &[u8]| sink.lock().unwrap().extend_from_slice(line));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(written.ends_with('\n'));
        written.lines().map(str::to_owned).collect()
    }

    const HOSTILE: &str = "GET /a\r\n\u{1b}[31mroot\u{9b}2J\u{7f}\u{2028} \"é\\";

    fn log() {
        let outer = tracing::info_span!("outer", ignored = 1);
        let span =
            tracing::info_span!(parent: &outer, "request", id = "a\"b", client = %"::1", late = tracing::field::Empty);
        span.record("late", HOSTILE);
        span.in_scope(|| tracing::warn!(status = 200_u64, yes = true, off = -1, cause = HOSTILE, "all {}", "well"));
        tracing::info!(value = ?Some("x\ny"), "alone");
    }

    #[test]
    fn a_line_is_a_json_object() {
        let lines = lines(LogFormat::Json, log);
        assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
        let parsed: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = &parsed[..] else { panic!("{lines:?}") };
        let timestamp = first["timestamp"].as_str().unwrap();
        assert!(timestamp.starts_with("20") && timestamp.ends_with('Z'), "{timestamp}");
        let mut expected = json!({
            "level": "WARN", "message": "all well", "status": 200, "yes": true, "off": -1, "cause": HOSTILE,
            "target": module_path!(),
            "span": { "name": "request", "id": "a\"b", "client": "::1", "late": HOSTILE },
        });
        expected["timestamp"] = first["timestamp"].clone();
        assert_eq!(*first, expected);
        assert_eq!((&second["value"], &second["span"]), (&json!("Some(\"x\\ny\")"), &Value::Null));
    }

    #[test]
    fn a_line_of_text_has_all_spans_and_stays_one_line() {
        let lines = lines(LogFormat::Text, log);
        let rest: Vec<_> = lines.iter().map(|line| line.split_once('Z').unwrap().1).collect();
        let module = module_path!();
        let hostile = "\"GET /a\\r\\n\\u{1b}[31mroot\\u{9b}2J\\u{7f}\\u{2028} \\\"é\\\\\"";
        let first = format!(
            "  WARN outer{{ignored=1}}: request{{id=\"a\\\"b\" client=::1 late={hostile}}}: {module}: all well status=200 \
             yes=true off=-1 cause={hostile}"
        );
        assert_eq!(rest, [first, format!("  INFO {module}: alone value=Some(\"x\\ny\")")]);
    }

    /// Logs while it is formatted.
    struct Talkative;

    impl fmt::Debug for Talkative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!("formatting");
            f.write_str("formatted")
        }
    }

    #[test]
    fn a_value_may_log_in_the_span_that_records_it() {
        let (finished, finish) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let log = || {
                let span = tracing::info_span!("request", value = tracing::field::Empty).entered();
                span.record("value", tracing::field::debug(Talkative));
                tracing::info!("done");
            };
            finished.send(lines(LogFormat::Text, log)).unwrap();
        });
        let lines = finish.recv_timeout(std::time::Duration::from_secs(10)).expect("a span that is not locked");
        let [first, second] = &lines[..] else { panic!("{lines:?}") };
        assert!(first.contains("request{}: ") && first.ends_with(": formatting"), "{first}");
        assert!(second.contains("request{value=formatted}: ") && second.ends_with(": done"), "{second}");
    }

    #[test]
    fn a_message_of_a_client_stays_one_line_without_controls() {
        let lines = lines(LogFormat::Text, || tracing::info!("{HOSTILE}"));
        let expected = "GET /a\\u000d\\u000a\\u001b[31mroot\\u009b2J\\u007f\\u2028 \"é\\";
        assert!(lines.len() == 1 && lines[0].ends_with(expected), "{lines:?}");
    }
}
