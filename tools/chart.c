#include "chart.h"

#include <langinfo.h>
#include <string.h>

bool chart_blocks(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* value / most in steps of 1 / steps, rounded up. */
static unsigned scaled(uint64_t value, uint64_t most, unsigned steps)
{
    if (!value || !most)
        return 0;
    double exact = (double)value / (double)most * steps;
    unsigned step = (unsigned)exact;
    if (step < exact)
        step++;
    return step < steps ? step : steps;
}

unsigned spark_level(uint64_t value, uint64_t most)
{
    return scaled(value, most, CHART_LEVELS);
}

const char *spark_text(unsigned level, bool blocks)
{
    static const char *const high[CHART_LEVELS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[CHART_LEVELS + 1] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
    if (level > CHART_LEVELS)
        level = CHART_LEVELS;
    return blocks ? high[level] : plain[level];
}

const char *bar_text(uint64_t value, uint64_t most, bool blocks, char out[BAR_TEXT])
{
    static const char *const eighths[8] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned steps = blocks ? 8 : 1, length = scaled(value, most, BAR_WIDTH * steps);
    *out = '\0';
    for (unsigned i = 0; i < length / steps; i++)
        strcat(out, blocks ? "█" : "#");
    if (blocks)
        strcat(out, eighths[length % 8]);
    return out;
}
