//! Stand-ins to rotate against without an AWS account.
