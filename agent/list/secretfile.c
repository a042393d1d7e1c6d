/* secretfile.c - see secretfile.h. */
#include "list/secretfile.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "list/infile.h"

/* The service's, by which libmcroster knows a segment too. */
#define AGENT_USER    "mcroster"
#define PASSWD_LENGTH 4096

static bool owner_agent(uid_t owner)
{
	struct passwd entry, *found = NULL;
	char strings[PASSWD_LENGTH];

	return getpwnam_r(AGENT_USER, &entry, strings, sizeof(strings), &found) == 0 &&
	       found != NULL && found->pw_uid == owner;
}

/* Root looks at what the agent's user has: by `mcrosterd --check`, and mcadmin on a host. */
static int owner_judge(uid_t owner, const char *path, struct failure *failure)
{
	if (owner == geteuid() || owner == 0)
		return 0;
	if (geteuid() != 0)
		return failure_set(failure, EPERM,
				   "%s: found owner uid %u, expected uid %u or root", path,
				   (unsigned)owner, (unsigned)geteuid());
	if (owner_agent(owner))
		return 0;
	return failure_set(failure, EPERM,
			   "%s: found owner uid %u, expected root or the agent's user, " AGENT_USER,
			   path, (unsigned)owner);
}

static int secret_judge(int fd, const char *path, struct failure *failure)
{
	struct stat st;
	int error;

	if (fstat(fd, &st) != 0)
		return failure_set(failure, errno, "%s: it cannot be looked at", path);
	error = owner_judge(st.st_uid, path, failure);
	if (error != 0)
		return error;
	if ((st.st_mode & 07177) != 0)
		return failure_set(
		    failure, EPERM,
		    "%s: found mode %04o, expected 0600 or stricter (chmod 600 %.200s)", path,
		    (unsigned)(st.st_mode & 07777), path);
	return 0;
}

static int secret_open(const char *path, int *fd, struct failure *failure)
{
	int error = infile_open(path, fd, failure);

	if (error != 0)
		return error;
	error = secret_judge(*fd, path, failure);
	if (error != 0)
		(void)close(*fd);
	return error;
}

int secretfile_check(const char *path, struct failure *failure)
{
	int fd, error = secret_open(path, &fd, failure);

	if (error == 0)
		(void)close(fd);
	return error;
}

int secretfile_read(const char *path, size_t max, char **text, size_t *length,
		    struct failure *failure)
{
	size_t got = 0;
	char *buffer;
	int fd, error = secret_open(path, &fd, failure);

	if (error != 0)
		return error;
	/* One more, to see that there is no more; and the NUL. */
	buffer = sodium_malloc(max + 2);
	if (buffer == NULL)
		error = failure_set(failure, ENOMEM, "%s: no locked memory for the secret", path);
	else
		error = infile_read(fd, path, buffer, max + 1, &got, failure);
	(void)close(fd);
	if (error == 0 && got > max)
		error = failure_set(failure, EINVAL,
				    "%s: found more than %zu bytes, expected one line", path, max);
	if (error != 0) {
		sodium_free(buffer);
		return error;
	}
	if (got > 0 && buffer[got - 1] == '\n')
		got--;
	buffer[got] = '\0';
	*text = buffer;
	*length = got;
	return 0;
}

int secretfile_key_load(const char *path, uint8_t **secret, struct failure *failure)
{
	uint8_t *key = NULL;
	size_t length;
	char *text;
	int error = secretfile_read(path, DOCUMENT_KEY_CHARS + 1, &text, &length, failure);

	if (error != 0)
		return error;
	key = sodium_malloc(SECRETFILE_KEY_BYTES);
	if (key == NULL)
		error = failure_set(failure, ENOMEM, "%s: no locked memory for the secret", path);
	else if (document_base64_decode(text, length, key, SECRETFILE_KEY_BYTES) != 0)
		error = failure_set(
		    failure, EINVAL,
		    "%s: found something else, expected one line with the base64 of %u bytes", path,
		    SECRETFILE_KEY_BYTES);
	else if (sodium_is_zero(key, SECRETFILE_KEY_BYTES))
		error = failure_set(failure, EINVAL,
				    "%s: found a key of zeros, expected a random one", path);
	sodium_free(text);
	if (error != 0) {
		sodium_free(key);
		return error;
	}
	*secret = key;
	return 0;
}

int secretfile_password_load(const char *path, size_t max, char **password, struct failure *failure)
{
	size_t length, printable = 0;
	char *text;
	int error = secretfile_read(path, max + 1, &text, &length, failure);

	if (error != 0)
		return error;
	while (printable < length && text[printable] >= 0x20 && text[printable] < 0x7f)
		printable++;
	if (length == 0 || length > max || printable < length) {
		sodium_free(text);
		return failure_set(failure, EINVAL,
				   "%s: found something else, expected one line of 1 to %zu "
				   "printable ASCII characters",
				   path, max);
	}
	*password = text;
	return 0;
}
