/* mc_tls.c - see mc_tls.h: OpenSSL's.  Built with TLS=1 only; nothing else in the project knows
 * OpenSSL.
 *
 * The error queue is the thread's: it is emptied before each call whose outcome is asked for.  A
 * peer that goes away must not raise SIGPIPE, which OpenSSL's own socket writes would: the process
 * ignores it (daemon/main.c).
 */
#include "net/mc_tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct mc_tls {
	SSL_CTX *context;
};

struct mc_tls_session {
	SSL *ssl;
	char name[256];
};

static const char *reason(void)
{
	const unsigned long code = ERR_peek_error();
	const char *text = ERR_GET_LIB(code) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(code))
							    : ERR_reason_error_string(code);

	return text != NULL ? text : "it cannot be understood";
}

static int refuse(const char *path, const char *expected, struct failure *failure)
{
	return failure_set(failure, EINVAL, "%.200s: found what is no use (%.80s), expected %s",
			   path, reason(), expected);
}

/* A passphrase cannot be asked for: a key that has one is refused instead of waited for. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static int context_fill(SSL_CTX *context, const char *ca, const char *cert, const char *key,
			struct failure *failure)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return failure_set(failure, EINVAL, "OpenSSL here speaks no TLS 1.2");
	if (SSL_CTX_load_verify_file(context, ca) != 1)
		return refuse(ca, "the certificates of authorities in PEM", failure);
	if (cert == NULL)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
		return refuse(cert, "a certificate in PEM", failure);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return refuse(key, "the certificate's private key in PEM, without a passphrase",
			      failure);
	return 0;
}

int mc_tls_new(const char *ca, const char *cert, const char *key, struct mc_tls **result,
	       struct failure *failure)
{
	struct mc_tls *tls = calloc(1, sizeof(*tls));
	int error;

	ERR_clear_error();
	if (tls != NULL)
		tls->context = SSL_CTX_new(TLS_client_method());
	if (tls == NULL || tls->context == NULL) {
		mc_tls_free(tls);
		return failure_set(failure, ENOMEM, "%.200s: no memory for TLS", ca);
	}
	error = context_fill(tls->context, ca, cert, key, failure);
	if (error != 0) {
		mc_tls_free(tls);
		return error;
	}
	*result = tls;
	return 0;
}

void mc_tls_free(struct mc_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

/* An address is looked for among the certificate's addresses, a name among its names. */
static bool name_expect(SSL *ssl, const char *name)
{
	struct in6_addr binary;

	if (inet_pton(AF_INET, name, &binary) == 1 || inet_pton(AF_INET6, name, &binary) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct mc_tls_session *mc_tls_session_new(struct mc_tls *tls, int fd, const char *name)
{
	struct mc_tls_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	(void)snprintf(session->name, sizeof(session->name), "%s", name);
	session->ssl = SSL_new(tls->context);
	if (session->ssl == NULL || SSL_set_fd(session->ssl, fd) != 1 ||
	    !name_expect(session->ssl, name)) {
		mc_tls_session_free(session);
		return NULL;
	}
	SSL_set_connect_state(session->ssl);
	return session;
}

void mc_tls_session_free(struct mc_tls_session *session)
{
	if (session == NULL)
		return;
	SSL_free(session->ssl);
	free(session);
}

/* Why a call failed for good; errno is still that call's. */
static void why_write(const struct mc_tls_session *session, int error, char why[MC_TLS_WHY_BYTES])
{
	const int number = errno;
	const unsigned long code = ERR_peek_error();
	const long verified = SSL_get_verify_result(session->ssl);

	if (verified != X509_V_OK)
		(void)snprintf(why, MC_TLS_WHY_BYTES,
			       "its certificate is refused: %.60s; expected one for %.48s",
			       X509_verify_cert_error_string(verified), session->name);
	else if (error == SSL_ERROR_ZERO_RETURN ||
		 ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
		 (error == SSL_ERROR_SYSCALL && code == 0 && number == 0))
		(void)snprintf(why, MC_TLS_WHY_BYTES, "it closed the connection");
	else if (error == SSL_ERROR_SYSCALL && code == 0)
		(void)snprintf(why, MC_TLS_WHY_BYTES, "%s", strerror(number));
	else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
		(void)snprintf(why, MC_TLS_WHY_BYTES,
			       "it does not speak TLS, which agent.conf asks for");
	else
		(void)snprintf(why, MC_TLS_WHY_BYTES, "TLS: %.120s", reason());
}

enum mc_tls_progress mc_tls_handshake(struct mc_tls_session *session, char why[MC_TLS_WHY_BYTES])
{
	int result, error;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(session->ssl);
	if (result == 1)
		return MC_TLS_DONE;
	error = SSL_get_error(session->ssl, result);
	if (error == SSL_ERROR_WANT_READ)
		return MC_TLS_WANTS_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return MC_TLS_WANTS_WRITE;
	why_write(session, error, why);
	return MC_TLS_FAILED;
}

static bool wants(int error)
{
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* A record at a time: what OpenSSL holds already, the socket will not be readable for. */
ssize_t mc_tls_read(struct mc_tls_session *session, void *bytes, size_t size,
		    char why[MC_TLS_WHY_BYTES])
{
	size_t total = 0, got;
	int result, error;

	while (total < size) {
		ERR_clear_error();
		errno = 0;
		result = SSL_read_ex(session->ssl, (char *)bytes + total, size - total, &got);
		if (result == 1) {
			total += got;
			continue;
		}
		error = SSL_get_error(session->ssl, result);
		/* What came before the end is handed on first; the end is met again. */
		if (wants(error) || total > 0)
			break;
		why_write(session, error, why);
		return -1;
	}
	return (ssize_t)total;
}

ssize_t mc_tls_write(struct mc_tls_session *session, const void *bytes, size_t size,
		     char why[MC_TLS_WHY_BYTES])
{
	size_t sent;
	int result, error;

	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(session->ssl, bytes, size, &sent);
	if (result == 1)
		return (ssize_t)sent;
	error = SSL_get_error(session->ssl, result);
	if (wants(error))
		return 0;
	why_write(session, error, why);
	return -1;
}
