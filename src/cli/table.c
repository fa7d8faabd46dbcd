#include "cli/table.h"

#include "cli/text.h"

#define GAP "  "

struct SyncdTable {
    size_t n_columns;
    const char *const *titles;
    size_t *widths;
    GPtrArray *cells; /* char * */
    bool has_titles;  /* printed */
};

SyncdTable *syncd_table_new(const char *const *titles)
{
    SyncdTable *table = g_new0(SyncdTable, 1);
    table->titles = titles;
    table->n_columns = g_strv_length((char **)titles);
    table->widths = g_new0(size_t, table->n_columns);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    return table;
}

void syncd_table_free(SyncdTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_free(table->widths);
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

void syncd_table_add(SyncdTable *table, const char *const *cells)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        char *cell = syncd_text_safe(cells[i] != NULL && cells[i][0] != '\0' ? cells[i] : "-");
        widen(table, i, cell);
        g_ptr_array_add(table->cells, cell);
    }
}

static void append_cell(const SyncdTable *table, GString *line, size_t column, const char *text)
{
    size_t width = table->widths[column];
    if (to_the_right(table, column)) {
        for (size_t n = syncd_text_width(text); n < width; n++)
            g_string_append_c(line, ' ');
        g_string_append(line, text);
    } else {
        size_t start = line->len;
        g_string_append(line, text);
        if (column + 1 < table->n_columns)
            syncd_text_pad(line, start, width);
    }
    if (column + 1 < table->n_columns)
        g_string_append(line, GAP);
}

static void print_titles(SyncdTable *table, SyncdOutput *output)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (size_t i = 0; i < table->n_columns; i++)
        widen(table, i, title(table, i));
    for (size_t i = 0; i < table->n_columns; i++)
        append_cell(table, line, i, title(table, i));
    syncd_output_styled(output, SYNCD_STYLE_BOLD, line->str);
    syncd_output_text(output, "\n");
    table->has_titles = true;
}

void syncd_table_print(SyncdTable *table, SyncdOutput *output)
{
    if (table->cells->len == 0)
        return;
    if (!table->has_titles)
        print_titles(table, output);
    for (guint at = 0; at < table->cells->len; at += (guint)table->n_columns) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (size_t i = 0; i < table->n_columns; i++)
            append_cell(table, line, i, table->cells->pdata[at + i]);
        g_string_append_c(line, '\n');
        syncd_output_text(output, line->str);
    }
    g_ptr_array_set_size(table->cells, 0);
}
