//! One line of the table.

use serde_json::{Value, json};

/// One figure, or two to be compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    name: String,
    unit: Unit,
    ours: f64,
    baseline: Option<f64>,
    /// The most that the ratio may be, or the figure itself where there is no ratio.
    limit: Option<f64>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    Seconds,
    /// Millions of bytes.
    Megabytes,
    /// Millions of bytes in a second.
    MegabytesPerSecond,
    PerSecond,
}

impl Row {
    /// A figure of the sandbox beside that of its baseline.
    pub(crate) fn compared(
        name: impl Into<String>,
        unit: Unit,
        (ours, baseline): (f64, f64),
    ) -> Self {
        Self {
            baseline: Some(baseline),
            ..Self::absolute(name, unit, ours)
        }
    }

    /// A figure of its own.
    pub(crate) fn absolute(name: impl Into<String>, unit: Unit, ours: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            ours,
            baseline: None,
            limit: None,
        }
    }

    /// Sets the most that the ratio may be, or the figure itself where there is no ratio.
    pub(crate) fn at_most(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the least share of the baseline's throughput that must be reached.
    pub(crate) fn at_least(self, share: f64) -> Self {
        self.at_most(1.0 / share)
    }

    /// How much worse than the baseline, whichever way the unit counts: 1 is as good, 2 is half as good.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let baseline = self.baseline?;
        Some(if self.unit.is_throughput() {
            baseline / self.ours
        } else {
            self.ours / baseline
        })
    }

    /// Whether the limit is kept; none if there is no limit.
    pub(crate) fn passes(&self) -> Option<bool> {
        let found = self.ratio().unwrap_or(self.ours);
        self.limit.map(|limit| found <= limit)
    }

    /// The row as a line of the table.
    pub(crate) fn cells(&self) -> [String; 7] {
        let figure = |figure: Option<f64>| figure.map(readable).unwrap_or_default();
        [
            self.name.clone(),
            readable(self.ours),
            figure(self.baseline),
            self.unit.symbol().to_owned(),
            self.ratio()
                .map(|ratio| format!("{ratio:.2}"))
                .unwrap_or_default(),
            self.limit
                .map(|limit| format!("≤ {}", readable(limit)))
                .unwrap_or_default(),
            match self.passes() {
                Some(true) => "pass",
                Some(false) => "FAIL",
                None => "",
            }
            .to_owned(),
        ]
    }

    /// The row as `bench.json` has it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "ours": self.ours,
            "baseline": self.baseline,
            "ratio": self.ratio(),
            "unit": self.unit.symbol(),
        })
    }
}

impl Unit {
    fn symbol(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Megabytes => "MB",
            Self::MegabytesPerSecond => "MB/s",
            Self::PerSecond => "1/s",
        }
    }

    fn is_throughput(self) -> bool {
        matches!(self, Self::MegabytesPerSecond | Self::PerSecond)
    }
}

/// Three digits that matter, no more.
fn readable(figure: f64) -> String {
    let decimals = match figure.abs() {
        100.0.. => 0,
        10.0..100.0 => 1,
        _ => 2,
    };
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_ratios_are_better_whichever_way_the_unit_counts() {
        let time = Row::compared("t", Unit::Seconds, (3.0, 2.0));
        assert_eq!(time.ratio(), Some(1.5));
        let rate = Row::compared("r", Unit::PerSecond, (50.0, 100.0));
        assert_eq!(rate.ratio(), Some(2.0));
        assert_eq!(Row::absolute("a", Unit::Megabytes, 1.0).ratio(), None);
    }

    #[test]
    fn limits_hold_the_ratio_or_the_figure() {
        for (row, passes) in [
            (Row::compared("", Unit::Seconds, (3.0, 2.0)), None),
            (
                Row::compared("", Unit::Seconds, (3.0, 2.0)).at_most(1.5),
                Some(true),
            ),
            (
                Row::compared("", Unit::Seconds, (3.0, 2.0)).at_most(1.4),
                Some(false),
            ),
            (
                Row::compared("", Unit::PerSecond, (9.0, 10.0)).at_least(0.9),
                Some(true),
            ),
            (
                Row::compared("", Unit::PerSecond, (8.0, 10.0)).at_least(0.9),
                Some(false),
            ),
            (
                Row::absolute("", Unit::Megabytes, 61.0).at_most(60.0),
                Some(false),
            ),
        ] {
            assert_eq!(row.passes(), passes, "{row:?}");
        }
    }

    #[test]
    fn json_has_the_five_fields() {
        let row = Row::absolute("a", Unit::Megabytes, 0.5).at_most(1.0);
        let expected =
            json!({"name": "a", "ours": 0.5, "baseline": null, "ratio": null, "unit": "MB"});
        assert_eq!(row.json(), expected);
    }

    #[test]
    fn figures_are_short() {
        for (figure, text) in [(0.1234, "0.12"), (12.345, "12.3"), (1234.5, "1234")] {
            assert_eq!(readable(figure), text);
        }
    }
}
