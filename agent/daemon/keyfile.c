/* keyfile.c - see keyfile.h.  What is read is wiped.  Reentrant. */
#include "daemon/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define TEXT_BYTES DOCUMENT_KEY_CHARS

static int file_check(int fd, const char *path, struct failure *failure)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return failure_set(failure, EINVAL, "%s: found no regular file, expected one",
				   path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return failure_set(failure, EACCES,
				   "%s: found owner uid %u, expected uid %u or root", path,
				   (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 07177) != 0)
		return failure_set(failure, EACCES,
				   "%s: found mode %04o, expected 0600 or stricter", path,
				   (unsigned)(st.st_mode & 07777));
	return 0;
}

/* Opens and checks a file, reads up to `size` bytes of it. */
static int file_read(const char *path, char *text, size_t size, size_t *length,
		     struct failure *failure)
{
	/* O_NONBLOCK: a FIFO must not hold the start up. */
	const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int error;
	ssize_t n;

	if (fd < 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	*length = 0;
	error = file_check(fd, path, failure);
	while (error == 0 && *length < size &&
	       (n = read(fd, text + *length, size - *length)) != 0) {
		if (n < 0)
			error = failure_set(failure, errno, "%s: %s", path, strerror(errno));
		else
			*length += (size_t)n;
	}
	close(fd);
	return error;
}

int keyfile_load(const char *path, uint8_t **secret, struct failure *failure)
{
	char text[TEXT_BYTES + 2]; /* a newline, and one more to see that there is no more */
	uint8_t *key = NULL;
	size_t length = 0;
	int error = file_read(path, text, sizeof(text), &length, failure);

	if (error != 0)
		goto out;
	if (length == TEXT_BYTES + 1 && text[TEXT_BYTES] == '\n')
		length--;
	key = sodium_malloc(KEYFILE_BYTES);
	if (key == NULL) {
		error = failure_set(failure, ENOMEM, "%s: no memory", path);
		goto out;
	}
	if (document_base64_decode(text, length, key, KEYFILE_BYTES) != 0)
		error = failure_set(
		    failure, EINVAL,
		    "%s: found something else, expected one line with the base64 of %u bytes", path,
		    KEYFILE_BYTES);
	else if (sodium_is_zero(key, KEYFILE_BYTES))
		error = failure_set(failure, EINVAL,
				    "%s: found a key of zeros, expected a random one", path);
	if (error == 0) {
		*secret = key;
		key = NULL;
	}
out:
	sodium_memzero(text, sizeof(text));
	sodium_free(key);
	return error;
}

int keyfile_password_load(const char *path, size_t max, char **password, struct failure *failure)
{
	char *text = sodium_malloc(max + 2); /* a newline, and one more to see that it is all */
	size_t length = 0, printable = 0;
	int error;

	if (text == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory", path);
	error = file_read(path, text, max + 2, &length, failure);
	if (error == 0 && length > 0 && text[length - 1] == '\n')
		length--;
	while (printable < length && text[printable] >= 0x20 && text[printable] < 0x7f)
		printable++;
	if (error == 0 && (length == 0 || length > max || printable < length))
		error = failure_set(failure, EINVAL,
				    "%s: found something else, expected one line of 1 to %zu "
				    "printable ASCII characters",
				    path, max);
	if (error != 0) {
		sodium_free(text);
		return error;
	}
	text[length] = '\0';
	*password = text;
	return 0;
}

int keyfile_check(const char *path, struct failure *failure)
{
	size_t length;

	return file_read(path, NULL, 0, &length, failure);
}
