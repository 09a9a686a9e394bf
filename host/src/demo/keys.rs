//! Keys for one run.

/// A key pair that nobody has seen before.
#[derive(Clone)]
pub(super) struct Keys {
    /// The access key's name.
    pub(super) id: String,
    /// The secret.
    pub(super) secret: String,
}

impl Keys {
    pub(super) fn random() -> anyhow::Result<Self> {
        Ok(Self {
            id: format!("demo-{}", hex::<8>()?),
            secret: hex::<20>()?,
        })
    }
}

fn hex<const BYTES: usize>() -> anyhow::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
