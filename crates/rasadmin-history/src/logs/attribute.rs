//! The attributes of a log's records that are read.

/// The attributes that are read, by their RADIUS names. All others are [`Attribute::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Attribute {
    ComputerName,
    ServiceName,
    PacketType,
    UserName,
    SamAccountName,
    CallingStationId,
    FramedIpAddress,
    FramedInterfaceId,
    FramedIpv6Prefix,
    NasIdentifier,
    NasIpAddress,
    NasPort,
    NasPortId,
    NasPortType,
    ClientIpAddress,
    ClientFriendlyName,
    EventTimestamp,
    ConnectInfo,
    Class,
    AcctStatusType,
    AcctDelayTime,
    AcctInputOctets,
    AcctOutputOctets,
    AcctInputGigawords,
    AcctOutputGigawords,
    AcctInputPackets,
    AcctOutputPackets,
    AcctSessionId,
    AcctMultiSessionId,
    AcctLinkCount,
    AcctSessionTime,
    AcctTerminateCause,
    TunnelType,
    TunnelClientEndpoint,
    MsRasVendor,
    MsRasClientName,
    MsChapDomain,
    FullyQualifiedName,
    ReasonCode,
    /// Our own attribute: names in this record are escaped, because XML cannot carry them.
    Escaped,
    /// Our own attribute: nobody saw the end of this session, and its time is an estimate.
    Estimated,
    /// Our own attribute: the octets are a lower bound.
    LowerBound,
    Other,
}

impl Attribute {
    /// Is its value a number?
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Self::PacketType
                | Self::NasPort
                | Self::NasPortType
                | Self::AcctStatusType
                | Self::AcctDelayTime
                | Self::AcctInputOctets
                | Self::AcctOutputOctets
                | Self::AcctInputGigawords
                | Self::AcctOutputGigawords
                | Self::AcctInputPackets
                | Self::AcctOutputPackets
                | Self::AcctLinkCount
                | Self::AcctSessionTime
                | Self::AcctTerminateCause
                | Self::TunnelType
                | Self::ReasonCode
                | Self::MsRasVendor
        )
    }

    /// Does it carry octets, and not a text? Logs write numbers and addresses plainly, or as the octets that RADIUS
    /// sends.
    pub(super) fn is_octets(self) -> bool {
        self.is_number()
            || matches!(
                self,
                Self::EventTimestamp
                    | Self::FramedIpAddress
                    | Self::FramedInterfaceId
                    | Self::FramedIpv6Prefix
                    | Self::NasIpAddress
                    | Self::ClientIpAddress
                    | Self::TunnelClientEndpoint
                    | Self::Class
                    | Self::MsChapDomain
                    | Self::MsRasClientName
            )
    }

    /// Its name in RADIUS and in the logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ComputerName => "Computer-Name",
            Self::ServiceName => "Service-Name",
            Self::PacketType => "Packet-Type",
            Self::UserName => "User-Name",
            Self::SamAccountName => "SAM-Account-Name",
            Self::CallingStationId => "Calling-Station-Id",
            Self::FramedIpAddress => "Framed-IP-Address",
            Self::FramedInterfaceId => "Framed-Interface-Id",
            Self::FramedIpv6Prefix => "Framed-IPv6-Prefix",
            Self::NasIdentifier => "NAS-Identifier",
            Self::NasIpAddress => "NAS-IP-Address",
            Self::NasPort => "NAS-Port",
            Self::NasPortId => "NAS-Port-Id",
            Self::NasPortType => "NAS-Port-Type",
            Self::ClientIpAddress => "Client-IP-Address",
            Self::ClientFriendlyName => "Client-Friendly-Name",
            Self::EventTimestamp => "Event-Timestamp",
            Self::ConnectInfo => "Connect-Info",
            Self::Class => "Class",
            Self::AcctStatusType => "Acct-Status-Type",
            Self::AcctDelayTime => "Acct-Delay-Time",
            Self::AcctInputOctets => "Acct-Input-Octets",
            Self::AcctOutputOctets => "Acct-Output-Octets",
            Self::AcctInputGigawords => "Acct-Input-Gigawords",
            Self::AcctOutputGigawords => "Acct-Output-Gigawords",
            Self::AcctInputPackets => "Acct-Input-Packets",
            Self::AcctOutputPackets => "Acct-Output-Packets",
            Self::AcctSessionId => "Acct-Session-Id",
            Self::AcctMultiSessionId => "Acct-Multi-Session-Id",
            Self::AcctLinkCount => "Acct-Link-Count",
            Self::AcctSessionTime => "Acct-Session-Time",
            Self::AcctTerminateCause => "Acct-Terminate-Cause",
            Self::TunnelType => "Tunnel-Type",
            Self::TunnelClientEndpoint => "Tunnel-Client-Endpoint",
            Self::MsRasVendor => "MS-RAS-Vendor",
            Self::MsRasClientName => "MS-RAS-Client-Name",
            Self::MsChapDomain => "MS-CHAP-Domain",
            Self::FullyQualifiedName => "Fully-Qualified-Distinguished-Name",
            Self::ReasonCode => "Reason-Code",
            Self::Escaped => "Rasadmin-Escaped",
            Self::Estimated => "Rasadmin-Estimated",
            Self::LowerBound => "Rasadmin-Lower-Bound",
            Self::Other => "an attribute",
        }
    }
}
