# cb_call answers "open" when the operation itself has failed.
/^int cb_call(/,/^}/s/return CB_ADMITTED;/return value == 0 ? CB_ADMITTED : CB_REJECTED_OPEN;/
