/* table.c - see table.h.  Cells are kept until all are known, for only then are the widths. */
#include "admin/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/screen.h"

#define COLUMN_GAP 2

struct table {
	const char *const *headings;
	uint32_t column_count;
	size_t cell_count, capacity;
	char **cells;
	bool lost;
};

struct table *table_new(const char *const *headings, uint32_t column_count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table != NULL) {
		table->headings = headings;
		table->column_count = column_count;
	}
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

static bool cells_grow(struct table *table)
{
	size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
	char **cells = reallocarray(table->cells, capacity, sizeof(*cells));

	if (cells == NULL)
		return false;
	table->cells = cells;
	table->capacity = capacity;
	return true;
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	if (table->lost)
		return;
	if (table->cell_count == table->capacity && !cells_grow(table)) {
		table->lost = true;
		return;
	}
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		table->lost = true;
	else
		table->cells[table->cell_count++] = text;
}

static bool column_right(const struct table *table, uint32_t column)
{
	return table->headings[column][0] == '>';
}

static const char *column_heading(const struct table *table, uint32_t column)
{
	return table->headings[column] + (column_right(table, column) ? 1 : 0);
}

static void cell_print(const struct table *table, uint32_t column, const char *text, int width,
		       FILE *out)
{
	bool last = column + 1 == table->column_count;

	if (last && *text == '\0') /* no blanks at the end of a line */
		return;
	if (column > 0)
		(void)fprintf(out, "%*s", COLUMN_GAP, "");
	if (column_right(table, column))
		(void)fprintf(out, "%*s", width, text);
	else
		(void)fprintf(out, "%-*s", last ? 0 : width, text);
}

static void widths_find(const struct table *table, int width[TABLE_COLUMNS_MAX])
{
	for (uint32_t c = 0; c < table->column_count; c++)
		width[c] = (int)strlen(column_heading(table, c));
	for (size_t i = 0; i < table->cell_count; i++) {
		int length = (int)strlen(table->cells[i]);

		if (length > width[i % table->column_count])
			width[i % table->column_count] = length;
	}
}

static void lines_print(const struct table *table, const int *width, const char *indent, FILE *out)
{
	(void)fputs(indent, out);
	for (uint32_t c = 0; c < table->column_count; c++)
		cell_print(table, c, column_heading(table, c), width[c], out);
	for (size_t i = 0; i < table->cell_count; i++) {
		uint32_t c = (uint32_t)(i % table->column_count);

		if (c == 0)
			(void)fprintf(out, "\n%s", indent);
		cell_print(table, c, table->cells[i], width[c], out);
	}
	(void)fputc('\n', out);
}

/* For a terminal that is too narrow: each row by itself, its cells behind their headings, as many
 * on a line as fit. */
static void rows_print(const struct table *table, const char *indent, unsigned columns, FILE *out)
{
	const size_t margin = strlen(indent) + 2;
	size_t used = 0;

	for (size_t i = 0; i < table->cell_count; i++) {
		const uint32_t c = (uint32_t)(i % table->column_count);
		const char *heading = column_heading(table, c), *cell = table->cells[i];
		const size_t bytes = strlen(heading) + strlen(cell) + 1;

		if (c == 0) {
			(void)fprintf(out, "%s%s%s", i > 0 ? "\n" : "", indent, cell);
			used = columns; /* the rest begins on a line of its own */
		} else if (*cell != '\0' && used + 2 + bytes > columns) {
			(void)fprintf(out, "\n%*s", (int)margin, "");
			used = margin;
		} else if (*cell != '\0') {
			(void)fputs(", ", out);
			used += 2;
		}
		if (c == 0 || *cell == '\0')
			continue;
		(void)fprintf(out, "%s%s%s", heading, *heading == '\0' ? "" : " ", cell);
		used += bytes;
	}
	(void)fputc('\n', out);
}

int table_print(const struct table *table, const char *indent, FILE *out)
{
	const unsigned columns = screen_columns(out);
	int width[TABLE_COLUMNS_MAX] = {0};
	size_t whole = strlen(indent);

	if (table->lost)
		return -ENOMEM;
	if (table->cell_count == 0)
		return 0;
	widths_find(table, width);
	for (uint32_t c = 0; c < table->column_count; c++)
		whole += (size_t)width[c] + (c > 0 ? COLUMN_GAP : 0);
	if (columns == 0 || whole <= columns)
		lines_print(table, width, indent, out);
	else
		rows_print(table, indent, columns, out);
	return 0;
}
