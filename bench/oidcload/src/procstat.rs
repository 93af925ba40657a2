//! CPU time and memory of a process and all its descendants, from /proc.

use std::{collections::HashMap, fs};

/// Clock ticks per second in /proc: 100 on every Linux.
const TICKS: f64 = 100.0;
const PAGE_KIB: u64 = 4;

#[derive(Debug, Default, Clone, Copy)]
pub struct Usage {
    /// User and system time, in seconds.
    pub cpu: f64,
    pub rss_kib: u64,
}

/// The processes and everything below them.
pub fn tree(roots: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(process) = process
            && let Some(fields) = stat(process)
        {
            children.entry(number(&fields, 1)).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut waiting = roots.to_vec();
    while let Some(process) = waiting.pop() {
        found.push(process);
        waiting.extend(children.remove(&process).unwrap_or_default());
    }
    found
}

/// The fields of /proc/PID/stat after the command's name: 0 is the state, 1 the parent.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let rest = text.get(text.rfind(')')? + 2..)?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

fn number<T: std::str::FromStr + Default>(fields: &[String], index: usize) -> T {
    fields.get(index).and_then(|field| field.parse().ok()).unwrap_or_default()
}

pub fn usage(processes: &[u32]) -> Usage {
    let mut usage = Usage::default();
    for fields in processes.iter().filter_map(|process| stat(*process)) {
        usage.cpu += (number::<f64>(&fields, 11) + number::<f64>(&fields, 12)) / TICKS;
        usage.rss_kib += number::<u64>(&fields, 21) * PAGE_KIB;
    }
    usage
}

/// Busy seconds of the whole machine since it started.
pub fn machine() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let fields: Vec<String> = first.split_whitespace().skip(1).map(str::to_owned).collect();
    // User, nice, system, interrupts; not idle, not waiting, not stolen.
    [0, 1, 2, 5, 6].iter().map(|index| number::<f64>(&fields, *index)).sum::<f64>() / TICKS
}
