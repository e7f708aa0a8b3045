//! Kubernetes' `ip` and `cidr` libraries.

use std::net::{IpAddr, Ipv4Addr};

use super::{Row, text};
use crate::cel::Failure;
use crate::cel::value::{Data, Opaque, Val};

/// An address.
pub type Ip = IpAddr;

/// An address and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// The libraries' rows.
pub const ROWS: &[Row] = &[
    Row::global("ip", &["(string) -> net.IP"], |_, args| Ok(Val::new(Opaque::Ip(parse_ip(text(&args[0])?)?).into()))),
    Row::global("isIP", &["(string) -> bool"], |_, args| Ok(parse_ip(text(&args[0])?).is_ok().into())),
    Row::global("ip.isCanonical", &["(string) -> bool"], |_, args| {
        let text = text(&args[0])?;
        Ok((parse_ip(text)?.to_string() == text).into())
    }),
    Row::member("family", &["(net.IP) -> int"], |_, args| {
        Ok(if address(&args[0])?.is_ipv4() { 4.into() } else { 6.into() })
    }),
    Row::member("isUnspecified", &["(net.IP) -> bool"], |_, args| Ok(address(&args[0])?.is_unspecified().into())),
    Row::member("isLoopback", &["(net.IP) -> bool"], |_, args| Ok(address(&args[0])?.is_loopback().into())),
    Row::member("isLinkLocalMulticast", &["(net.IP) -> bool"], |_, args| {
        Ok(match address(&args[0])? {
            IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
            IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
        }
        .into())
    }),
    Row::member("isLinkLocalUnicast", &["(net.IP) -> bool"], |_, args| Ok(link_local(address(&args[0])?).into())),
    Row::member("isGlobalUnicast", &["(net.IP) -> bool"], |_, args| {
        let ip = address(&args[0])?;
        let broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
        let special = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local(ip) || broadcast;
        Ok((!special).into())
    }),
    Row::global("cidr", &["(string) -> net.CIDR"], |_, args| {
        Ok(Val::new(Opaque::Cidr(parse_cidr(text(&args[0])?)?).into()))
    }),
    Row::global("isCIDR", &["(string) -> bool"], |_, args| Ok(parse_cidr(text(&args[0])?).is_ok().into())),
    Row::member("containsIP", &["(net.CIDR, string) -> bool", "(net.CIDR, net.IP) -> bool"], |_, args| {
        let ip = match &args[1].data {
            Data::String(text) => parse_ip(text)?,
            _ => address(&args[1])?,
        };
        Ok(network(&args[0])?.contains(ip).into())
    }),
    Row::member("containsCIDR", &["(net.CIDR, string) -> bool", "(net.CIDR, net.CIDR) -> bool"], |_, args| {
        let inner = match &args[1].data {
            Data::String(text) => parse_cidr(text)?,
            _ => network(&args[1])?,
        };
        let outer = network(&args[0])?;
        Ok((outer.bits <= inner.bits && outer.contains(inner.address)).into())
    }),
    Row::member("ip", &["(net.CIDR) -> net.IP"], |_, args| Ok(Val::new(Opaque::Ip(network(&args[0])?.address).into()))),
    Row::member("prefixLength", &["(net.CIDR) -> int"], |_, args| Ok(i64::from(network(&args[0])?.bits).into())),
    Row::member("masked", &["(net.CIDR) -> net.CIDR"], |_, args| {
        Ok(Val::new(Opaque::Cidr(network(&args[0])?.masked()).into()))
    }),
];

impl Cidr {
    /// The bytes of an address that the network fixes.
    pub fn bytes(self) -> usize {
        usize::from(self.bits).div_ceil(8)
    }

    /// The network's part of an address, as the number that it is.
    fn prefix(self, address: IpAddr) -> u128 {
        let (number, width) = match address {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        number.checked_shr(width - u32::from(self.bits)).unwrap_or(0)
    }

    fn contains(self, other: IpAddr) -> bool {
        self.address.is_ipv4() == other.is_ipv4() && self.prefix(self.address) == self.prefix(other)
    }

    fn masked(self) -> Self {
        let prefix = self.prefix(self.address);
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4((prefix.checked_shl(32 - u32::from(self.bits)).unwrap_or(0) as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(prefix.checked_shl(128 - u32::from(self.bits)).unwrap_or(0).into()),
        };
        Self { address, bits: self.bits }
    }
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn address(value: &Val) -> Result<Ip, Failure> {
    match &value.data {
        Data::Opaque(opaque) => match **opaque {
            Opaque::Ip(ip) => Ok(ip),
            _ => Err(Failure::NoSuchOverload),
        },
        _ => Err(Failure::NoSuchOverload),
    }
}

fn network(value: &Val) -> Result<Cidr, Failure> {
    match &value.data {
        Data::Opaque(opaque) => match **opaque {
            Opaque::Cidr(cidr) => Ok(cidr),
            _ => Err(Failure::NoSuchOverload),
        },
        _ => Err(Failure::NoSuchOverload),
    }
}

/// Addresses with a zone and IPv4 addresses mapped to IPv6 are refused, as Kubernetes does.
fn parse_ip(text: &str) -> Result<Ip, Failure> {
    if text.contains('%') {
        return Err(Failure::Other(format!("IP address {text:?} with zone value is not allowed")));
    }
    match text.parse() {
        Ok(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_some() => {
            Err(Failure::Other(format!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        Ok(ip) => Ok(ip),
        Err(_) => Err(Failure::Other(format!("IP Address {text:?} parse error during conversion from string"))),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, Failure> {
    const WHERE: &str = "network address parse error during conversion from string";
    let invalid = |why: &str| Failure::Other(format!("{WHERE}: {WHERE}: netip.ParsePrefix({text:?}): {why}"));
    let (address, bits) = text.rsplit_once('/').ok_or_else(|| invalid("no '/'"))?;
    if address.contains('%') {
        return Err(invalid("IPv6 zones cannot be present in a prefix"));
    }
    let address: IpAddr =
        address.parse().map_err(|_| invalid(&format!("ParseAddr({address:?}): unable to parse IP")))?;
    let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
    if !plain {
        return Err(invalid(&format!("bad bits after slash: {bits:?}")));
    }
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits =
        bits.parse().ok().filter(|bits| *bits <= longest).ok_or_else(|| invalid("prefix length out of range"))?;
    if matches!(address, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some()) {
        return Err(Failure::Other(format!("{WHERE}: IPv4-mapped IPv6 address {text:?} is not allowed")));
    }
    Ok(Cidr { address, bits })
}

/// `10.0.0.0/8`
pub fn print_cidr(cidr: &Cidr) -> String {
    format!("{}/{}", cidr.address, cidr.bits)
}
