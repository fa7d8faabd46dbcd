#include "cli/table.h"

#include "cli/text.h"

#include <string.h>

#define GAP "  "
#define INDENT 4
#define NOTHING "-"
#define LAST_MIN 24 /* columns that the text of the last column may be broken down to */

struct SyncdTable {
    size_t n_columns;
    const char *const *titles;
    size_t *widths;
    size_t *starts;   /* of each column, on its line */
    bool *breaks;     /* before that column */
    size_t longest;   /* word of the last column */
    GPtrArray *cells; /* char * */
    bool has_titles;  /* printed */
};

SyncdTable *syncd_table_new(const char *const *titles)
{
    SyncdTable *table = g_new0(SyncdTable, 1);
    table->titles = titles;
    table->n_columns = g_strv_length((char **)titles);
    table->widths = g_new0(size_t, table->n_columns);
    table->starts = g_new0(size_t, table->n_columns);
    table->breaks = g_new0(bool, table->n_columns);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    return table;
}

void syncd_table_free(SyncdTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_free(table->widths);
    g_free(table->starts);
    g_free(table->breaks);
    g_free(table);
}

static bool to_the_right(const SyncdTable *table, size_t column)
{
    return table->titles[column][0] == '>';
}

static const char *title(const SyncdTable *table, size_t column)
{
    return table->titles[column] + (to_the_right(table, column) ? 1 : 0);
}

static void widen(SyncdTable *table, size_t column, const char *text)
{
    table->widths[column] = MAX(table->widths[column], syncd_text_width(text));
}

static void measure_words(SyncdTable *table, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++)
        table->longest = MAX(table->longest, syncd_text_width(*word));
}

void syncd_table_add(SyncdTable *table, const char *const *cells)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        char *cell = syncd_text_safe(cells[i] != NULL && cells[i][0] != '\0' ? cells[i] : NOTHING);
        widen(table, i, cell);
        if (i + 1 == table->n_columns)
            measure_words(table, cell);
        g_ptr_array_add(table->cells, cell);
    }
}

/* ---- layout ---- */

/* What a column needs on its line. */
static size_t needs(const SyncdTable *table, size_t column)
{
    size_t width = table->widths[column];
    bool may_wrap = column + 1 == table->n_columns;
    return may_wrap ? MIN(width, MAX(table->longest, LAST_MIN)) : width;
}

static void lay_out(SyncdTable *table, size_t width)
{
    size_t at = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t start = i > 0 ? at + strlen(GAP) : 0;
        table->breaks[i] = i > 0 && width > 0 && start + needs(table, i) > width;
        table->starts[i] = table->breaks[i] ? INDENT : start;
        at = table->starts[i] + table->widths[i];
    }
}

static void trim(GString *line)
{
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
}

static void begin_cell(const SyncdTable *table, GString *line, size_t column)
{
    if (!table->breaks[column]) {
        g_string_append(line, column > 0 ? GAP : "");
        return;
    }
    trim(line);
    g_string_append_printf(line, "\n%*s", INDENT, "");
}

static void append_cell(const SyncdTable *table, GString *line, size_t column, const char *text,
                        size_t width)
{
    begin_cell(table, line, column);
    if (to_the_right(table, column)) {
        for (size_t n = syncd_text_width(text); n < table->widths[column]; n++)
            g_string_append_c(line, ' ');
        g_string_append(line, text);
    } else if (column + 1 < table->n_columns) {
        size_t start = line->len;
        g_string_append(line, text);
        syncd_text_pad(line, start, table->widths[column]);
    } else {
        syncd_text_wrap(line, text, table->starts[column], table->starts[column], width);
    }
}

/* The first column of the line after that of `column`. */
static size_t line_end(const SyncdTable *table, size_t column)
{
    for (column++; column < table->n_columns && !table->breaks[column];)
        column++;
    return column;
}

/* A further line with nothing on it is left out. */
static bool says_nothing(const SyncdTable *table, char *const *cells, size_t from, size_t to)
{
    while (from < to && strcmp(cells[from], NOTHING) == 0)
        from++;
    return from == to;
}

static char *make_row(const SyncdTable *table, char *const *cells, size_t width)
{
    GString *line = g_string_new(NULL);
    for (size_t i = 0, end; i < table->n_columns; i = end) {
        end = line_end(table, i);
        if (i > 0 && cells != NULL && says_nothing(table, cells, i, end)) {
            trim(line);
            continue;
        }
        for (size_t column = i; column < end; column++)
            append_cell(table, line, column, cells != NULL ? cells[column] : title(table, column),
                        width);
    }
    return g_string_free(line, FALSE);
}

/* ---- printing ---- */

void syncd_table_print(SyncdTable *table, SyncdOutput *output)
{
    size_t width = syncd_output_width(output);
    if (table->cells->len == 0)
        return;
    for (size_t i = 0; i < table->n_columns; i++)
        widen(table, i, title(table, i));
    lay_out(table, width);
    if (!table->has_titles) {
        g_autofree char *titles = make_row(table, NULL, width);
        syncd_output_styled(output, SYNCD_STYLE_BOLD, titles);
        syncd_output_text(output, "\n");
        table->has_titles = true;
    }
    for (guint at = 0; at < table->cells->len; at += (guint)table->n_columns) {
        g_autofree char *row = make_row(table, (char *const *)table->cells->pdata + at, width);
        syncd_output_printf(output, "%s\n", row);
    }
    g_ptr_array_set_size(table->cells, 0);
}
