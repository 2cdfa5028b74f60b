/*
 * Takes the place of libbcrypt.a. The cryptography of the dashboard's TLS asks bcrypt.dll for random numbers, which is not
 * a known DLL: Windows would look for it in the folder of rasadmin.exe before any code of it runs. This looks for it in
 * System32, when the function is called first.
 */
typedef long(__stdcall *gen_random)(void *algorithm, unsigned char *buffer, unsigned long size, unsigned long flags);

__declspec(dllimport) void *__stdcall LoadLibraryExW(const unsigned short *name, void *reserved, unsigned long flags);
__declspec(dllimport) void *__stdcall GetProcAddress(void *library, const char *name);

#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x800
#define STATUS_DLL_NOT_FOUND ((long)0xC0000135)

long __stdcall BCryptGenRandom(void *algorithm, unsigned char *buffer, unsigned long size, unsigned long flags)
{
    static const unsigned short name[] = {'b', 'c', 'r', 'y', 'p', 't', '.', 'd', 'l', 'l', 0};
    /* Two threads may both look for it; they find the same. It stays loaded. */
    static gen_random volatile known;
    gen_random found = known;
    if (!found) {
        void *library = LoadLibraryExW(name, 0, LOAD_LIBRARY_SEARCH_SYSTEM32);
        found = library ? (gen_random)GetProcAddress(library, "BCryptGenRandom") : 0;
        known = found;
    }
    return found ? found(algorithm, buffer, size, flags) : STATUS_DLL_NOT_FOUND;
}

gen_random __imp_BCryptGenRandom = BCryptGenRandom;
