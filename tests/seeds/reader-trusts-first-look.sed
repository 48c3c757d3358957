# A reader does not look at the commit word again: it takes what a writer has half overwritten meanwhile.
/^bool control_load(/,/^}/s/if (atomic_load_explicit.*/if (1)/
