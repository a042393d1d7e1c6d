/* table.h - columns that line up, whatever their content. */
#ifndef MCROSTER_ADMIN_TABLE_H
#define MCROSTER_ADMIN_TABLE_H

#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 14u

struct table;

/* One heading per column, in order; a heading that begins with '>' has its column set to the right
 * (the '>' is not printed).  The headings are borrowed.  NULL when memory is out. */
struct table *table_new(const char *const *headings, uint32_t column_count);
void table_free(struct table *table);

/* Fills the next cell, row by row.  A memory failure is remembered for table_print. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints headings and rows, each line after `indent`; without a row nothing at all.  At a terminal
 * that is too narrow for them each row has lines of its own.  -ENOMEM when a cell was lost. */
int table_print(const struct table *table, const char *indent, FILE *out);

#endif
