/* passphrase.c - see passphrase.h.
 *
 * Whatever ends the typing, the terminal shows again what is typed: signals that would end or stop
 * the process meanwhile are held back until it does.
 */
#include "admin/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "list/secretfile.h"

static int passphrase_judge(const char *text, size_t length, const char *where,
			    struct failure *failure)
{
	if (length == 0)
		return failure_set(failure, EINVAL, "%s: found nothing, expected a passphrase",
				   where);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return failure_set(failure, EINVAL,
					   "%s: found a control character, expected a passphrase "
					   "on one line",
					   where);
	return 0;
}

/* ---- the terminal ---- */

struct terminal {
	int fd, signals;
	sigset_t before;
	struct termios shown;
};

static int terminal_open(struct terminal *terminal, const char *path, struct failure *failure)
{
	struct termios hidden;
	sigset_t held;
	int error;

	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->shown) != 0) {
		error = failure_set(failure, ENOTTY,
				    "%s: no terminal to ask for its passphrase; --passphrase-file "
				    "FILE names a file of mode 0600 that holds it",
				    path);
		if (terminal->fd >= 0)
			(void)close(terminal->fd);
		return error;
	}
	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGHUP);
	(void)sigaddset(&held, SIGQUIT);
	(void)sigaddset(&held, SIGTSTP);
	(void)sigprocmask(SIG_BLOCK, &held, &terminal->before);
	terminal->signals = signalfd(-1, &held, SFD_CLOEXEC);
	hidden = terminal->shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	if (terminal->signals >= 0 && tcsetattr(terminal->fd, TCSAFLUSH, &hidden) == 0)
		return 0;
	error = failure_set(failure, errno, "the terminal cannot hide what is typed: %s",
			    strerror(errno));
	if (terminal->signals >= 0)
		(void)close(terminal->signals);
	(void)sigprocmask(SIG_SETMASK, &terminal->before, NULL);
	(void)close(terminal->fd);
	return error;
}

static void terminal_close(struct terminal *terminal)
{
	(void)tcsetattr(terminal->fd, TCSAFLUSH, &terminal->shown);
	(void)!write(terminal->fd, "\n", 1);
	(void)close(terminal->fd);
	(void)close(terminal->signals);
	(void)sigprocmask(SIG_SETMASK, &terminal->before, NULL);
}

/* One line, without its end.  -EINTR: a signal came instead, or the end of the input. */
static int terminal_line(struct terminal *terminal, char *out, size_t *length,
			 struct failure *failure)
{
	struct pollfd either[2] = {{.fd = terminal->fd, .events = POLLIN},
				   {.fd = terminal->signals, .events = POLLIN}};
	struct signalfd_siginfo signal_told;
	char byte;

	for (*length = 0;;) {
		if (poll(either, 2, -1) < 0)
			continue;
		if (either[1].revents != 0 || read(terminal->fd, &byte, 1) != 1) {
			if (either[1].revents != 0)
				(void)!read(terminal->signals, &signal_told, sizeof(signal_told));
			return failure_set(failure, EINTR, "no passphrase was typed");
		}
		if (byte == '\n')
			break;
		if (*length == PASSPHRASE_BYTES_MAX)
			return failure_set(failure, EINVAL,
					   "the terminal: found more than %u bytes, expected a "
					   "passphrase",
					   PASSPHRASE_BYTES_MAX);
		out[(*length)++] = byte;
	}
	out[*length] = '\0';
	return 0;
}

static int passphrase_type(const char *question, const char *path, char **passphrase,
			   struct failure *failure)
{
	char *typed = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);
	struct terminal terminal;
	size_t length = 0;
	int error;

	if (typed == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for a passphrase");
	error = terminal_open(&terminal, path, failure);
	if (error == 0) {
		(void)dprintf(terminal.fd, "%s%s: ", question, path);
		error = terminal_line(&terminal, typed, &length, failure);
		terminal_close(&terminal);
	}
	if (error == 0)
		error = passphrase_judge(typed, length, "the terminal", failure);
	if (error != 0) {
		sodium_free(typed);
		return error;
	}
	*passphrase = typed;
	return 0;
}

/* ---- files and standard input ---- */

/* No byte behind its end is taken: the next key's may follow. */
static int input_line(char *out, size_t *length, struct failure *failure)
{
	ssize_t got;
	char byte;

	for (*length = 0;;) {
		got = read(STDIN_FILENO, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure_set(failure, errno, "standard input: %s", strerror(errno));
		if (got == 0 || byte == '\n')
			break;
		if (*length == PASSPHRASE_BYTES_MAX)
			return failure_set(failure, EINVAL,
					   "standard input: found more than %u bytes, expected a "
					   "passphrase on one line",
					   PASSPHRASE_BYTES_MAX);
		out[(*length)++] = byte;
	}
	out[*length] = '\0';
	return 0;
}

static int input_read(char **text, size_t *length, struct failure *failure)
{
	char *line;
	int error;

	if (isatty(STDIN_FILENO) == 1)
		return failure_set(failure, EINVAL,
				   "--passphrase-file -: standard input is a terminal, which shows "
				   "what is typed: without the option the passphrase is asked for");
	line = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);
	if (line == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for a passphrase");
	error = input_line(line, length, failure);
	if (error != 0) {
		sodium_free(line);
		return error;
	}
	*text = line;
	return 0;
}

static int passphrase_load(const char *file, char **passphrase, struct failure *failure)
{
	const bool input = strcmp(file, PASSPHRASE_INPUT) == 0;
	size_t length;
	char *text;
	int error = input
			? input_read(&text, &length, failure)
			: secretfile_read(file, PASSPHRASE_BYTES_MAX + 1, &text, &length, failure);

	if (error != 0)
		return error;
	error = passphrase_judge(text, length, input ? "standard input" : file, failure);
	if (error == 0 && length > PASSPHRASE_BYTES_MAX)
		error =
		    failure_set(failure, EINVAL, "%s: found more than %u bytes, expected one line",
				file, PASSPHRASE_BYTES_MAX);
	if (error != 0) {
		sodium_free(text);
		return error;
	}
	*passphrase = text;
	return 0;
}

int passphrase_read(const char *file, const char *path, char **passphrase, struct failure *failure)
{
	return file != NULL ? passphrase_load(file, passphrase, failure)
			    : passphrase_type("Passphrase of ", path, passphrase, failure);
}

/* ---- new ones ---- */

bool passphrase_option(struct passphrase_wanted *wanted, int option, const char *argument)
{
	if (option == PASSPHRASE_FILE)
		wanted->file = argument;
	else if (option == PASSPHRASE_NONE)
		wanted->none = true;
	else
		return false;
	return true;
}

static int passphrase_type_twice(const char *path, char **passphrase, struct failure *failure)
{
	char *again = NULL;
	int error = passphrase_type("New passphrase of ", path, passphrase, failure);

	if (error == -ENOTTY)
		return failure_set(failure, ENOTTY,
				   "%s: no terminal to ask for its passphrase; --passphrase-file "
				   "FILE names a file of mode 0600 that holds it, --no-passphrase "
				   "stores the key as it is",
				   path);
	if (error != 0 || strlen(*passphrase) < PASSPHRASE_BYTES_MIN)
		return error;
	error = passphrase_type("Again, of ", path, &again, failure);
	if (error == 0 && strcmp(*passphrase, again) != 0)
		error = failure_set(failure, EINVAL,
				    "%s: the passphrase was typed in two ways, expected one", path);
	sodium_free(again);
	if (error != 0) {
		sodium_free(*passphrase);
		*passphrase = NULL;
	}
	return error;
}

int passphrase_new(const struct passphrase_wanted *wanted, const char *path, char **passphrase,
		   struct failure *failure)
{
	int error;

	*passphrase = NULL;
	if (wanted->none && wanted->file != NULL)
		return failure_set(failure, EINVAL,
				   "--passphrase-file and --no-passphrase: expected one of them");
	if (wanted->none)
		return 0;
	error = wanted->file != NULL ? passphrase_load(wanted->file, passphrase, failure)
				     : passphrase_type_twice(path, passphrase, failure);
	if (error == 0 && strlen(*passphrase) < PASSPHRASE_BYTES_MIN) {
		error = failure_set(failure, EINVAL,
				    "%s: found a passphrase of %zu bytes, expected %u or more: "
				    "whoever gets the file can try all short ones",
				    path, strlen(*passphrase), PASSPHRASE_BYTES_MIN);
		sodium_free(*passphrase);
		*passphrase = NULL;
	}
	return error;
}
