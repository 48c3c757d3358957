# The commit word is stored before the copy that it commits: readers take what is half written.
/^void control_store(/,/^}/{
/words_store(/d
/atomic_store_explicit/a\
    words_store(\&control->copy[commit \& 1], next, sizeof *next);
}
