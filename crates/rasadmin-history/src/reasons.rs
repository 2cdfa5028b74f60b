//! What the Reason-Code of an Access-Reject means, and the name of the code in Windows.

/// The codes that NPS gives to attempts of VPN users.
const REASONS: &[(u32, &str, &str)] = &[
    (1, "an internal error of NPS", "IAS_INTERNAL_ERROR"),
    (2, "NPS lacks rights for the request", "IAS_ACCESS_DENIED"),
    (3, "the request is malformed", "IAS_MALFORMED_REQUEST"),
    (4, "the global catalog cannot be reached", "IAS_GLOBAL_CATALOG_UNAVAILABLE"),
    (5, "the domain controller cannot be reached", "IAS_DOMAIN_UNAVAILABLE"),
    (6, "the server is not available", "IAS_SERVER_UNAVAILABLE"),
    (7, "the domain does not exist", "IAS_NO_SUCH_DOMAIN"),
    (8, "the user does not exist", "IAS_NO_SUCH_USER"),
    (9, "an extension of NPS discarded the request", ""),
    (16, "wrong user name or password", "IAS_AUTH_FAILURE"),
    (17, "the password could not be changed", "IAS_CHANGE_PASSWORD_FAILURE"),
    (18, "NPS does not support the authentication method", "IAS_UNSUPPORTED_AUTH_TYPE"),
    (19, "no reversibly encrypted password is stored for the user", ""),
    (20, "LAN Manager authentication is not enabled", "IAS_LM_NOT_ALLOWED"),
    (21, "an extension of NPS rejected the request", ""),
    (22, "NPS cannot process the client's EAP type", ""),
    (23, "an error in the EAP exchange, possibly of the configuration", ""),
    (32, "only local users are allowed", "IAS_LOCAL_USERS_ONLY"),
    (33, "the password must be changed", "IAS_PASSWORD_MUST_CHANGE"),
    (34, "the account is disabled", "IAS_ACCOUNT_DISABLED"),
    (35, "the account has expired", "IAS_ACCOUNT_EXPIRED"),
    (36, "the account is locked out", "IAS_ACCOUNT_LOCKED_OUT"),
    (37, "outside the logon hours of the account", "IAS_INVALID_LOGON_HOURS"),
    (38, "a restriction of the account", "IAS_ACCOUNT_RESTRICTION"),
    (48, "no network policy matches", "IAS_NO_POLICY_MATCH"),
    (49, "no connection request policy matches", "IAS_NO_CXN_REQUEST_POLICY_MATCH"),
    (64, "the account is locked out for remote access", "IAS_DIALIN_LOCKED_OUT"),
    (65, "the user has no dial-in permission", "IAS_DIALIN_DISABLED"),
    (66, "the policy does not allow the authentication method", "IAS_INVALID_AUTH_TYPE"),
    (67, "the policy does not allow the calling station", "IAS_INVALID_CALLING_STATION"),
    (68, "outside the hours of the policy", "IAS_INVALID_DIALIN_HOURS"),
    (69, "the policy does not allow the called station", "IAS_INVALID_CALLED_STATION"),
    (70, "the policy does not allow the port type", "IAS_INVALID_PORT_TYPE"),
    (71, "a restriction of the policy", "IAS_INVALID_RESTRICTION"),
    (72, "the policy does not allow a change of the password", "IAS_CPW_NOT_ALLOWED"),
    (80, "NPS could not write its log", "IAS_NO_RECORD"),
    (96, "the authentication took too long", "IAS_SESSION_TIMEOUT"),
    (97, "an unexpected request", "IAS_UNEXPECTED_REQUEST"),
    (112, "the remote RADIUS server did not process the request", ""),
    (258, "NPS could not check whether the certificate is revoked", ""),
    (259, "the certification authority with the revocation list cannot be reached", ""),
    (260, "a message was altered", ""),
    (262, "a message is incomplete", ""),
    (263, "the credentials are incomplete", ""),
    (264, "the clocks of client and server differ", ""),
    (265, "the certificate is of a certification authority that NPS does not trust", ""),
    (266, "a message is unexpected or malformed", ""),
];

/// Why NPS refused, for people: `wrong user name or password (16, IAS_AUTH_FAILURE)`.
pub fn reason(code: Option<u32>) -> String {
    let Some(code) = code.filter(|&code| code != 0) else { return "NPS gave no reason".to_owned() };
    match REASONS.iter().find(|(known, ..)| *known == code) {
        Some((_, meaning, "")) => format!("{meaning} ({code})"),
        Some((_, meaning, name)) => format!("{meaning} ({code}, {name})"),
        None => format!("reason code {code} of NPS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_meaning_and_its_name() {
        assert_eq!(reason(Some(16)), "wrong user name or password (16, IAS_AUTH_FAILURE)");
        assert_eq!(reason(Some(22)), "NPS cannot process the client's EAP type (22)");
        assert_eq!(reason(Some(9_999)), "reason code 9999 of NPS");
        assert_eq!((reason(None), reason(Some(0))), ("NPS gave no reason".to_owned(), reason(None)));
        assert!(REASONS.is_sorted_by_key(|(code, ..)| code));
    }
}
