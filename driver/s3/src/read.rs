//! Reading: links to an object's bytes.

use std::time::Duration;

use orlop_driver::{
    Audience, Content, Error, Host, Link, Path, ReadOptions, Result, SignedRequest, SignedUrl,
};

use crate::{
    disposition,
    driver::S3,
    endpoint::Address,
    key,
    settings::Site,
    sign::{EMPTY_PAYLOAD, Unsigned},
};

/// How long a link of the host's own is to be used: less than the 15 minutes that services allow.
const HOST_LINK_LIFE: Duration = Duration::from_secs(10 * 60);

impl<H: Host> S3<H> {
    /// A link to a file's bytes. Whether the file is there is not asked.
    pub(crate) fn link(&self, path: &Path, options: &ReadOptions) -> Result<Content> {
        let key = key::of_file(path)?;
        let link = match options.audience {
            Audience::Client => Link::Shareable(self.client_link(&key, options)?),
            Audience::Host => self.host_link(&key)?,
        };
        Ok(Content::Link(link))
    }

    fn client_link(&self, key: &str, options: &ReadOptions) -> Result<SignedUrl> {
        let site = self.client.site();
        let at_custom_host;
        let site = match &self.settings.custom_host {
            Some(custom) if !custom.signed => return Ok(plain(&custom.address, key)),
            Some(custom) => {
                at_custom_host = Site {
                    address: custom.address.clone(),
                    region: site.region.clone(),
                };
                &at_custom_host
            }
            None => &*site,
        };
        let Some(signer) = &self.client.signer else {
            return Ok(plain(&site.address, key));
        };

        let disposition = options
            .filename
            .as_deref()
            .map(|filename| disposition::attachment(filename, self.settings.plain_filename));
        let query = disposition
            .as_deref()
            .map(|disposition| ("response-content-disposition", disposition));
        let request = Unsigned {
            method: "GET",
            site,
            path: &site.address.path(Some(key)),
            query: query.as_slice(),
            headers: &[],
        };
        let life = self.link_life(options.expires)?;
        Ok(SignedUrl {
            url: signer.url(&request, life, self.client.now()),
            expires: self.client.host.now().checked_add(life),
        })
    }

    /// Signed in its headers: such a URL is of no use to who finds it in a log.
    fn host_link(&self, key: &str) -> Result<Link> {
        let site = self.client.site();
        let address = &site.address;
        let Some(signer) = &self.client.signer else {
            return Ok(Link::Shareable(plain(address, key)));
        };
        let path = address.path(Some(key));
        let request = Unsigned {
            method: "GET",
            site: &site,
            path: &path,
            query: &[],
            headers: &[],
        };
        let headers = signer.headers(&request, EMPTY_PAYLOAD, self.client.now());
        let life = self
            .remaining()?
            .map_or(HOST_LINK_LIFE, |left| left.min(HOST_LINK_LIFE));
        Ok(Link::HostOnly(SignedRequest {
            method: "GET".to_owned(),
            url: format!("{}{}{path}", address.scheme(), address.authority),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            expires: self.client.host.now().checked_add(life),
        }))
    }

    /// How long a link is good: what is asked for, or the configured time, in whole seconds, within what the
    /// service allows and no longer than the credentials.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the credentials have ended.
    pub(crate) fn link_life(&self, asked: Option<Duration>) -> Result<Duration> {
        let most = self.settings.profile.presign_max;
        let most = self.remaining()?.map_or(most, |left| left.min(most));
        let life = asked.unwrap_or(self.settings.link_life).as_secs();
        Ok(Duration::from_secs(life.clamp(1, most.as_secs().max(1))))
    }

    /// How long temporary credentials last yet; none if no end is known.
    fn remaining(&self) -> Result<Option<Duration>> {
        let Some(end) = self
            .settings
            .credentials
            .as_ref()
            .and_then(|keys| keys.expires)
        else {
            return Ok(None);
        };
        match end.duration_since(self.client.now()) {
            Ok(left) if left >= Duration::from_secs(1) => Ok(Some(left)),
            _ => Err(Error::Unauthenticated(
                "the session token has expired: give new temporary credentials".to_owned(),
            )),
        }
    }
}

fn plain(address: &Address, key: &str) -> SignedUrl {
    SignedUrl {
        url: format!(
            "{}{}{}",
            address.scheme(),
            address.authority,
            address.path(Some(key))
        ),
        expires: None,
    }
}
