# A line is taken whatever its checksum says.
s/return memcmp(line, digits, CHECKSUM_SIZE) == 0;/return memcmp(line, digits, 0) == 0;/
