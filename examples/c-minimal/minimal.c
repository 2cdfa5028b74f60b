/* A small, complete RAS administration DLL in C. It refuses one user and accepts everybody else.
 *
 * It needs nothing but the Windows headers: README.md says how to build it. docs/functions.md has the prototype of every
 * function, and every field of the structures.
 */
#ifdef _WIN32
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601 /* The structures of revision 2 exist since Windows 7. */
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <mprapi.h>
#endif
#include <stddef.h>

#define REFUSED_USER L"visitor"

/* The table that MprAdminInitializeDllEx fills in, from docs/functions.md. It has a name of its own, because the mprapi.h
 * of mingw-w64 lacks two of the pointers. With the table of that header, RRAS would call the wrong functions.
 */
typedef struct ADMIN_CALLBACKS {
    BYTE revision;
    DWORD (APIENTRY *lpfnMprAdminGetIpAddressForUser)(WCHAR *user, WCHAR *port, DWORD *ipv4, BOOL *notify_release);
    VOID (APIENTRY *lpfnMprAdminReleaseIpAddress)(WCHAR *user, WCHAR *port, DWORD *ipv4);
    DWORD (APIENTRY *lpfnMprAdminGetIpv6AddressForUser)(WCHAR *user, WCHAR *port, IN6_ADDR *ipv6, BOOL *notify_release);
    VOID (APIENTRY *lpfnMprAdminReleaseIpV6AddressForUser)(WCHAR *user, WCHAR *port, IN6_ADDR *ipv6);
    BOOL (APIENTRY *lpfnRasAdminAcceptNewLink)(RAS_PORT_0 *port0, RAS_PORT_1 *port1);
    VOID (APIENTRY *lpfnRasAdminLinkHangupNotification)(RAS_PORT_0 *port0, RAS_PORT_1 *port1);
    DWORD (APIENTRY *lpfnRasAdminTerminateDll)(VOID);
    BOOL (APIENTRY *lpfnRasAdminAcceptNewConnectionEx)(RAS_CONNECTION_EX *connection);
    BOOL (APIENTRY *lpfnRasAdminAcceptEndpointChangeEx)(RAS_CONNECTION_EX *connection);
    BOOL (APIENTRY *lpfnRasAdminAcceptReauthenticationEx)(RAS_CONNECTION_EX *connection);
    VOID (APIENTRY *lpfnRasAdminConnectionHangupNotificationEx)(RAS_CONNECTION_EX *connection);
    DWORD (APIENTRY *lpfnRASValidatePreAuthenticatedConnectionEx)(AUTH_VALIDATION_EX *auth);
} ADMIN_CALLBACKS;

typedef char the_table_has_104_bytes[sizeof(ADMIN_CALLBACKS) == 104 ? 1 : -1];

/* Whether the structure has all the bytes that this DLL knows. A later Windows may pass more, never fewer. RRAS passes no
 * null, but a fault in this DLL would end the service for everybody.
 */
static BOOL complete(const RAS_CONNECTION_EX *connection) {
    return connection && connection->Header.size >= sizeof(*connection);
}

static WCHAR lower(WCHAR c) {
    return c >= L'A' && c <= L'Z' ? (WCHAR)(c - L'A' + L'a') : c;
}

/* Whether a user's name means this account. The name arrives as `user`, `DOMAIN\user` or `user@domain.example`; names
 * compare without case. `length` is the array's: stop there even if the terminator is missing.
 */
static BOOL is_account(const WCHAR *name, size_t length, const WCHAR *account) {
    size_t start = 0, end = 0, i;
    while (end < length && name[end]) {
        if (name[end] == L'\\')
            start = end + 1;
        end++;
    }
    for (i = start; i < end && name[i] != L'@' && account[i - start]; i++)
        if (lower(name[i]) != account[i - start])
            return FALSE;
    return !account[i - start] && (i == end || name[i] == L'@');
}

/* The functions that RRAS calls begin with admin_, so that no name is also one of the C library's (terminate is). The .def
 * file exports them under their real names.
 */

/* RRAS has checked the password or the certificate before it asks. The answer must come at once: while this function
 * waits, no other user can connect.
 */
BOOL APIENTRY admin_accept_connection(RAS_CONNECTION_EX *connection) {
    if (!complete(connection))
        return FALSE;
    return !is_account(connection->wszUserName, sizeof(connection->wszUserName) / sizeof(WCHAR), REFUSED_USER);
}

/* May come for a connection that another DLL rejected, or that this one never saw. */
VOID APIENTRY admin_connection_hangup(RAS_CONNECTION_EX *connection) {
    (void)connection;
}

/* The link is where the tunnel shows: port0->wszDeviceName contains (SSTP), (IKEv2), (L2TP) or (PPTP). */
BOOL APIENTRY admin_accept_link(RAS_PORT_0 *port0, RAS_PORT_1 *port1) {
    (void)port1;
    return port0 != NULL;
}

VOID APIENTRY admin_link_hangup(RAS_PORT_0 *port0, RAS_PORT_1 *port1) {
    (void)port0;
    (void)port1;
}

/* The quarantine state has changed. FALSE cuts the connection. */
BOOL APIENTRY admin_accept_reauthentication(RAS_CONNECTION_EX *connection) {
    return complete(connection);
}

/* FreeLibrary comes next: end every thread and close every handle here. This DLL has none. It must also work if the
 * service starts again in the same process.
 */
DWORD APIENTRY admin_terminate(VOID) {
    return NO_ERROR;
}

/* RRAS calls this first, and looks at no other export afterwards. Revision 2 is needed to be called for IKEv2 users.
 * Pointers that stay null: the address pairs (a DLL that has one takes it away from the DLLs behind it), the endpoint
 * change, and the pre-authentication, which could let anybody in.
 */
DWORD APIENTRY admin_initialize(ADMIN_CALLBACKS *callbacks) {
    if (!callbacks)
        return ERROR_INVALID_PARAMETER;
    callbacks->revision = 2;
    callbacks->lpfnRasAdminAcceptNewConnectionEx = admin_accept_connection;
    callbacks->lpfnRasAdminConnectionHangupNotificationEx = admin_connection_hangup;
    callbacks->lpfnRasAdminAcceptNewLink = admin_accept_link;
    callbacks->lpfnRasAdminLinkHangupNotification = admin_link_hangup;
    callbacks->lpfnRasAdminAcceptReauthenticationEx = admin_accept_reauthentication;
    callbacks->lpfnRasAdminTerminateDll = admin_terminate;
    return NO_ERROR;
}
