/* command_completion.c - mcadmin completion: what bash and zsh need to complete our words, printed
 * from the table of commands, so that it knows what this very mcadmin knows. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/option_help.h"

static const char usage[] =
    "Usage: mcadmin completion bash|zsh\n"
    "\n"
    "Prints the completion of mcadmin's commands and options for a shell:\n"
    "  bash    eval \"$(mcadmin completion bash)\", or the output in a file of\n"
    "          /usr/share/bash-completion/completions named mcadmin\n"
    "  zsh     eval \"$(mcadmin completion zsh)\" after compinit, or the output in a\n"
    "          file of $fpath named _mcadmin\n"
    "\n"
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* What can stand somewhere, by how the help names it. */
enum value { VALUE_UNKNOWN, VALUE_FILES, VALUE_CLUSTERS, VALUE_WORDS };

static enum value value_kind(const char *option, const char *value)
{
	static const char *const files[] = {"FILE",	  "KEYFILE",   "LIST", "CLUSTER.CONF",
					    "AGENT.CONF", "OUT",       "KEYS", "PATH",
					    "PUBLIC",	  "DIRECTORY", "KEY",  "DOCUMENT"};

	if (strcmp(option, "cluster") == 0)
		return VALUE_CLUSTERS;
	if (strchr(value, '|') != NULL)
		return VALUE_WORDS;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(value, files[i]) == 0)
			return VALUE_FILES;
	return VALUE_UNKNOWN;
}

/* "yes|no" as "yes no"; words that are no literal ones ("N|asked") stand among them harmlessly. */
static void words_print(const char *value)
{
	for (; *value != '\0'; value++)
		(void)putchar(*value == '|' ? ' ' : *value);
}

/* Calls `each` for every command that is run by its name, with all the words of that. */
static void commands_each(void (*each)(const char *words, const struct command *command))
{
	char words[64];

	for (size_t i = 0; admin_commands[i] != NULL; i++) {
		const struct command *command = admin_commands[i];

		each(command->name, command);
		for (size_t j = 0; command->inner != NULL && command->inner[j] != NULL; j++) {
			(void)snprintf(words, sizeof(words), "%s %s", command->name,
				       command->inner[j]->name);
			each(words, command->inner[j]);
		}
	}
}

static void names_print(const struct command *const *commands)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		(void)printf("%s%s", i > 0 ? " " : "", commands[i]->name);
}

/* ---- bash ---- */

static void bash_value(const char *words, const struct option *option,
		       const struct option_help *help)
{
	if (help->letter != 0)
		(void)printf("\t\"%s -%c\" | ", words, help->letter);
	else
		(void)printf("\t");
	(void)printf("\"%s --%s\")", words, option->name);
	switch (value_kind(option->name, help->value)) {
	case VALUE_FILES:
		(void)printf(" _mcadmin_files; return ;;\n");
		return;
	case VALUE_CLUSTERS:
		(void)printf(" _mcadmin_words \"$(_mcadmin_clusters)\"; return ;;\n");
		return;
	case VALUE_WORDS:
		(void)printf(" _mcadmin_words \"");
		words_print(help->value);
		(void)printf("\"; return ;;\n");
		return;
	case VALUE_UNKNOWN:
		(void)printf(" return ;;\n");
		return;
	}
}

static void bash_values(const char *words, const struct command *command)
{
	struct option_help help;

	for (const struct option *option = command->options; option->name != NULL; option++)
		if (option->has_arg == required_argument &&
		    option_help_find(command->usage, option->name, &help))
			bash_value(words, option, &help);
}

static void bash_words(const char *words, const struct command *command)
{
	(void)printf("\t\"%s\")\n\t\toptions=\"", words);
	for (const struct option *option = command->options; option->name != NULL; option++)
		(void)printf("%s--%s", option != command->options ? " " : "", option->name);
	(void)printf("\"\n\t\targuments=\"");
	if (command->inner != NULL)
		names_print(command->inner);
	else if (command->arguments != NULL)
		(void)printf("%s", command->arguments);
	(void)printf("\"\n\t\t;;\n");
}

static void bash_nested(const char *words, const struct command *command)
{
	if (command->inner != NULL)
		(void)printf(
		    "\t%s) [ \"$COMP_CWORD\" -lt 3 ] || command+=\" ${COMP_WORDS[2]}\" ;;\n",
		    words);
}

static void bash_print(void)
{
	(void)puts("# bash completion of mcadmin " MCROSTER_VERSION
		   ", printed by 'mcadmin completion bash'\n"
		   "_mcadmin_clusters() {\n"
		   "\tlocal socket\n"
		   "\tfor socket in /run/mcroster/*.control; do\n"
		   "\t\t[ ! -e \"$socket\" ] || basename \"$socket\" .control\n"
		   "\tdone\n"
		   "}\n"
		   "_mcadmin_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
		   "_mcadmin_files() {\n"
		   "\tcompopt -o filenames 2>/dev/null\n"
		   "\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		   "}\n"
		   "_mcadmin() {\n"
		   "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		   "\tlocal command=${COMP_WORDS[1]} options='' arguments=''\n"
		   "\tCOMPREPLY=()\n"
		   "\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	(void)printf("\t\t_mcadmin_words \"");
	names_print(admin_commands);
	(void)puts(" --help --version\"\n"
		   "\t\treturn\n"
		   "\tfi\n"
		   "\tcase $command in");
	commands_each(bash_nested);
	(void)puts("\tesac\n"
		   "\tcase \"$command $prev\" in");
	commands_each(bash_values);
	(void)puts("\tesac\n"
		   "\tcase $command in");
	commands_each(bash_words);
	(void)puts("\tesac\n"
		   "\tcase $cur in\n"
		   "\t-*) _mcadmin_words \"$options\" ;;\n"
		   "\t*) if [ \"$arguments\" = FILE ]; then _mcadmin_files; "
		   "else _mcadmin_words \"$arguments\"; fi ;;\n"
		   "\tesac\n"
		   "}\n"
		   "complete -F _mcadmin mcadmin");
}

/* ---- zsh ---- */

/* Inside single quotes, and inside the brackets of _arguments or the colons of _describe. */
static void zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)printf("'\\''");
		else if (strchr("[]:\\", *text) != NULL)
			(void)printf("\\%c", *text);
		else
			(void)putchar(*text);
	}
}

static void zsh_option(const struct option *option, const struct option_help *help)
{
	if (help->letter != 0)
		(void)printf(" \\\n\t\t\t'*'{-%c,--%s}'[", help->letter, option->name);
	else
		(void)printf(" \\\n\t\t\t'*--%s[", option->name);
	zsh_text(help->sentence);
	(void)putchar(']');
	if (option->has_arg == required_argument) {
		(void)putchar(':');
		zsh_text(help->value);
		switch (value_kind(option->name, help->value)) {
		case VALUE_FILES:
			(void)printf(":_files");
			break;
		case VALUE_CLUSTERS:
			(void)printf(":_mcadmin_clusters");
			break;
		case VALUE_WORDS:
			(void)printf(":(");
			words_print(help->value);
			(void)putchar(')');
			break;
		case VALUE_UNKNOWN:
			(void)printf(": ");
			break;
		}
	}
	(void)putchar('\'');
}

static void zsh_command(const char *words, const struct command *command)
{
	struct option_help help;

	(void)printf("\t\"%s\")\n\t\t_arguments", words);
	for (const struct option *option = command->options; option->name != NULL; option++)
		if (option_help_find(command->usage, option->name, &help))
			zsh_option(option, &help);
	if (command->inner != NULL) {
		(void)printf(" \\\n\t\t\t'1:command:(");
		names_print(command->inner);
		(void)printf(")'");
	} else if (command->arguments != NULL && strcmp(command->arguments, "FILE") == 0) {
		(void)printf(" \\\n\t\t\t'*:file:_files'");
	} else if (command->arguments != NULL) {
		(void)printf(" \\\n\t\t\t'*:word:(%s)'", command->arguments);
	}
	(void)printf("\n\t\t;;\n");
}

static void zsh_nested(const char *words, const struct command *command)
{
	if (command->inner != NULL)
		(void)printf(
		    "\t%s) (( CURRENT < 4 )) || { command+=\" $words[3]\"; shift words; (( "
		    "CURRENT-- )) } ;;\n",
		    words);
}

static void zsh_print(void)
{
	(void)puts("#compdef mcadmin\n"
		   "# zsh completion of mcadmin " MCROSTER_VERSION
		   ", printed by 'mcadmin completion zsh'\n"
		   "_mcadmin_clusters() {\n"
		   "\tlocal -a clusters=(/run/mcroster/*.control(N:t:r))\n"
		   "\tcompadd -a clusters\n"
		   "}\n"
		   "_mcadmin() {\n"
		   "\tlocal command=$words[2]\n"
		   "\tlocal -a commands=(");
	for (size_t i = 0; admin_commands[i] != NULL; i++) {
		(void)printf("\t\t'%s:", admin_commands[i]->name);
		zsh_text(admin_commands[i]->summary);
		(void)printf("'\n");
	}
	(void)puts("\t)\n"
		   "\tif (( CURRENT == 2 )); then\n"
		   "\t\t_describe command commands\n"
		   "\t\treturn\n"
		   "\tfi\n"
		   "\tcase $command in");
	commands_each(zsh_nested);
	(void)puts("\tesac\n"
		   "\tshift words\n"
		   "\t(( CURRENT-- ))\n"
		   "\tcase $command in");
	commands_each(zsh_command);
	(void)puts("\tesac\n"
		   "}\n"
		   "if [ \"$funcstack[1]\" = _mcadmin ]; then _mcadmin \"$@\"; "
		   "else compdef _mcadmin mcadmin; fi");
}

static int run(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1)
		return option == 'h' ? admin_help(usage) : admin_usage_hint(argv[0]);
	if (argc - optind == 1 && strcmp(argv[optind], "bash") == 0)
		bash_print();
	else if (argc - optind == 1 && strcmp(argv[optind], "zsh") == 0)
		zsh_print();
	else
		return admin_usage(argv[0], "bash or zsh is wanted");
	return ADMIN_DONE;
}

const struct command command_completion = {
    .name = "completion",
    .run = run,
    .group = GROUP_SETUP,
    .summary = "Print the completion of these commands for bash or zsh",
    .usage = usage,
    .options = option_table,
    .arguments = "bash zsh",
};
