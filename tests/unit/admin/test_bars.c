/* test_bars.c - bars are true, fit the terminal they are drawn on, and are drawn over again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "admin/bars.h"
#include "admin/watch.h"

#include "scratch.h"

static struct status status;
static struct status_server servers[3];
static struct status_host hosts[2];
static struct bar bars[BARS_MAX];

/* a1, which is asked, works for s1 and s2; a2 for s3. */
static void setup(void)
{
	memset(&status, 0, sizeof(status));
	memset(servers, 0, sizeof(servers));
	memset(hosts, 0, sizeof(hosts));
	strcpy(status.phase, "COPY");
	status.next_epoch = 2;
	status.servers = servers;
	status.server_count = 3;
	status.hosts = hosts;
	status.host_count = 2;
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "s%u", i + 1);
		strcpy(servers[i].agent, i < 2 ? "a1" : "a2");
	}
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(hosts[i].name, sizeof(hosts[i].name), "a%u", i + 1);
		strcpy(hosts[i].phase, "COPY");
		strcpy(hosts[i].work, "running");
		hosts[i].found = 1000;
		hosts[i].left = 250;
		hosts[i].rate = 100;
	}
	for (unsigned i = 0; i < 2; i++) {
		strcpy(servers[i].work, "running");
		servers[i].found = 500;
		servers[i].left = i == 0 ? 500 : 100;
	}
}

START_TEST(each_server_has_one_its_own_or_its_hosts)
{
	ck_assert_uint_eq(bars_find(&status, bars), 3);
	ck_assert_str_eq(bars[0].name, "s1");
	ck_assert_str_eq(bars[1].name, "s2");
	ck_assert_uint_eq(bars[1].left, 100);
	ck_assert_str_eq(bars[2].name, "s3"); /* the only one of a2 */
	ck_assert_uint_eq(bars[2].found, 1000);
	servers[1].work[0] = servers[0].work[0] = '\0'; /* asked of somebody else */
	ck_assert_uint_eq(bars_find(&status, bars), 2);
	ck_assert_str_eq(bars[0].name, "a1");
	strcpy(hosts[0].phase, "PREPARE"); /* of the phase before */
	ck_assert_uint_eq(bars_find(&status, bars), 1);
}
END_TEST

START_TEST(cells_are_as_full_as_the_work_is_done)
{
	char text[BAR_CELLS_MAX + 1];
	struct bar bar = {.name = "s1", .found = 1000, .left = 500};

	ck_assert_str_eq(bar_cells(&bar, 10, text), "#####.....");
	bar.left = 1000;
	ck_assert_str_eq(bar_cells(&bar, 10, text), "..........");
	bar.left = 1;
	ck_assert_str_eq(bar_cells(&bar, 10, text), "#########."); /* full is for all */
	bar.left = UINT64_MAX;
	ck_assert_str_eq(bar_cells(&bar, 10, text), "..........");
	bar.done = true;
	ck_assert_str_eq(bar_cells(&bar, 1000, text), "####################");
}
END_TEST

START_TEST(a_line_fits_any_terminal)
{
	struct bar bar = {
	    .name = "a-server-with-a-long-name", .found = 1000, .left = 250, .rate = 100};
	char line[BAR_LINE_BYTES];

	for (unsigned columns = 1; columns < 200; columns++) {
		bar_line(&bar, columns, 25, line);
		ck_assert_uint_lt(strlen(line), columns);
	}
	bar_line(&bar, 40, 8, line);
	ck_assert_str_eq(line, "  a-server ######..  75.0 %, 2.5 s left");
	bar_line(&bar, 36, 8, line);
	ck_assert_str_eq(line, "  a-server ############....  75.0 %");
	bar_line(&bar, 80, 8, line);
	ck_assert_str_eq(line, "  a-server ###############.....  75.0 %, 100/s, 2.5 s left");
}
END_TEST

/* A terminal of so many columns; what is drawn on it is read from *screen. */
static FILE *terminal(unsigned short columns, int *screen)
{
	struct winsize window = {.ws_col = columns, .ws_row = 24};
	struct termios raw;
	int slave;

	*screen = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(*screen, 0);
	ck_assert_int_eq(grantpt(*screen), 0);
	ck_assert_int_eq(unlockpt(*screen), 0);
	slave = open(ptsname(*screen), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &window), 0);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	return fdopen(slave, "w");
}

START_TEST(forty_columns_are_enough_and_what_was_drawn_is_drawn_over)
{
	struct watch_progress progress;
	char text[4096], *line, *rest = text;
	int screen;
	FILE *out;
	size_t length = 0;
	ssize_t got;
	unsigned up = 0;

	(void)setenv("TERM", "xterm", 1);
	out = terminal(40, &screen);
	strcpy(status.waits_for, "s1, whose agent has a great deal to say about what it does");
	status.keys_found = 1000000000;
	status.keys_left = 12345678;
	status.keys_rate = 123456;
	watch_progress_begin(&progress, out);
	ck_assert(progress.terminal);
	watch_progress_show(&progress, &status, 100);
	watch_progress_show(&progress, &status, 9000);
	watch_progress_end(&progress);
	(void)fclose(out);
	/* What was written is there until it is read; then the other side is gone. */
	while ((got = read(screen, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	ck_assert_uint_gt(length, 0);
	text[length] = '\0';
	while ((line = strsep(&rest, "\n\r")) != NULL) {
		unsigned shown = 0;

		for (const char *at = line; *at != '\0'; at++) {
			if (*at == '\033') {
				up += strncmp(at, "\033[3A", 4) == 0;
				while (*at != 'A' && *at != 'J')
					at++;
				continue;
			}
			ck_assert(*at >= ' ' && *at <= '~');
			shown++;
		}
		ck_assert_uint_lt(shown, 40);
	}
	ck_assert_uint_eq(up, 2); /* over the first picture, and away with the second */
	(void)close(screen);
}
END_TEST

START_TEST(a_terminal_that_cannot_be_redrawn_gets_lines)
{
	struct watch_progress progress;
	int screen;
	FILE *out;

	(void)setenv("TERM", "dumb", 1);
	out = terminal(40, &screen);
	watch_progress_begin(&progress, out);
	ck_assert(!progress.terminal);
	(void)fclose(out);
	(void)close(screen);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bars");
	TCase *tcase = tcase_create("bars");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, each_server_has_one_its_own_or_its_hosts);
	tcase_add_test(tcase, cells_are_as_full_as_the_work_is_done);
	tcase_add_test(tcase, a_line_fits_any_terminal);
	tcase_add_test(tcase, forty_columns_are_enough_and_what_was_drawn_is_drawn_over);
	tcase_add_test(tcase, a_terminal_that_cannot_be_redrawn_gets_lines);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
