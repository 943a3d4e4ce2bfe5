//! Failing the n-th operation: whichever it is, the next client is served.

use grnet_features::model_file::ModelId;
use grnet_wire::{Reply, Request, faults};

use super::fixture::{Client, Running, embed, limits, model_file};

/// The script: two connections, a model, images good and bad, counters. Errors are the point: they end it early.
fn script(socket: &std::path::Path) -> std::io::Result<()> {
    let file = model_file(1.0, "a");
    let model = ModelId::of(&file);
    let mut first = Client::connect(socket)?;
    first.try_send(&embed(1, model, &[b"ok\x01"]))?;
    first.try_receive()?;
    first.try_send(&Request::Model { id: 2, file: &file })?;
    first.try_receive()?;
    first.try_send(&embed(3, model, &[b"ok\x01", b"bad", b"ok\x02"]))?;
    let mut second = Client::connect(socket)?;
    second.try_send(&Request::Stats { id: 4 })?;
    second.try_receive()?;
    first.try_receive()?;
    second.try_send(&embed(5, model, &[b"ok\x03"]))?;
    second.try_receive()?;
    Ok(())
}

// The counter is the process's, so this runs in a process of its own, alone: the test starts itself again.
#[test]
fn every_operation_may_fail_once() {
    if std::env::var_os("GRNET_FAULT_LOOP").is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::every_operation_may_fail_once", "--nocapture", "--test-threads=1"])
            .env("GRNET_FAULT_LOOP", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}\n{log}");
        print!("{}", text.lines().filter(|line| line.contains("operations")).collect::<Vec<_>>().join("\n"));
        return;
    }
    let mut handled = 0;
    for nth in 1.. {
        let running = Running::failing(limits(), nth);
        let socket = running.socket();
        let outcome = script(&socket);
        let fired = !faults::armed();
        faults::arm(0);
        let mut next = Client::connect(&socket).unwrap_or_else(|e| panic!("after operation {nth}: {e}"));
        let reply = next.ask(&Request::Stats { id: 1 });
        assert!(matches!(reply, Reply::Stats { .. }), "after operation {nth}: {reply:?}");
        if !fired {
            outcome.unwrap();
            break;
        }
        handled = nth;
    }
    assert!(handled > 10, "only {handled} operations");
    println!("{handled} of {handled} operations failed on purpose and the next client was served");
}
