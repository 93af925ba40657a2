//! Runs a scenario with many workers: set up, warm up, measure, stop.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use crate::{
    arguments::Arguments,
    procstat::{self, Usage},
    scenario::Scenario,
    tally::Tally,
    worker::Worker,
};

/// A server whose setup does not get done ends the run.
const SETUP_TIME: Duration = Duration::from_secs(180);
const SETUP_TRIES: u32 = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Prepare,
    Warm,
    Measure,
    Stop,
}

struct Shared {
    scenario: Scenario,
    phase: std::cell::Cell<Phase>,
    ready: std::cell::Cell<usize>,
    tally: RefCell<Tally>,
}

/// What was measured, and what it cost the server, this program, and the machine.
pub struct Outcome {
    pub tally: Tally,
    pub seconds: f64,
    pub server_cpu: f64,
    pub own_cpu: f64,
    pub other_cpu: f64,
    pub peak_rss_kib: u64,
}

/// One thread is enough up to about 100,000 exchanges a second.
pub fn run(scenario: Scenario, address: &str, arguments: &Arguments) -> Result<Outcome, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let local = LocalSet::new();
    let shared =
        Rc::new(Shared { scenario, phase: Phase::Prepare.into(), ready: 0.into(), tally: Tally::new().into() });
    local.block_on(&runtime, measure(&shared, address, arguments))
}

async fn measure(shared: &Rc<Shared>, address: &str, arguments: &Arguments) -> Result<Outcome, String> {
    let workers: Vec<_> = (0..arguments.concurrency)
        .map(|number| {
            let worker = Worker::new(&shared.scenario, address.to_owned(), number);
            tokio::task::spawn_local(work(shared.clone(), worker))
        })
        .collect();
    let begun = Instant::now();
    while shared.ready.get() < arguments.concurrency && begun.elapsed() < SETUP_TIME {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shared.phase.set(Phase::Warm);
    tokio::time::sleep(arguments.warm_up).await;

    let before = Moment::now(arguments);
    shared.phase.set(Phase::Measure);
    let mut peak_rss_kib = 0;
    while before.at.elapsed() < arguments.duration {
        let left = arguments.duration.saturating_sub(before.at.elapsed());
        tokio::time::sleep(left.min(Duration::from_millis(500))).await;
        peak_rss_kib = peak_rss_kib.max(procstat::usage(&before.processes).rss_kib);
    }
    shared.phase.set(Phase::Stop);
    let after = Moment::now(arguments);
    for worker in workers {
        worker.await.map_err(|error| error.to_string())?;
    }
    let (server_cpu, own_cpu) = (after.server.cpu - before.server.cpu, after.own - before.own);
    Ok(Outcome {
        tally: shared.tally.replace(Tally::new()),
        seconds: (after.at - before.at).as_secs_f64(),
        server_cpu,
        own_cpu,
        other_cpu: (after.machine - before.machine - server_cpu - own_cpu).max(0.0),
        peak_rss_kib,
    })
}

/// All clocks at one time.
struct Moment {
    at: Instant,
    processes: Vec<u32>,
    server: Usage,
    own: f64,
    machine: f64,
}

impl Moment {
    fn now(arguments: &Arguments) -> Self {
        let processes = procstat::tree(&arguments.processes);
        let server = procstat::usage(&processes);
        let own = procstat::usage(&[std::process::id()]).cpu;
        Self { at: Instant::now(), server, processes, own, machine: procstat::machine() }
    }
}

async fn work(shared: Rc<Shared>, mut worker: Worker) {
    let mut tally = Tally::new();
    let mut prepared = prepare(&shared, &mut worker, &mut tally).await;
    shared.ready.set(shared.ready.get() + 1);
    while shared.phase.get() == Phase::Prepare {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    while prepared && shared.phase.get() != Phase::Stop {
        let (begun, exchanges) = (Instant::now(), worker.exchanges);
        let outcome = operation(&shared.scenario, &mut worker).await;
        match outcome {
            Ok(()) if shared.phase.get() == Phase::Measure => {
                tally.success(begun.elapsed(), worker.exchanges - exchanges);
            }
            Ok(()) => {}
            Err(message) => {
                tally.failure(&message);
                // People do not all come back at the same moment.
                tokio::time::sleep(shared.scenario.patience.mul_f64(0.5 + fastrand::f64())).await;
                prepared = prepare(&shared, &mut worker, &mut tally).await;
            }
        }
    }
    tally.connections = worker.connection.opened;
    shared.tally.borrow_mut().add(&tally);
}

/// The setup, from a fresh browser, until it succeeds once.
async fn prepare(shared: &Shared, worker: &mut Worker, tally: &mut Tally) -> bool {
    for tries in 1..=SETUP_TRIES {
        worker.jar.clear();
        let mut outcome = Ok(());
        for step in &shared.scenario.setup {
            outcome = worker.run(&shared.scenario, step).await;
            if outcome.is_err() {
                break;
            }
        }
        match outcome {
            Ok(()) => return true,
            // Password hashing is bounded: a server that has no room says so, and the worker comes again.
            Err(message) if tries == SETUP_TRIES => tally.failure(&format!("setup: {message}")),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    false
}

async fn operation(scenario: &Scenario, worker: &mut Worker) -> Result<(), String> {
    if scenario.fresh_cookies {
        worker.jar.clear();
    }
    for step in &scenario.steps {
        worker.run(scenario, step).await?;
    }
    Ok(())
}

/// One operation, told step by step, to mend a target file.
pub fn trace(scenario: &Scenario, address: &str) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut worker = Worker::new(scenario, address.to_owned(), 0);
        for step in scenario.setup.iter().chain(&scenario.steps) {
            let outcome = worker.run(scenario, step).await;
            let response = &worker.connection.response;
            println!("{}: {} {:?}", step.label, response.status, response.header("location"));
            println!("    {}", response.snippet().replace('\n', " "));
            outcome?;
        }
        Ok(())
    })
}
