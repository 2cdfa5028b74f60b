//! `export_admin_dll!`, which makes the exports and the callbacks table from the trait's methods.

/// Exports an admin DLL: all required functions in all forms, and a revision 2 callbacks table.
///
/// `export_admin_dll!(MyDll)` is enough for a DLL that decides and records. Name `ipv4`, `ipv6` or `pre_authentication` to
/// add these functions. Functions that you do not name are neither exported nor in the table, because an unused address
/// pair would shut out another vendor's DLL, and an unused pre-authentication would overrule it.
///
/// ```text
/// export_admin_dll!(MyDll, ipv4, ipv6);
/// ```
#[macro_export]
macro_rules! export_admin_dll {
    ($dll:ty $(, $extra:ident)* $(,)?) => {
        #[doc(hidden)]
        static RASADMIN_SLOT: $crate::Slot<$dll> = $crate::Slot::new();

        #[doc(hidden)]
        fn rasadmin_callbacks() -> ($crate::abi::MPRAPI_ADMIN_DLL_CALLBACKS, $crate::FunctionSet) {
            use $crate::FunctionId as F;
            #[allow(unused_mut)]
            let mut table = $crate::abi::MPRAPI_ADMIN_DLL_CALLBACKS {
                revision: $crate::abi::REVISION_2,
                lpfnRasAdminAcceptNewLink: Some(MprAdminAcceptNewLink),
                lpfnRasAdminLinkHangupNotification: Some(MprAdminLinkHangupNotification),
                lpfnRasAdminTerminateDll: Some(MprAdminTerminateDll),
                lpfnRasAdminAcceptNewConnectionEx: Some(MprAdminAcceptNewConnectionEx),
                lpfnRasAdminAcceptEndpointChangeEx: Some(rasadmin_accept_endpoint_change),
                lpfnRasAdminAcceptReauthenticationEx: Some(MprAdminAcceptReauthenticationEx),
                lpfnRasAdminConnectionHangupNotificationEx: Some(MprAdminConnectionHangupNotificationEx),
                ..Default::default()
            };
            #[allow(unused_mut)]
            let mut set: $crate::FunctionSet = [
                F::AcceptNewLink,
                F::LinkHangupNotification,
                F::TerminateDll,
                F::AcceptNewConnectionEx,
                F::AcceptTunnelEndpointChangeEx,
                F::AcceptReauthenticationEx,
                F::ConnectionHangupNotificationEx,
            ]
            .into_iter()
            .collect();
            $($crate::__callbacks!($extra, table, set);)*
            (table, set)
        }

        /// Initialises the DLL (revision 1).
        #[unsafe(no_mangle)]
        pub extern "system" fn MprAdminInitializeDll() -> u32 {
            $crate::boundary::initialize(&RASADMIN_SLOT, rasadmin_callbacks().1)
        }

        /// Initialises the DLL and fills in the callbacks table.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminInitializeDllEx(
            callbacks: *mut $crate::abi::MPRAPI_ADMIN_DLL_CALLBACKS,
        ) -> u32 {
            let (table, set) = rasadmin_callbacks();
            // SAFETY: RRAS passes a writable table or, against the contract, null (CONTRACT section 1).
            unsafe { $crate::boundary::initialize_ex(&RASADMIN_SLOT, callbacks, table, set) }
        }

        /// Terminates the DLL.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminTerminateDll() -> u32 {
            $crate::boundary::terminate(&RASADMIN_SLOT)
        }

        /// Accepts or rejects a link.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminAcceptNewLink(
            port0: *mut $crate::abi::RAS_PORT_0,
            port1: *mut $crate::abi::RAS_PORT_1,
        ) -> $crate::abi::BOOL {
            // SAFETY: RRAS passes the structures of CONTRACT section 1.
            unsafe { $crate::boundary::accept_link(&RASADMIN_SLOT, port0, port1) }
        }

        /// Notifies the DLL of the end of a link.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminLinkHangupNotification(
            port0: *mut $crate::abi::RAS_PORT_0,
            port1: *mut $crate::abi::RAS_PORT_1,
        ) {
            // SAFETY: RRAS passes the structures of CONTRACT section 1.
            unsafe { $crate::boundary::link_hangup(&RASADMIN_SLOT, port0, port1) }
        }

        unsafe extern "system" fn rasadmin_accept_endpoint_change(
            connection: *mut $crate::abi::RAS_CONNECTION_EX,
        ) -> $crate::abi::BOOL {
            let function = $crate::FunctionId::AcceptTunnelEndpointChangeEx;
            let method = <$dll as $crate::AdminDll>::accept_endpoint_change;
            // SAFETY: RRAS passes the structure of CONTRACT section 1.
            unsafe { $crate::boundary::ask(&RASADMIN_SLOT, function, &[connection.cast()], method) }
        }

        $crate::__connection_form!($dll, MprAdminAcceptNewConnection AcceptNewConnection,
            MprAdminConnectionHangupNotification ConnectionHangupNotification,
            c0: RAS_CONNECTION_0, c1: RAS_CONNECTION_1);
        $crate::__connection_form!($dll, MprAdminAcceptNewConnection2 AcceptNewConnection2,
            MprAdminConnectionHangupNotification2 ConnectionHangupNotification2,
            c0: RAS_CONNECTION_0, c1: RAS_CONNECTION_1, c2: RAS_CONNECTION_2);
        $crate::__connection_form!($dll, MprAdminAcceptNewConnection3 AcceptNewConnection3,
            MprAdminConnectionHangupNotification3 ConnectionHangupNotification3,
            c0: RAS_CONNECTION_0, c1: RAS_CONNECTION_1, c2: RAS_CONNECTION_2, c3: RAS_CONNECTION_3);
        $crate::__connection_form!($dll, MprAdminAcceptNewConnectionEx AcceptNewConnectionEx,
            MprAdminConnectionHangupNotificationEx ConnectionHangupNotificationEx,
            connection: RAS_CONNECTION_EX);
        $crate::__ask!($dll, accept_reauthentication, MprAdminAcceptReauthentication AcceptReauthentication,
            c0: RAS_CONNECTION_0, c1: RAS_CONNECTION_1, c2: RAS_CONNECTION_2, c3: RAS_CONNECTION_3);
        $crate::__ask!($dll, accept_reauthentication, MprAdminAcceptReauthenticationEx AcceptReauthenticationEx,
            connection: RAS_CONNECTION_EX);

        $($crate::__exports!($extra, $dll);)*
    };
}

/// One function that accepts or rejects.
#[doc(hidden)]
#[macro_export]
macro_rules! __ask {
    ($dll:ty, $method:ident, $name:ident $id:ident, $($argument:ident: $structure:ident),+) => {
        /// Accepts or rejects.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name($($argument: *mut $crate::abi::$structure),+) -> $crate::abi::BOOL {
            let method = <$dll as $crate::AdminDll>::$method;
            // SAFETY: RRAS passes the structures of CONTRACT section 1.
            unsafe {
                $crate::boundary::ask(&RASADMIN_SLOT, $crate::FunctionId::$id, &[$($argument.cast()),+], method)
            }
        }
    };
}

/// One form of accept and hangup.
#[doc(hidden)]
#[macro_export]
macro_rules! __connection_form {
    ($dll:ty, $accept:ident $accept_id:ident, $hangup:ident $hangup_id:ident, $($argument:ident: $structure:ident),+) => {
        $crate::__ask!($dll, accept_connection, $accept $accept_id, $($argument: $structure),+);

        /// Notifies the DLL of the end of a connection.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $hangup($($argument: *mut $crate::abi::$structure),+) {
            // SAFETY: RRAS passes the structures of CONTRACT section 1.
            unsafe {
                let pointers = [$($argument.cast()),+];
                $crate::boundary::connection_hangup(&RASADMIN_SLOT, $crate::FunctionId::$hangup_id, &pointers)
            }
        }
    };
}

/// Adds the pointers of an optional pair or function to the table.
#[doc(hidden)]
#[macro_export]
macro_rules! __callbacks {
    (ipv4, $table:ident, $set:ident) => {
        $table.lpfnMprAdminGetIpAddressForUser = Some(MprAdminGetIpAddressForUser);
        $table.lpfnMprAdminReleaseIpAddress = Some(MprAdminReleaseIpAddress);
        $set.insert($crate::FunctionId::GetIpAddressForUser);
        $set.insert($crate::FunctionId::ReleaseIpAddress);
    };
    (ipv6, $table:ident, $set:ident) => {
        $table.lpfnMprAdminGetIpv6AddressForUser = Some(MprAdminGetIpv6AddressForUser);
        $table.lpfnMprAdminReleaseIpV6AddressForUser = Some(rasadmin_release_ipv6);
        $set.insert($crate::FunctionId::GetIpv6AddressForUser);
        $set.insert($crate::FunctionId::ReleaseIpv6AddressForUser);
    };
    (pre_authentication, $table:ident, $set:ident) => {
        $table.lpfnRASValidatePreAuthenticatedConnectionEx = Some(rasadmin_pre_authentication);
        $set.insert($crate::FunctionId::ValidatePreAuthenticatedConnectionEx);
    };
    // For other names, `__exports!` reports what is expected.
    ($other:ident, $table:ident, $set:ident) => {};
}

/// The exports of an optional pair or function.
#[doc(hidden)]
#[macro_export]
macro_rules! __exports {
    (ipv4, $dll:ty) => {
        /// Assigns an IPv4 address.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminGetIpAddressForUser(
            user: $crate::abi::PCWSTR,
            port: $crate::abi::PCWSTR,
            address: *mut u32,
            notify_release: *mut $crate::abi::BOOL,
        ) -> u32 {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { $crate::boundary::assign_ipv4(&RASADMIN_SLOT, user, port, address, notify_release) }
        }

        /// Releases an IPv4 address.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminReleaseIpAddress(
            user: $crate::abi::PCWSTR,
            port: $crate::abi::PCWSTR,
            address: *mut u32,
        ) {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { $crate::boundary::release_ipv4(&RASADMIN_SLOT, user, port, address) }
        }
    };
    (ipv6, $dll:ty) => {
        /// Assigns an IPv6 interface identifier.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminGetIpv6AddressForUser(
            user: $crate::abi::PCWSTR,
            port: $crate::abi::PCWSTR,
            address: *mut $crate::abi::IN6_ADDR,
            notify_release: *mut $crate::abi::BOOL,
        ) -> u32 {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { $crate::boundary::assign_ipv6(&RASADMIN_SLOT, user, port, address, notify_release) }
        }

        unsafe extern "system" fn rasadmin_release_ipv6(
            user: $crate::abi::PCWSTR,
            port: $crate::abi::PCWSTR,
            address: *mut $crate::abi::IN6_ADDR,
        ) {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { $crate::boundary::release_ipv6(&RASADMIN_SLOT, user, port, address) }
        }

        /// Releases an IPv6 interface identifier. Its page says that it returns a DWORD; its callback type returns nothing.
        /// NO_ERROR suits both.
        ///
        /// # Safety
        /// As RRAS calls it.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn MprAdminReleaseIpv6AddressForUser(
            user: $crate::abi::PCWSTR,
            port: $crate::abi::PCWSTR,
            address: *mut $crate::abi::IN6_ADDR,
        ) -> u32 {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { rasadmin_release_ipv6(user, port, address) };
            $crate::abi::NO_ERROR
        }
    };
    (pre_authentication, $dll:ty) => {
        unsafe extern "system" fn rasadmin_pre_authentication(auth: *mut $crate::abi::AUTH_VALIDATION_EX) -> u32 {
            // SAFETY: RRAS passes what CONTRACT section 1 says.
            unsafe { $crate::boundary::pre_authentication(&RASADMIN_SLOT, auth) }
        }
    };
    ($other:ident, $dll:ty) => {
        compile_error!("expected `ipv4`, `ipv6` or `pre_authentication`");
    };
}
