//! What is printed: one line for a person, or one JSON object for a program.

use serde_json::{Value, json};

use crate::{arguments::Arguments, load::Outcome};

impl Outcome {
    fn per_operation_ms(&self, seconds: f64) -> f64 {
        match self.tally.operations {
            0 => 0.0,
            operations => seconds * 1e3 / operations as f64,
        }
    }

    pub fn json(&self, arguments: &Arguments, note: Option<&str>) -> Value {
        let tally = &self.tally;
        json!({
            "scenario": arguments.scenario,
            "note": note,
            "concurrency": arguments.concurrency,
            "seconds": self.seconds,
            "operations": tally.operations,
            "errors": tally.errors,
            "error_samples": tally.messages.keys().take(3).collect::<Vec<_>>(),
            "operations_per_second": tally.operations as f64 / self.seconds,
            "exchanges_per_operation": tally.exchanges as f64 / tally.operations.max(1) as f64,
            "connections": tally.connections,
            "mean_ms": tally.latency.mean() / 1e3,
            "p50_ms": tally.quantile_ms(0.50),
            "p95_ms": tally.quantile_ms(0.95),
            "p99_ms": tally.quantile_ms(0.99),
            "server_cpu_ms": self.per_operation_ms(self.server_cpu),
            "client_cpu_ms": self.per_operation_ms(self.own_cpu),
            "server_cores": self.server_cpu / self.seconds,
            "client_cores": self.own_cpu / self.seconds,
            "other_cores": self.other_cpu / self.seconds,
            "peak_rss_mib": self.peak_rss_kib as f64 / 1024.0,
        })
    }

    pub fn line(&self, arguments: &Arguments) -> String {
        let tally = &self.tally;
        format!(
            "{:<12} {:>9.1}/s  p50 {:>8.3}  p95 {:>8.3}  p99 {:>8.3} ms  errors {}  server {:.4} ms/op ({:.2} cores, {:.0} MiB)  client {:.4} ms/op  others {:.2} cores",
            arguments.scenario,
            tally.operations as f64 / self.seconds,
            tally.quantile_ms(0.50),
            tally.quantile_ms(0.95),
            tally.quantile_ms(0.99),
            tally.errors,
            self.per_operation_ms(self.server_cpu),
            self.server_cpu / self.seconds,
            self.peak_rss_kib as f64 / 1024.0,
            self.per_operation_ms(self.own_cpu),
            self.other_cpu / self.seconds,
        )
    }
}
