//! Which regions there are, and where their STS is. Nothing here is configured.

use url::Url;

/// A part of AWS with accounts of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    /// As in ARNs.
    pub(super) name: &'static str,
    /// What its hosts end with.
    suffix: &'static str,
    /// What its regions begin with.
    areas: &'static [&'static str],
}

const PARTITIONS: [Partition; 4] = [
    Partition { name: "aws-us-gov", suffix: "amazonaws.com", areas: &["us-gov"] },
    Partition { name: "aws-cn", suffix: "amazonaws.com.cn", areas: &["cn"] },
    Partition { name: "aws-eusc", suffix: "amazonaws.eu", areas: &["eusc-de"] },
    Partition {
        name: "aws",
        suffix: "amazonaws.com",
        areas: &["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"],
    },
];

/// The middle of a region's name.
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// The host of STS without a region, of the first partition.
const GLOBAL: &str = "sts.amazonaws.com";
/// The region that is signed for with [`GLOBAL`].
const GLOBAL_REGION: &str = "us-east-1";

impl Partition {
    /// The partition of an STS endpoint.
    pub(super) fn of_endpoint(endpoint: &str) -> Option<&'static Self> {
        let url = Url::parse(endpoint).ok()?;
        let host = url.host_str()?;
        let plain = url.scheme() == "https"
            && url.port().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return None;
        }
        PARTITIONS.iter().find(|partition| {
            let region = host.strip_prefix("sts.").or_else(|| host.strip_prefix("sts-fips."));
            let region = region.and_then(|rest| rest.strip_suffix(partition.suffix));
            let region = region.and_then(|rest| rest.strip_suffix('.'));
            region.is_some_and(|region| partition.has(region))
                || partition.name == "aws" && host == GLOBAL
        })
    }

    /// Whether a region is this partition's.
    pub(super) fn has(&self, region: &str) -> bool {
        self.areas.iter().any(|area| {
            let rest = region.strip_prefix(area).and_then(|rest| rest.strip_prefix('-'));
            let parts = rest.and_then(|rest| rest.split_once('-'));
            parts.is_some_and(|(direction, number)| {
                DIRECTIONS.contains(&direction) && matches!(number.as_bytes(), [b'1'..=b'9'])
            })
        })
    }

    /// Whether a host is STS for a region of this partition.
    pub(super) fn serves(&self, host: &str, region: &str) -> bool {
        let suffix = self.suffix;
        self.has(region)
            && (host == format!("sts.{region}.{suffix}")
                || host == format!("sts-fips.{region}.{suffix}")
                || (self.name, host, region) == ("aws", GLOBAL, GLOBAL_REGION))
    }
}
