//! Finds the addresses of a host's name.
//!
//! They are the ones that PostgreSQL's clients on this machine get. C's library answers, but for
//! musl's: it asks all name servers at once and takes the first answer, so that with a VPN or WSL,
//! where one server knows names that the others deny, luck decides. There, Hickory asks the servers
//! of `/etc/resolv.conf` one after the other, as glibc does: the next one is asked only where a
//! server does not answer or says that it cannot. glibc's modules (`/etc/nsswitch.conf`) are not
//! read.

use std::io::Result;
use std::net::IpAddr;

/// Returns the addresses of a name in the order in which clients try them. It blocks, without a
/// time limit of its own.
pub(crate) fn addresses_of(host: &str) -> Result<Vec<IpAddr>> {
    #[cfg(target_env = "musl")]
    return musl_resolver::addresses_of(host);
    #[cfg(not(target_env = "musl"))]
    addresses_by_libc(host)
}

fn addresses_by_libc(host: &str) -> Result<Vec<IpAddr>> {
    use std::net::ToSocketAddrs;

    let mut addresses = Vec::new();
    for address in (host, 0).to_socket_addrs()? {
        addresses.push(address.ip());
    }
    Ok(addresses)
}

#[cfg(target_env = "musl")]
mod musl_resolver {
    use std::io;
    use std::net::IpAddr;

    use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::net::{DnsError, NetError};
    use hickory_resolver::proto::op::ResponseCode;
    use hickory_resolver::{Resolver, system_conf};

    pub(super) fn addresses_of(host: &str) -> io::Result<Vec<IpAddr>> {
        let Ok((config, options)) = system_conf::read_system_conf() else {
            // No name server is named: musl asks this machine.
            return super::addresses_by_libc(host);
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let answer = runtime.block_on(ask_in_order(host, &config, &options));
        answer.map_err(io::Error::other)
    }

    /// Asks each server, as often as `options attempts:N` says, until one knows.
    async fn ask_in_order(
        host: &str,
        config: &ResolverConfig,
        options: &ResolverOpts,
    ) -> Result<Vec<IpAddr>, NetError> {
        let mut failure = NetError::NoConnections;
        for _ in 0..options.attempts.max(1) {
            for index in 0..config.name_servers().len() {
                match ask_one(host, config, index, options).await {
                    Ok(addresses) => return Ok(addresses),
                    Err(error) if is_answer(&error) => return Err(error),
                    Err(error) => failure = error,
                }
            }
        }
        Err(failure)
    }

    async fn ask_one(
        host: &str,
        config: &ResolverConfig,
        index: usize,
        options: &ResolverOpts,
    ) -> Result<Vec<IpAddr>, NetError> {
        let server = config.name_servers()[index].clone();
        let config = ResolverConfig::from_parts(
            config.domain().cloned(),
            config.search().to_vec(),
            vec![server],
        );
        let mut resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let own_options = resolver.options_mut();
        *own_options = options.clone();
        own_options.attempts = 0;
        own_options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        let addresses = resolver.build()?.lookup_ip(host).await?;
        Ok(addresses.iter().collect())
    }

    /// Tells whether a server has said that the name has no address. Then no other one is asked.
    fn is_answer(error: &NetError) -> bool {
        let NetError::Dns(DnsError::NoRecordsFound(answer)) = error else {
            return false;
        };
        matches!(
            answer.response_code,
            ResponseCode::NXDomain | ResponseCode::NoError
        )
    }
}
