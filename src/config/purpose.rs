//! Which of the three functions this is, told by which others it knows.

use protocol::name::unqualified;
use protocol::operations::Duty;

use super::ConfigError;

/// What this function is for. The same program is deployed three times: who may call one of them may not call
/// the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Secrets Manager calls it for the steps of rotations.
    Rotation,
    /// It performs the operations of a duty.
    Operations {
        /// Which.
        duty: Duty,
        /// The ARN of the function that rotates.
        rotation: String,
        /// The ARN of the function for the other duty.
        other: String,
    },
}

impl Purpose {
    /// How the template names the emergency function: like the one that rotates, with this behind it.
    const EMERGENCY_SUFFIX: &'static str = "-emergency";

    pub(super) fn from_env(read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let arn = |name: &'static str| read(name).map(|arn| function_arn(name, arn)).transpose();
        let operations = arn("OPERATIONS_FUNCTION_ARN")?;
        let emergency = arn("EMERGENCY_FUNCTION_ARN")?;
        match (arn("ROTATION_FUNCTION_ARN")?, operations, emergency) {
            (None, None, None) => Ok(Self::Rotation),
            (None, ..) => {
                let problem = "is missing: a function for operations has to know the one that rotates".into();
                Err(ConfigError {
                    name: "ROTATION_FUNCTION_ARN",
                    problem,
                })
            }
            (Some(_), Some(_), Some(_)) => {
                let problem = "and EMERGENCY_FUNCTION_ARN are both set: the first makes this the emergency \
                               function, the second names another one"
                    .into();
                Err(ConfigError {
                    name: "OPERATIONS_FUNCTION_ARN",
                    problem,
                })
            }
            (Some(rotation), Some(other), None) => Ok(Self::Operations {
                duty: Duty::Emergency,
                rotation,
                other,
            }),
            (Some(rotation), None, other) => {
                let other =
                    other.unwrap_or_else(|| format!("{}{}", unqualified(&rotation), Self::EMERGENCY_SUFFIX));
                Ok(Self::Operations {
                    duty: Duty::Operations,
                    rotation,
                    other,
                })
            }
        }
    }
}

fn function_arn(name: &'static str, arn: String) -> Result<String, ConfigError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "lambda", _, _, "function", _] | ["arn", _, "lambda", _, _, "function", _, _] => Ok(arn),
        _ => Err(ConfigError {
            name,
            problem: "is not the ARN of a Lambda function".into(),
        }),
    }
}
