#include "registryd/http_exposition.h"

#include <string.h>

static const char *const types[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_HISTOGRAM] = "histogram",
    [METRIC_INFO] = "info",
};

/* "# WORD NAME TEXT". The older format names a family as its samples are named, and knows no info. */
static void head_line(struct http_exposition *out, const char *word, const char *name, enum http_metric metric,
                      const char *text)
{
    const char *suffix = metric == METRIC_COUNTER ? "_total" : metric == METRIC_INFO ? "_info" : "";
    http_text_string(out->text, word);
    http_text_string(out->text, name);
    http_text_string(out->text, out->open ? "" : suffix);
    http_text_string(out->text, " ");
    http_text_string(out->text, text);
    http_text_string(out->text, "\n");
}

void http_family(struct http_exposition *out, const char *name, enum http_metric metric, const char *unit,
                 const char *help)
{
    enum http_metric type = metric == METRIC_INFO && !out->open ? METRIC_GAUGE : metric;
    head_line(out, "# HELP ", name, metric, help);
    head_line(out, "# TYPE ", name, metric, types[type]);
    if (unit && out->open)
        head_line(out, "# UNIT ", name, metric, unit);
}

static void value_add(struct http_text *text, const char *value)
{
    for (size_t plain; *value; value += plain) {
        plain = strcspn(value, "\\\"\n");
        http_text_add(text, value, plain);
        if (value[plain] == '\0')
            return;
        http_text_string(text, value[plain] == '\n' ? "\\n" : value[plain] == '"' ? "\\\"" : "\\\\");
        plain++;
    }
}

void http_sample(struct http_exposition *out, const char *name, const char *suffix, const struct http_label *labels)
{
    http_text_string(out->text, name);
    http_text_string(out->text, suffix);
    for (size_t i = 0; labels[i].name; i++) {
        http_text_string(out->text, i ? "," : "{");
        http_text_string(out->text, labels[i].name);
        http_text_string(out->text, "=\"");
        value_add(out->text, labels[i].value);
        http_text_string(out->text, "\"");
    }
    http_text_string(out->text, labels[0].name ? "} " : " ");
}

void http_exposition_end(struct http_exposition *out)
{
    if (out->open)
        http_text_string(out->text, "# EOF\n");
}
