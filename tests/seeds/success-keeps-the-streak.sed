# A success leaves the streak as it is: failures count that were not consecutive.
/^static void streak_clear/,/^}/s/while (/while (0 \&\& /
