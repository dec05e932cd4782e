//! What can be set, and what is refused.

use protocol::operations::Duty;

use super::*;

fn read(name: &'static str, value: &str) -> Result<Config, String> {
    Config::from_env(|asked| (asked == name).then(|| value.to_owned())).map_err(|error| error.to_string())
}

#[test]
fn an_empty_environment_is_a_good_one() {
    let config = Config::from_env(|_| None).unwrap();
    assert!(config.base_urls.is_empty() && config.egress.is_empty() && config.log_level == LevelFilter::INFO);
    assert!(read("EGRESS_IPS", " ").unwrap().egress.is_empty());
}

#[test]
fn plain_http_goes_to_loopback_only() {
    for good in [
        "http://127.0.0.1:9302",
        "http://localhost:1",
        "http://[::1]:1/",
        "https://gateway.example/bybit",
    ] {
        assert!(read("BYBIT_BASE_URL", good).is_ok(), "{good}");
    }
    for bad in [
        "http://api.bybit.com",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "api.bybit.com",
        "https://user:pass@host",
        "https://host/?a=b",
        "nonsense",
    ] {
        let error = read("BYBIT_BASE_URL", bad).unwrap_err();
        assert!(
            error.contains("BYBIT_BASE_URL") && !error.contains("pass@"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn a_wrong_value_is_refused_by_its_name() {
    for (name, value) in [
        ("EGRESS_IPS", "1.2.3.4,bot"),
        ("EGRESS_IPS", "0.0.0.0"),
        ("LOG_LEVEL", "loud"),
        ("ROTATION_FUNCTION_ARN", "exchange-key-rotation"),
        (
            "ROTATION_FUNCTION_ARN",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
        ),
        ("OPERATIONS_FUNCTION_ARN", "exchange-key-rotation-operations"),
        ("EMERGENCY_FUNCTION_ARN", "exchange-key-rotation-emergency"),
        ("KMS_KEY_ARN", "arn:aws:kms:eu-west-1:123456789012:alias/trading"),
        ("GRACE_HOURS", "0"),
        ("GRACE_HOURS", "a day"),
        ("GRACE_HOURS", "-1"),
        ("ADOPTION_GRACE_HOURS", "99999"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_ENDPOINT_URL", "http://10.0.0.1:4566"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:9311"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https:/host"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https:host"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "not a url"),
        ("AWS_REGION", "\"us-east-1\""),
        ("AWS_REGION", "us east 1"),
        ("AWS_REGION", ""),
        ("AWS_ENDPOINT_URL", " https://vpce.example"),
        ("AWS_DEFAULT_REGION", "US-EAST-1"),
        ("HTTPS_PROXY", "nonsense://x"),
        ("https_proxy", "http://"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
    ] {
        let error = read(name, value).unwrap_err();
        assert!(error.contains(name), "{error}");
    }
    assert_eq!(
        read("EGRESS_IPS", "203.0.113.7, 203.0.113.8")
            .unwrap()
            .egress
            .len(),
        2
    );
}

#[test]
fn what_the_function_is_for_is_told_by_which_others_it_knows() {
    let arn = |name: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
    let purpose = |names: &[&str]| {
        let known = |asked: &str| names.contains(&asked).then(|| arn(&asked.to_lowercase()));
        Config::from_env(known)
            .map(|config| config.purpose)
            .map_err(|error| error.to_string())
    };
    let operations = |duty, other: String| Purpose::Operations {
        duty,
        rotation: arn("rotation_function_arn"),
        other,
    };
    assert_eq!(purpose(&[]), Ok(Purpose::Rotation));
    assert_eq!(
        purpose(&["ROTATION_FUNCTION_ARN"]),
        Ok(operations(
            Duty::Operations,
            arn("rotation_function_arn-emergency")
        ))
    );
    assert_eq!(
        purpose(&["ROTATION_FUNCTION_ARN", "EMERGENCY_FUNCTION_ARN"]),
        Ok(operations(Duty::Operations, arn("emergency_function_arn")))
    );
    assert_eq!(
        purpose(&["ROTATION_FUNCTION_ARN", "OPERATIONS_FUNCTION_ARN"]),
        Ok(operations(Duty::Emergency, arn("operations_function_arn")))
    );
    assert!(
        purpose(&["OPERATIONS_FUNCTION_ARN"])
            .unwrap_err()
            .contains("ROTATION_FUNCTION_ARN is missing")
    );
    let all = purpose(&[
        "ROTATION_FUNCTION_ARN",
        "OPERATIONS_FUNCTION_ARN",
        "EMERGENCY_FUNCTION_ARN",
    ]);
    assert!(all.unwrap_err().contains("both set"));
}

#[test]
fn an_endpoint_that_is_ignored_need_not_be_one() {
    let set = |names: &[&str]| {
        let value = |asked: &str| {
            if asked == "AWS_ENDPOINT_URL" {
                "nonsense"
            } else {
                "true"
            }
        };
        Config::from_env(|asked| names.contains(&asked).then(|| value(asked).to_owned())).is_ok()
    };
    assert!(!set(&["AWS_ENDPOINT_URL"]));
    assert!(set(&[
        "AWS_ENDPOINT_URL",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT"
    ]));
}

#[test]
fn fips_or_dual_stack_beside_an_endpoint_is_refused_by_name() {
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let both = Config::from_env(|asked| match asked {
            "AWS_ENDPOINT_URL" => Some("https://vpce.example".to_owned()),
            other => (other == name).then(|| "true".to_owned()),
        });
        assert!(both.unwrap_err().to_string().contains(name));
        assert!(read(name, "true").is_ok());
    }
}

#[test]
fn a_proxy_may_be_named_with_or_without_its_scheme() {
    for good in [
        "http://proxy.example:3128",
        "https://user:pass@proxy.example",
        "proxy.example:3128",
        "10.0.0.1:8080",
    ] {
        assert!(read("HTTPS_PROXY", good).is_ok(), "{good}");
    }
}

#[test]
fn a_variable_that_lambda_sets_is_asked_for_by_name() {
    let error =
        lambda_is_complete(|name| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "f".into())).unwrap_err();
    assert!(error.to_string().contains("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
}
