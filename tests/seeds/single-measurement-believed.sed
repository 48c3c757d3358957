# How long a tick is, is believed at once, though the machine may have slept meanwhile.
s|!alike(before, now)|before == 0|
