//! How far something is open: to which addresses, pods and ports, at which hosts and paths. One extent may cover another.

use std::fmt;
use std::net::IpAddr;

use crate::policy::reach::{At, Error, Labels};
use crate::value::Value;

/// How far something is open, in one respect.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Extent<'v> {
    /// There is nothing more to say; covers itself alone.
    Nothing,
    /// Without any bound.
    All(&'static str),
    /// Something that has a name.
    Named(String),
    /// Addresses.
    Block(Block),
    /// Pods, by the namespaces that they are in and their own labels.
    Pods {
        /// Those of the policy's own namespace where there are none.
        namespaces: Option<Labels<'v>>,
        pods: Labels<'v>,
    },
    /// Ports of a protocol, the first and the last one; all where there are none.
    Ports { protocol: &'v str, range: Option<(i64, i64)> },
    /// What is reached below a host.
    Site { host: String, path: String, is_prefix: bool },
}

/// A network without some parts of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Block {
    net: Net,
    except: Vec<Net>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Net {
    first: IpAddr,
    bits: u8,
}

impl Extent<'_> {
    /// Whether all that another extent opens is open by this one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(_), _) => true,
            (Self::Block(own), Self::Block(other)) => own.covers(other),
            (Self::Pods { namespaces, pods }, Self::Pods { namespaces: of_other, pods: other }) => {
                let is_wider = match (namespaces, of_other) {
                    (Some(all), _) if all.is_empty() => true,
                    (own, other) => own == other,
                };
                is_wider && (pods.is_empty() || pods == other)
            }
            (Self::Ports { protocol, range }, Self::Ports { protocol: of_other, range: other }) => {
                let is_wider = match (range, other) {
                    (None, _) => true,
                    (Some((first, last)), Some(other)) => *first <= other.0 && other.1 <= *last,
                    (Some(_), None) => false,
                };
                protocol == of_other && is_wider
            }
            (Self::Site { host, path, is_prefix }, Self::Site { host: of_other, path: below, is_prefix: is_wide }) => {
                let is_label = |label: &str| !label.is_empty() && !label.contains('.');
                let wildcard = host.strip_prefix('*').and_then(|end| of_other.strip_suffix(end));
                let is_host = host.is_empty() || host == of_other || wildcard.is_some_and(is_label);
                let rest = below.strip_prefix(path.trim_end_matches('/'));
                let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                is_host && if *is_prefix { is_below } else { path == below && !is_wide }
            }
            (own, other) => own == other,
        }
    }

    /// The number of its parts: to compare two extents takes as many steps as both have, multiplied.
    pub fn weight(&self) -> usize {
        if let Self::Block(block) = self { 1 + block.except.len() } else { 1 }
    }

    /// Whether everybody may be meant, or every pod.
    pub fn is_wide(&self) -> bool {
        match self {
            Self::All(_) => true,
            Self::Block(block) => block.net.bits == 0,
            Self::Pods { namespaces, .. } => namespaces.as_ref().is_some_and(Labels::is_empty),
            _ => false,
        }
    }

    /// Whether an address outside of the cluster is among what is open.
    pub fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::All(_) => true,
            Self::Block(block) => block.net.holds(address) && !block.except.iter().any(|net| net.holds(address)),
            _ => false,
        }
    }

    /// The network of a text, or its text where it is none.
    pub fn network(text: &str, except: &[&str]) -> Self {
        let read = || {
            let except: Option<Vec<Net>> = except.iter().map(|text| Net::read(text)).collect();
            Some(Self::Block(Block { net: Net::read(text)?, except: except? }))
        };
        read().unwrap_or_else(|| Self::Named(text.to_owned()))
    }
}

impl Block {
    /// What this leaves out the other must leave out, too, or not reach.
    fn covers(&self, other: &Self) -> bool {
        let is_out = |gap: &Net| !gap.meets(&other.net) || other.except.iter().any(|out| out.covers(gap));
        self.net.covers(&other.net) && self.except.iter().all(is_out)
    }
}

impl Net {
    /// A network, or a single address.
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most)?;
        Some(Self { first, bits })
    }

    fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.holds(other.first)
    }

    fn meets(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    fn holds(&self, address: IpAddr) -> bool {
        let part = |address: IpAddr| match address {
            IpAddr::V4(ip) => u128::from(ip.to_bits()).checked_shr(32 - u32::from(self.bits)),
            IpAddr::V6(ip) => ip.to_bits().checked_shr(128 - u32::from(self.bits)),
        };
        self.first.is_ipv4() == address.is_ipv4() && part(self.first) == part(address)
    }
}

/// The port or ports of a rule of a NetworkPolicy, or of a Service.
pub(super) fn port<'v>(at: &At<'_, 'v>, number: &'v str) -> Result<Extent<'v>, Error> {
    let protocol = match at.text_of("protocol")? {
        "" => "TCP",
        protocol => protocol,
    };
    let last = at.get("endPort")?.value().clone();
    Ok(match at.get(number)?.value() {
        Value::Int(first) => {
            let last = if let Value::Int(last) = last { last } else { *first };
            Extent::Ports { protocol, range: Some((*first, last)) }
        }
        Value::Null => Extent::Ports { protocol, range: None },
        _ => Extent::Named(format!("{}/{protocol}", at.text_of(number)?)),
    })
}

impl fmt::Display for Extent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::All(text) => f.write_str(text),
            Self::Named(text) => f.write_str(text),
            Self::Block(Block { net, except }) if except.is_empty() => net.fmt(f),
            Self::Block(Block { net, except }) => {
                let except: Vec<String> = except.iter().map(Net::to_string).collect();
                write!(f, "{net} (but for {})", except.join(", "))
            }
            Self::Pods { namespaces, pods } => {
                match pods.is_empty() {
                    true => f.write_str("every pod")?,
                    false => write!(f, "pods {pods}")?,
                }
                match namespaces {
                    None => Ok(()),
                    Some(all) if all.is_empty() => f.write_str(" of every namespace"),
                    Some(some) => write!(f, " of namespaces {some}"),
                }
            }
            Self::Ports { protocol, range: None } => write!(f, "every {protocol} port"),
            Self::Ports { protocol, range: Some((first, last)) } if first == last => write!(f, "{first}/{protocol}"),
            Self::Ports { protocol, range: Some((first, last)) } => write!(f, "{first}-{last}/{protocol}"),
            Self::Site { host, path, is_prefix } => {
                let host = if host.is_empty() { "every host" } else { host };
                write!(f, "{host}{path}{}", if *is_prefix { "" } else { " alone" })
            }
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}
