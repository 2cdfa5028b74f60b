/*
 * Takes the place of libuserenv.a. Rust's standard library imports one function of userenv.dll, which is not a known
 * DLL: Windows would look for it in the folder of rasadmin.exe before any code of it runs. This looks for it in System32,
 * if the function is ever called.
 */
#include <windows.h>

BOOL WINAPI GetUserProfileDirectoryW(HANDLE token, LPWSTR path, LPDWORD size)
{
    typedef BOOL(WINAPI * function)(HANDLE, LPWSTR, LPDWORD);
    HMODULE library = LoadLibraryExW(L"userenv.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    function found = library ? (function)(void *)GetProcAddress(library, "GetUserProfileDirectoryW") : NULL;
    return found ? found(token, path, size) : FALSE;
}

BOOL(WINAPI *__imp_GetUserProfileDirectoryW)(HANDLE, LPWSTR, LPDWORD) = GetUserProfileDirectoryW;
