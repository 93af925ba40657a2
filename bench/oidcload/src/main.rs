//! A closed-loop load generator for OpenID Connect servers. `README.md` has the command line and the target file.

mod arguments;
mod cookies;
mod http;
mod load;
mod procstat;
mod report;
mod scenario;
mod tally;
mod target;
mod template;
mod worker;

use std::process::ExitCode;

use arguments::Arguments;
use scenario::Scenario;
use target::Target;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("oidcload: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every operation succeeded, and there was one.
fn run() -> Result<bool, String> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let target = Target::read(&arguments.target, &arguments.settings)?;
    let description = target.scenario(&arguments.scenario)?;
    let scenario = Scenario::compile(&target, description)?;
    let address = target.address()?;
    if arguments.trace {
        return load::trace(&scenario, &address).map(|()| true);
    }
    let outcome = load::run(scenario, &address, &arguments)?;
    if arguments.json {
        println!("{}", outcome.json(&arguments, description.note.as_deref()));
    } else {
        println!("{}", outcome.line(&arguments));
        for (message, count) in outcome.tally.messages.iter().take(3) {
            eprintln!("    {count} times: {message}");
        }
    }
    Ok(outcome.tally.operations > 0 && outcome.tally.errors == 0)
}
