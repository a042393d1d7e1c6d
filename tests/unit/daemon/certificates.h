/* certificates.h - certificates for tests, made by the openssl program in a directory. */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

/* In `directory`: authority.pem and stranger.pem, two authorities; and, signed by the first, each
 * with its key as NAME.key: server.pem (127.0.0.1, ::1 and cache01.example.org), other.pem
 * (10.9.8.7), expired.pem (as server.pem, but it ended) and client.pem. */
void certificates_make(const char *directory);

#endif
