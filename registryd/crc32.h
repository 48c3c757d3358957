/* CRC-32 (that of zlib and Ethernet): it tells any single damaged byte, and any damage of up to four in a row. */
#ifndef REGISTRYD_CRC32_H
#define REGISTRYD_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Go on from the checksum of what stands before; 0 at the beginning. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length);

#endif
