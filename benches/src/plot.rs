//! Bars beside a line: how each figure compares with its floor.

use std::fmt::{self, Write};

const LABELS: f64 = 250.0;
const BARS: f64 = 430.0;
const VALUES: f64 = 90.0;
const STEP: f64 = 24.0;
const TOP: f64 = 56.0;

#[derive(Debug)]
pub struct Bar {
    pub label: String,
    /// 1 is the floor.
    pub ratio: f64,
    /// What it is meant to be at least.
    pub goal: f64,
}

/// Readable on a light and on a dark page: a background of its own, and no style sheet.
pub fn svg(title: &str, bars: &[Bar]) -> Result<String, fmt::Error> {
    let most = bars.iter().map(|bar| bar.ratio.max(bar.goal)).fold(1.0, f64::max) * 1.05;
    let x = |ratio: f64| LABELS + BARS * ratio / most;
    let (width, height) = (LABELS + BARS + VALUES, TOP + STEP * bars.len() as f64 + 36.0);
    let bottom = height - 30.0;
    let mut out = String::new();
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">"#
    )?;
    writeln!(out, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##)?;
    writeln!(out, r##"<text x="12" y="26" font-size="16" fill="#222222">{title}</text>"##)?;
    for (n, bar) in bars.iter().enumerate() {
        let y = TOP + STEP * n as f64;
        let fill = if bar.ratio >= bar.goal { "#2f7d5b" } else { "#b5543a" };
        let (text, end, goal) = (y + 12.0, x(bar.ratio), x(bar.goal));
        writeln!(
            out,
            r##"<text x="{:.0}" y="{text:.0}" text-anchor="end" fill="#222222">{}</text>"##,
            LABELS - 8.0,
            bar.label
        )?;
        writeln!(out, r#"<rect x="{LABELS}" y="{y:.0}" width="{:.1}" height="16" fill="{fill}"/>"#, end - LABELS)?;
        writeln!(out, r##"<path d="M{goal:.1} {:.0}v20" stroke="#222222" stroke-width="2"/>"##, y - 2.0)?;
        writeln!(
            out,
            r##"<text x="{:.1}" y="{text:.0}" fill="#222222">{:.2}</text>"##,
            end.max(goal) + 6.0,
            bar.ratio
        )?;
    }
    let floor = x(1.0);
    writeln!(out, r##"<path d="M{floor:.1} {:.0}V{bottom:.0}" stroke="#777777" stroke-dasharray="3 3"/>"##, TOP - 8.0)?;
    writeln!(
        out,
        r##"<text x="{floor:.1}" y="{:.0}" text-anchor="middle" fill="#777777">the floor</text>"##,
        bottom + 14.0
    )?;
    writeln!(out, r##"<text x="12" y="{:.0}" fill="#777777">stroke: the goal</text>"##, bottom + 14.0)?;
    writeln!(out, "</svg>")?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misses_its_goal_looks_different() {
        let bar = |ratio| Bar { label: "me".to_owned(), ratio, goal: 0.6 };
        let colours = |ratio| svg("x", &[bar(ratio)]).unwrap().matches("#b5543a").count();
        assert_eq!((colours(0.59), colours(0.6)), (1, 0));
    }
}
