//! The calls that a rotation makes, in order.

/// The calls of a rotation that issues a key, in order. Those of one line go out together.
pub(super) const ISSUING: [&str; 13] = [
    "createSecret: DescribeSecret, ListSecretVersionIds, GetSecretValue of the new version, GetSecretValue \
     of AWSCURRENT",
    "createSecret: GetSecretValue of the master credential, the venue is asked about the current key",
    "createSecret: the venue lists the account's keys",
    "createSecret: the venue issues a key",
    "createSecret: PutSecretValue as AWSPENDING",
    "setSecret: DescribeSecret, GetSecretValue of the new version, GetSecretValue of AWSCURRENT",
    "setSecret: GetSecretValue of the master credential",
    "setSecret: the venue lists the account's keys",
    "testSecret: DescribeSecret, GetSecretValue of the new version",
    "testSecret: the venue is asked about the new key",
    "finishSecret: DescribeSecret, GetSecretValue of the new version; the venue is asked about the new key",
    "finishSecret: UpdateSecretVersionStage moves AWSCURRENT",
    "finishSecret: UpdateSecretVersionStage stamps the replaced version",
];
/// The same where a credential is copied that is there already.
pub(super) const COPYING: [&str; 13] = [
    "createSecret: DescribeSecret, ListSecretVersionIds, GetSecretValue of the new version, GetSecretValue \
     of AWSCURRENT",
    "createSecret: GetSecretValue of the offered version",
    "createSecret: the venue is asked about the current key and the offered one",
    "createSecret: PutSecretValue as AWSPENDING",
    "setSecret: DescribeSecret, GetSecretValue of the new version, GetSecretValue of AWSCURRENT",
    "setSecret: GetSecretValue of the master credential, where one is named",
    "setSecret: the venue lists the account's keys, or is asked about the offered one",
    "testSecret: DescribeSecret, GetSecretValue of the new version",
    "testSecret: the venue is asked about the offered key",
    "finishSecret: DescribeSecret, GetSecretValue of the new version; the venue is asked about the offered \
     key",
    "finishSecret: UpdateSecretVersionStage moves AWSCURRENT",
    "finishSecret: UpdateSecretVersionStage stamps the replaced version",
    "finishSecret: UpdateSecretVersionStage takes the offer's label off",
];
