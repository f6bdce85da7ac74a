//! Decides what the identifiers of Sampan look like and which texts are refused as one.
//!
//! Cloud-side rules (which image id a vendor accepts, which regions may copy) are not here: they are limits and
//! rules of the services.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// A public cloud that Sampan carries images on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// Tencent Cloud: CVM images, COS buckets.
    Tencent,
    /// Alibaba Cloud: ECS images, OSS buckets.
    Alibaba,
}

impl Cloud {
    /// Both clouds, in the order that lists show them.
    pub const ALL: [Self; 2] = [Self::Tencent, Self::Alibaba];

    /// Returns the lower-case word of the cloud, as used in configuration and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tencent => "tencent",
            Self::Alibaba => "alibaba",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: {rule}")]
pub struct InvalidId {
    /// What was wanted, for example `account name`.
    pub kind: &'static str,
    /// What was given, cut to 80 characters.
    pub text: String,
    /// The rule that it breaks, as a phrase.
    pub rule: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self { kind, text: text.chars().take(80).collect(), rule }
    }
}

impl FromStr for Cloud {
    type Err = InvalidId;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.as_str() == word)
            .ok_or_else(|| InvalidId::new("cloud", word, "the clouds are tencent and alibaba"))
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $max:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Returns the text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let valid: fn(char) -> bool = $valid;
                if text.is_empty() || text.len() > $max || !text.chars().all(valid) {
                    return Err(InvalidId::new($kind, text, $rule));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Name of a configured account, such as `prod-cn`; never a cloud's account number.
    AccountName,
    "account name",
    "1 to 63 lower-case letters, digits, `-` or `_`",
    63,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
);

text_id!(
    /// Region code of a cloud, such as `ap-guangzhou` or `cn-hangzhou`; kept as an opaque text.
    Region,
    "region",
    "1 to 40 lower-case letters, digits or `-`",
    40,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);

text_id!(
    /// Image id of a cloud, such as `img-72n9mi0y` or `m-bp67acfmxazb4p0001`.
    ImageId,
    "image id",
    "1 to 128 letters, digits, `-`, `_` or `.`",
    128,
    |c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.'
);

/// The unit that quota and locks are counted by: one account of one cloud in one region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lane {
    /// The cloud of the account.
    pub cloud: Cloud,
    /// The configured account.
    pub account: AccountName,
    /// The region that the mutating call goes to.
    pub region: Region,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.cloud, self.account, self.region)
    }
}

/// Identity of one durable operation: a UUID of version 7, so that sorting by id sorts by start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(Uuid);

impl OperationId {
    /// Prefix of the resource name.
    pub const PREFIX: &'static str = "operations/";

    /// Makes a fresh id whose time part is `now`.
    pub fn generate(now: jiff::Timestamp) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let seconds = millis / 1_000;
        let nanos = u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000;
        Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
    }

    /// Returns the resource name, `operations/<uuid>`.
    pub fn name(&self) -> String {
        format!("{}{}", Self::PREFIX, self.0)
    }

    /// Returns the bare UUID.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for OperationId {
    /// Reads back an id that was kept as a bare UUID.
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for OperationId {
    type Err = InvalidId;

    /// Reads `operations/<uuid>` or the bare UUID.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix(Self::PREFIX).unwrap_or(text);
        Uuid::try_parse(bare)
            .map(Self)
            .map_err(|_| InvalidId::new("operation name", text, "it has the form operations/<uuid>"))
    }
}

/// Key by which a caller makes a start idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Returns the bare UUID.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for RequestId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new("request id", text, "it is a UUID"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_name_reads_back_with_and_without_its_prefix() {
        let id = OperationId::generate("2026-11-21T04:00:00Z".parse().unwrap());
        assert_eq!(id.name().parse::<OperationId>().unwrap(), id);
        assert_eq!(id.to_string().parse::<OperationId>().unwrap(), id);
        assert!("operations/42".parse::<OperationId>().is_err());
    }

    #[test]
    fn later_operations_sort_after_earlier_ones() {
        let early = OperationId::generate("2026-11-21T04:00:00Z".parse().unwrap());
        let late = OperationId::generate("2026-11-21T04:00:01Z".parse().unwrap());
        assert!(early < late);
    }

    #[test]
    fn account_names_with_other_characters_are_refused() {
        assert!("prod-cn".parse::<AccountName>().is_ok());
        for bad in ["", "Prod", "a/b", "a b", &"x".repeat(64)] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad}");
        }
    }
}
