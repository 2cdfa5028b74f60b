//! Every point, grouped by subject.

mod addresses;
mod elsewhere;
mod ikev2;
mod ipv6;
mod life;
mod names;
mod order;
mod rejections;
mod several_dlls;
mod structures;
mod threads;

use super::Point;

/// Every point, in the order of docs/rras-behaviour.md.
pub const POINTS: &[&Point] = &[
    &structures::HEADERS,
    &structures::CLIENT_ADDRESS,
    &structures::CLIENT_IDENTIFIER,
    &names::USER_FORM,
    &ikev2::COMPUTER,
    &ikev2::FLAGS,
    &ikev2::LINK,
    &order::ADDRESSES_FIRST,
    &order::LINK_AT_ONCE,
    &order::END,
    &order::LINKS_LAST_FIRST,
    &addresses::IPV4_OFFER,
    &addresses::OWN_ADDRESS_RETURNS,
    &ipv6::OFFER,
    &ipv6::HALF,
    &ipv6::FIRST_HALF_IS_ZERO,
    &ipv6::FAILURE_ENDS,
    &rejections::CONNECTION,
    &rejections::FIRST_LINK,
    &rejections::FURTHER_LINK,
    &rejections::MOVE,
    &several_dlls::FAILED_START,
    &several_dlls::OLD_EX_EXPORTS,
    &several_dlls::OLD_ADDRESS_PAIR,
    &life::HANDLES,
    &life::FORGETS,
    &threads::OVERLAP,
    &threads::ONE_PROCESS,
    &threads::CALLS_AT_STOP,
    &elsewhere::ENUMERATION_WAITS,
    &elsewhere::LISTED_HEADERS,
    &elsewhere::READ_AGAIN,
    &elsewhere::GONE,
    &elsewhere::LISTED_SOON,
    &elsewhere::FAILED_LOGON,
    &elsewhere::SESSION_END,
    &elsewhere::NT4_HANGUPS,
    &elsewhere::TWO_PROCESSES,
];
