//! The command line.

use std::time::Duration;

pub const USAGE: &str = "oidcload TARGET.toml SCENARIO [-c WORKERS] [-d SECONDS] [-w SECONDS] [--pid PID]... \
                         [--set NAME=VALUE]... [--json | --trace]";

pub struct Arguments {
    pub target: String,
    pub scenario: String,
    pub concurrency: usize,
    pub duration: Duration,
    pub warm_up: Duration,
    /// The processes of the server.
    pub processes: Vec<u32>,
    /// Variables of the target file that have other values here; `base` is its address.
    pub settings: Vec<String>,
    pub json: bool,
    /// One operation, step by step, instead of a measurement.
    pub trace: bool,
}

impl Arguments {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            target: String::new(),
            scenario: String::new(),
            concurrency: 16,
            duration: Duration::from_secs(10),
            warm_up: Duration::from_secs(2),
            processes: Vec::new(),
            settings: Vec::new(),
            json: false,
            trace: false,
        };
        let mut names = Vec::new();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "-c" => parsed.concurrency = number(&argument, &value()?)?,
                "-d" => parsed.duration = seconds(&argument, &value()?)?,
                "-w" => parsed.warm_up = seconds(&argument, &value()?)?,
                "--pid" => parsed.processes.push(number(&argument, &value()?)?),
                "--set" => parsed.settings.push(value()?),
                "--json" => parsed.json = true,
                "--trace" => parsed.trace = true,
                _ if argument.starts_with('-') => return Err(format!("there is no option {argument}")),
                _ => names.push(argument),
            }
        }
        [parsed.target, parsed.scenario] = names.try_into().map_err(|_| format!("usage: {USAGE}"))?;
        Ok(parsed)
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{option} {value}: not a number that fits"))
}

fn seconds(option: &str, value: &str) -> Result<Duration, String> {
    let seconds: f64 = number(option, value)?;
    if (0.0..=600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{option} {value}: between 0 and 600 seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_stand_anywhere() {
        let parsed = parse("-c 4 a.toml --pid 7 code -d 0.5 --set base=http://127.0.0.1:1").unwrap();
        assert_eq!((parsed.target.as_str(), parsed.scenario.as_str(), parsed.concurrency), ("a.toml", "code", 4));
        assert_eq!((parsed.duration, parsed.processes), (Duration::from_millis(500), vec![7]));
    }

    #[test]
    fn a_command_line_is_refused_when() {
        for (reason, line) in [
            ("the scenario is missing", "a.toml"),
            ("there is one name too many", "a.toml code again"),
            ("an option is unknown", "a.toml code --fast"),
            ("a value is missing", "a.toml code -c"),
            ("a number is none", "a.toml code -c many"),
            ("it would take too long", "a.toml code -d 601"),
        ] {
            assert!(parse(line).is_err(), "{reason}");
        }
    }
}
