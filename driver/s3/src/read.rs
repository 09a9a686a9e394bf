//! Reading: links to an object's bytes.

use std::time::Duration;

use orlop_driver::{
    Audience, Content, Host, Link, Path, ReadOptions, Result, SignedRequest, SignedUrl,
};

use crate::{
    disposition,
    driver::S3,
    endpoint::Address,
    key,
    settings::Site,
    sign::{EMPTY_PAYLOAD, UNSIGNED_PAYLOAD, Unsigned},
};

/// How long a link of the host's own is to be used: less than the 15 minutes that services allow.
const HOST_LINK_LIFE: Duration = Duration::from_secs(10 * 60);

impl<H: Host> S3<H> {
    /// A link to a file's bytes. Whether the file is there is not asked.
    pub(crate) fn link(&self, path: &Path, options: &ReadOptions) -> Result<Content> {
        let key = key::of_file(path)?;
        let link = match options.audience {
            Audience::Client => Link::Shareable(self.client_link(&key, options)),
            Audience::Host => self.host_link(&key),
        };
        Ok(Content::Link(link))
    }

    fn client_link(&self, key: &str, options: &ReadOptions) -> SignedUrl {
        let site = self.client.site();
        let at_custom_host;
        let site = match &self.settings.custom_host {
            Some(custom) if !custom.signed => return plain(&custom.address, key),
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
            return plain(&site.address, key);
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
        let life = self.link_life(options.expires);
        SignedUrl {
            url: signer.url(&request, life, self.client.now()),
            expires: self.client.host.now().checked_add(life),
        }
    }

    /// Signed in its headers: such a URL is of no use to who finds it in a log.
    fn host_link(&self, key: &str) -> Link {
        let site = self.client.site();
        let address = &site.address;
        let Some(signer) = &self.client.signer else {
            return Link::Shareable(plain(address, key));
        };
        let path = address.path(Some(key));
        let request = Unsigned {
            method: "GET",
            site: &site,
            path: &path,
            query: &[],
            headers: &[],
        };
        let payload = if address.secure {
            UNSIGNED_PAYLOAD
        } else {
            EMPTY_PAYLOAD
        };
        let headers = signer.headers(&request, payload, self.client.now());
        Link::HostOnly(SignedRequest {
            method: "GET".to_owned(),
            url: format!("{}{}{path}", address.scheme(), address.authority),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            expires: self.client.host.now().checked_add(HOST_LINK_LIFE),
        })
    }

    /// How long a link is good: what is asked for, or the configured time, in whole seconds and within what
    /// the service allows.
    pub(crate) fn link_life(&self, asked: Option<Duration>) -> Duration {
        let life = asked.unwrap_or(self.settings.link_life).as_secs();
        Duration::from_secs(life.clamp(1, self.settings.profile.presign_max.as_secs()))
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
