//! Downloads through the host, against what the host is in the way of.

use std::time::Instant;

use anyhow::Result;
use orlop::Path;

use super::rounds::in_turn;
use crate::{
    client::Target,
    native::{self, Native},
    orlop_process::{Orlop, Running},
    pace::Pace,
    plain_server::PlainServer,
    process::Process,
    row::{Row, Unit},
    scale::Scale,
    storage,
};

pub(super) async fn measure(
    scale: Scale,
    orlop: &Orlop,
    native: &Native,
    plain: &PlainServer,
) -> Result<Vec<Row>> {
    let running = orlop.start()?;
    let ours = running.target("/p", storage::LARGE)?;
    let url = native::link(native, &Path::parse(storage::LARGE)?).await?;
    let direct = Target::parse(&url)?;
    let proxy = plain.large_file()?;

    let size = super::size(scale);
    let name = |how: &str| format!("GET {size} through /p/, {how}");
    let mut rows = Vec::new();
    for gigabits in super::LINES {
        let figures = in_turn(
            scale.paced,
            async || rate(&ours, Pace::gigabits(gigabits)).await,
            async || rate(&direct, Pace::gigabits(gigabits)).await,
        )
        .await?;
        let name = name(&format!(
            "client on a line of {gigabits} Gbit/s, against direct"
        ));
        rows.push(Row::compared(name, Unit::MegabytesPerSecond, figures).at_least(0.9));
    }
    let figures = in_turn(
        scale.transfers,
        async || rate(&ours, Pace::UNLIMITED).await,
        async || rate(&direct, Pace::UNLIMITED).await,
    )
    .await?;
    let name_of = name(&format!("all on {} cores, against direct", super::cores()));
    rows.push(Row::compared(name_of, Unit::MegabytesPerSecond, figures).at_least(0.9));

    let (mut processor, mut rounds) = ((0.0, 0.0), 0.0);
    let round = async |process: &Process, target: &Target, processor: &mut f64| {
        let before = process.usage().processor()?;
        let rate = rate(target, Pace::UNLIMITED).await?;
        *processor += process.usage().processor()? - before;
        anyhow::Ok(rate)
    };
    let figures = in_turn(
        scale.transfers,
        async || {
            rounds += 1.0;
            round(running.process(), &ours, &mut processor.0).await
        },
        async || round(plain.process(), &proxy, &mut processor.1).await,
    )
    .await?;
    let name_of = name(&format!(
        "all on {} cores, against a plain proxy",
        super::cores()
    ));
    rows.push(Row::compared(name_of, Unit::MegabytesPerSecond, figures).at_least(0.9));
    let cost = (processor.0 / rounds, processor.1 / rounds);
    let name_of = format!("processor time of the proxy for {size}, against a plain proxy");
    rows.push(Row::compared(name_of, Unit::Seconds, cost));

    rows.extend(many(scale, &running, native, plain).await?);
    rows.push(slow_storage(scale).await?);
    Ok(rows)
}

/// Downloads at once.
const CONNECTIONS: usize = 32;
/// What each of them may bring where they share a line of 10 Gbit/s, in Gbit/s.
const SHARE: f64 = 10.0 / CONNECTIONS as f64;

/// Downloads over many connections.
async fn many(
    scale: Scale,
    running: &Running,
    native: &Native,
    plain: &PlainServer,
) -> Result<Vec<Row>> {
    let ours = running.target("/p", storage::MEDIUM)?;
    let url = native::link(native, &Path::parse(storage::MEDIUM)?).await?;
    let direct = Target::parse(&url)?;
    let proxy = plain.medium_file()?;
    let row = async |baseline: &Target, pace: fn() -> Pace, how: &str| {
        let figures = in_turn(
            scale.transfers,
            async || together(&ours, pace).await,
            async || together(baseline, pace).await,
        )
        .await?;
        let name = format!(
            "GET {} MiB through /p/ on {CONNECTIONS} connections, {how}",
            storage::MEDIUM_SIZE >> 20
        );
        anyhow::Ok(Row::compared(name, Unit::MegabytesPerSecond, figures).at_least(0.9))
    };
    Ok(vec![
        row(
            &direct,
            || Pace::gigabits(SHARE),
            "clients on a line of 10 Gbit/s, against direct",
        )
        .await?,
        row(&proxy, || Pace::UNLIMITED, "against a plain proxy").await?,
    ])
}

/// Millions of bytes a second over all connections.
async fn together(target: &Target, pace: fn() -> Pace) -> Result<f64> {
    let began = Instant::now();
    let downloads = (0..CONNECTIONS).map(|_| target.get(pace()));
    let sizes = futures::future::try_join_all(downloads).await?;
    let size: u64 = sizes.iter().sum();
    Ok(size as f64 / 1e6 / began.elapsed().as_secs_f64())
}

/// A storage that gives 20 MB a second on a connection, where reading ahead over several must pay.
async fn slow_storage(scale: Scale) -> Result<Row> {
    const SPEED: u64 = 20_000_000;
    let size = scale.size.min(256 << 20);
    let storage = storage::start_slow(size, SPEED)?;
    let orlop = Orlop::new(&storage)?;
    let running = orlop.start()?;
    let ours = running.target("/p", storage::LARGE)?;
    let native = native::open(&storage::config(&storage))?;
    let direct = Target::parse(&native::link(&native, &Path::parse(storage::LARGE)?).await?)?;
    let figures = in_turn(
        scale.paced,
        async || rate(&ours, Pace::UNLIMITED).await,
        async || rate(&direct, Pace::UNLIMITED).await,
    )
    .await?;
    let name = format!(
        "GET {} MiB through /p/, storage of {} MB/s on a connection, against direct",
        size >> 20,
        SPEED / 1_000_000
    );
    Ok(Row::compared(name, Unit::MegabytesPerSecond, figures).at_least(2.0))
}

/// Downloads once, and returns millions of bytes per second.
async fn rate(target: &Target, pace: Pace) -> Result<f64> {
    let began = Instant::now();
    let size = target.get(pace).await?;
    Ok(size as f64 / 1e6 / began.elapsed().as_secs_f64())
}
