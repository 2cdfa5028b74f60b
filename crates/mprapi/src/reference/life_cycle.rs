//! The order of the calls, and what holds for all of them.

pub(super) const STEPS: &str = "\
1. **Load.** When the Remote Access service starts, it loads the DLLs that the registry value `DllPath` names, in order.
2. **Initialise.** It calls MprAdminInitializeDllEx if the DLL exports it. The DLL fills in the callbacks table, and from
   then on only the table counts. Otherwise the service looks up the exports by name and calls MprAdminInitializeDll.
3. **Validate.** If a required function is missing, the service does not start.
4. **A user connects.** RRAS checks the password or the certificate first. Then it calls, in this order:
   1. MprAdminGetIpAddressForUser and MprAdminGetIpv6AddressForUser, as the network protocols come up;
   2. MprAdminAcceptNewConnectionEx (or an older form);
   3. MprAdminAcceptNewLink for the first link, and again for every further one.
5. **While the user is connected.** MprAdminAcceptReauthenticationEx when the quarantine state changes;
   MprAdminAcceptTunnelEndpointChangeEx when an IKEv2 client moves to another network.
6. **The user disconnects.** MprAdminLinkHangupNotification for every link, MprAdminConnectionHangupNotificationEx (or an
   older form), then MprAdminReleaseIpAddress and MprAdminReleaseIpv6AddressForUser. Where exactly the releases come is
   unproven: do not depend on it.
7. **Stop.** MprAdminTerminateDll, then FreeLibrary. No thread of the DLL may still run.
";

pub(super) const RULES: &str = "\
- Every function is APIENTRY (`__stdcall`, which is the only calling convention on 64-bit Windows) and is exported by its
  undecorated name. Use a `.def` file, and `extern \"C\"` in C++.
- A DWORD status of 0 (NO_ERROR) is success. A BOOL of TRUE accepts.
- Pointers are valid only during the call: copy what you need later.
- No page allows a null pointer for any argument. Survive one anyway: a fault in the DLL ends the service for everybody.
- Names are arrays of UTF-16 with a terminator. Stop at the array's end even if there is none.
- Answer within milliseconds. RRAS makes one call of a function at a time, so a slow answer delays every user.
- Different functions can be called at the same time by several threads, except within one group of the column “never
  overlaps”. The address functions may even run in another process than the others.
- Never call a RAS administration or RAS user administration function (MprAdminConnectionEnum, MprAdminPortDisconnect,
  MprAdminUserGetInfo and so on) from inside a callback: it does not return.
- Let no exception leave a callback: there is nothing that could catch it.
- Only a DLL with a callbacks table of revision 2 is called for IKEv2 connections.
";
