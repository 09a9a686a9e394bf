//! Redirects: how many answers of 302 a second.

use anyhow::{Context, Result};

use super::rounds::in_turn;
use crate::{
    client::Target,
    load,
    orlop_process::Orlop,
    pace::Pace,
    plain_server::PlainServer,
    process::Process,
    row::{Row, Unit},
    scale::Scale,
    storage,
};

pub(super) async fn measure(scale: Scale, orlop: &Orlop, plain: &PlainServer) -> Result<Vec<Row>> {
    let running = orlop.start()?;
    let names = || {
        (0..storage::FEW_FILES).map(|number| format!("{}/{}", storage::FEW, storage::name(number)))
    };
    let ours: Vec<Target> = names()
        .map(|name| running.target("/d", &name))
        .collect::<Result<_>>()?;
    let baseline: Vec<Target> = names()
        .map(|name| plain.files(&name))
        .collect::<Result<_>>()?;
    for (target, side) in [
        (ours.first(), "orlop"),
        (baseline.first(), "the plain server"),
    ] {
        let head = target.context("no files")?.head_of_get().await?;
        head.expect(302)
            .with_context(|| format!("{side} does not redirect"))?;
        let location = head
            .header("location")
            .context("a redirect leads nowhere")?;
        Target::parse(location)?.get(Pace::UNLIMITED).await?;
    }

    let mut processor = (0.0, 0.0);
    let mut answers = (0.0, 0.0);
    let round =
        async |process: &Process, targets: &[Target], processor: &mut f64, answers: &mut f64| {
            let before = process.usage().processor()?;
            let rate = load::redirects(targets.to_vec(), scale.load).await?;
            *processor += process.usage().processor()? - before;
            *answers += rate * scale.load.as_secs_f64();
            anyhow::Ok(rate)
        };
    let figures = in_turn(
        scale.rounds,
        async || round(running.process(), &ours, &mut processor.0, &mut answers.0).await,
        async || round(plain.process(), &baseline, &mut processor.1, &mut answers.1).await,
    )
    .await?;
    let cost = (processor.0 / answers.0 * 1e6, processor.1 / answers.1 * 1e6);
    Ok(vec![
        Row::compared(
            "302 answers, against a constant handler",
            Unit::PerSecond,
            figures,
        )
        .at_least(0.8),
        Row::compared(
            "processor time of the server for a 302",
            Unit::Microseconds,
            cost,
        ),
    ])
}
