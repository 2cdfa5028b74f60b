/*
 * Takes the place of libuserenv.a. Rust's standard library imports one function of userenv.dll, which is not a known
 * DLL: Windows would look for it in the folder of rasadmin.exe before any code of it runs. This looks for it in System32,
 * if the function is ever called.
 *
 * It is compiled for every link, so it declares what it needs: windows.h takes longer than the link.
 */
typedef int(__stdcall *get_user_profile_directory)(void *token, unsigned short *path, unsigned long *size);

__declspec(dllimport) void *__stdcall LoadLibraryExW(const unsigned short *name, void *reserved, unsigned long flags);
__declspec(dllimport) void *__stdcall GetProcAddress(void *library, const char *name);

#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x800

int __stdcall GetUserProfileDirectoryW(void *token, unsigned short *path, unsigned long *size)
{
    static const unsigned short name[] = {'u', 's', 'e', 'r', 'e', 'n', 'v', '.', 'd', 'l', 'l', 0};
    void *library = LoadLibraryExW(name, 0, LOAD_LIBRARY_SEARCH_SYSTEM32);
    get_user_profile_directory found =
        library ? (get_user_profile_directory)GetProcAddress(library, "GetUserProfileDirectoryW") : 0;
    return found ? found(token, path, size) : 0;
}

get_user_profile_directory __imp_GetUserProfileDirectoryW = GetUserProfileDirectoryW;
