/* What is in a folder, counted. For tests that look at what is left, or open. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/types.h>

/* Its entries without those whose names begin with a dot. */
static inline unsigned folder_count(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    cr_assert(folder, "%s", path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* The descriptors that a process has open. */
static inline unsigned process_descriptors(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    return folder_count(path);
}

#endif
