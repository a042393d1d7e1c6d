/* md5.c - see md5.h.
 *
 * The 64 steps are one chain, each waiting for the one before, so what counts is how few operations
 * of a step wait for its newest input, `b`: the round functions are written so that the others are
 * done beforehand.  A key of up to 55 bytes is one block.
 */
#include "md5.h"

#include <string.h>

#define BLOCK_BYTES  64u
#define LENGTH_BYTES 8u
#define PADDING	     0x80u

#define START_A 0x67452301u
#define START_B 0xefcdab89u
#define START_C 0x98badcfeu
#define START_D 0x10325476u

#define ROTATE(x, by) ((x) << (by) | (x) >> (32 - (by)))

/* One step: a += f(b, c, d) + x[i] + k, rotated, plus b.  G is a sum of two terms that share no
 * bit, of which one needs no `b`. */
#define STEP(a, b, i, by, k, f)                                                                    \
	do {                                                                                       \
		(a) += x[i] + (k);                                                                 \
		(a) += (f);                                                                        \
		(a) = ROTATE(a, by) + (b);                                                         \
	} while (0)
#define F(a, b, c, d, i, by, k) STEP(a, b, i, by, k, (d) ^ ((b) & ((c) ^ (d))))
#define G(a, b, c, d, i, by, k) STEP(a, b, i, by, (k) + ((c) & ~(d)), (b) & (d))
#define H(a, b, c, d, i, by, k) STEP(a, b, i, by, k, (b) ^ ((c) ^ (d)))
#define I(a, b, c, d, i, by, k) STEP(a, b, i, by, k, (c) ^ ((b) | ~(d)))

/* The first word is done three steps before the others: inlined with `first` it ends there. */
static inline __attribute__((always_inline)) void block_add(uint32_t state[4], const uint32_t *x,
							    int first)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	F(a, b, c, d, 0, 7, 0xd76aa478u);
	F(d, a, b, c, 1, 12, 0xe8c7b756u);
	F(c, d, a, b, 2, 17, 0x242070dbu);
	F(b, c, d, a, 3, 22, 0xc1bdceeeu);
	F(a, b, c, d, 4, 7, 0xf57c0fafu);
	F(d, a, b, c, 5, 12, 0x4787c62au);
	F(c, d, a, b, 6, 17, 0xa8304613u);
	F(b, c, d, a, 7, 22, 0xfd469501u);
	F(a, b, c, d, 8, 7, 0x698098d8u);
	F(d, a, b, c, 9, 12, 0x8b44f7afu);
	F(c, d, a, b, 10, 17, 0xffff5bb1u);
	F(b, c, d, a, 11, 22, 0x895cd7beu);
	F(a, b, c, d, 12, 7, 0x6b901122u);
	F(d, a, b, c, 13, 12, 0xfd987193u);
	F(c, d, a, b, 14, 17, 0xa679438eu);
	F(b, c, d, a, 15, 22, 0x49b40821u);

	G(a, b, c, d, 1, 5, 0xf61e2562u);
	G(d, a, b, c, 6, 9, 0xc040b340u);
	G(c, d, a, b, 11, 14, 0x265e5a51u);
	G(b, c, d, a, 0, 20, 0xe9b6c7aau);
	G(a, b, c, d, 5, 5, 0xd62f105du);
	G(d, a, b, c, 10, 9, 0x02441453u);
	G(c, d, a, b, 15, 14, 0xd8a1e681u);
	G(b, c, d, a, 4, 20, 0xe7d3fbc8u);
	G(a, b, c, d, 9, 5, 0x21e1cde6u);
	G(d, a, b, c, 14, 9, 0xc33707d6u);
	G(c, d, a, b, 3, 14, 0xf4d50d87u);
	G(b, c, d, a, 8, 20, 0x455a14edu);
	G(a, b, c, d, 13, 5, 0xa9e3e905u);
	G(d, a, b, c, 2, 9, 0xfcefa3f8u);
	G(c, d, a, b, 7, 14, 0x676f02d9u);
	G(b, c, d, a, 12, 20, 0x8d2a4c8au);

	H(a, b, c, d, 5, 4, 0xfffa3942u);
	H(d, a, b, c, 8, 11, 0x8771f681u);
	H(c, d, a, b, 11, 16, 0x6d9d6122u);
	H(b, c, d, a, 14, 23, 0xfde5380cu);
	H(a, b, c, d, 1, 4, 0xa4beea44u);
	H(d, a, b, c, 4, 11, 0x4bdecfa9u);
	H(c, d, a, b, 7, 16, 0xf6bb4b60u);
	H(b, c, d, a, 10, 23, 0xbebfbc70u);
	H(a, b, c, d, 13, 4, 0x289b7ec6u);
	H(d, a, b, c, 0, 11, 0xeaa127fau);
	H(c, d, a, b, 3, 16, 0xd4ef3085u);
	H(b, c, d, a, 6, 23, 0x04881d05u);
	H(a, b, c, d, 9, 4, 0xd9d4d039u);
	H(d, a, b, c, 12, 11, 0xe6db99e5u);
	H(c, d, a, b, 15, 16, 0x1fa27cf8u);
	H(b, c, d, a, 2, 23, 0xc4ac5665u);

	I(a, b, c, d, 0, 6, 0xf4292244u);
	I(d, a, b, c, 7, 10, 0x432aff97u);
	I(c, d, a, b, 14, 15, 0xab9423a7u);
	I(b, c, d, a, 5, 21, 0xfc93a039u);
	I(a, b, c, d, 12, 6, 0x655b59c3u);
	I(d, a, b, c, 3, 10, 0x8f0ccc92u);
	I(c, d, a, b, 10, 15, 0xffeff47du);
	I(b, c, d, a, 1, 21, 0x85845dd1u);
	I(a, b, c, d, 8, 6, 0x6fa87e4fu);
	I(d, a, b, c, 15, 10, 0xfe2ce6e0u);
	I(c, d, a, b, 6, 15, 0xa3014314u);
	I(b, c, d, a, 13, 21, 0x4e0811a1u);
	I(a, b, c, d, 4, 6, 0xf7537e82u);
	state[0] += a;
	if (first)
		return;
	I(d, a, b, c, 11, 10, 0xbd3af235u);
	I(c, d, a, b, 2, 15, 0x2ad7d2bbu);
	I(b, c, d, a, 9, 21, 0xeb86d391u);
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

/* The block's words, low byte first. */
static inline void block_read(uint32_t x[16], const uint8_t *bytes)
{
	memcpy(x, bytes, BLOCK_BYTES);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (int i = 0; i < 16; i++)
		x[i] = __builtin_bswap32(x[i]);
#endif
}

/* The whole blocks; what is left of the data, padded, goes to `tail`: its number of blocks. */
static unsigned data_split(const void *data, size_t bytes, uint32_t state[4],
			   uint8_t tail[2 * BLOCK_BYTES])
{
	const size_t rest = bytes % BLOCK_BYTES;
	const unsigned blocks = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? 1 : 2;
	const uint8_t *from = data;
	uint32_t x[16];

	state[0] = START_A;
	state[1] = START_B;
	state[2] = START_C;
	state[3] = START_D;
	for (size_t left = bytes; left >= BLOCK_BYTES; left -= BLOCK_BYTES, from += BLOCK_BYTES) {
		block_read(x, from);
		block_add(state, x, 0);
	}
	memset(tail, 0, blocks * BLOCK_BYTES);
	memcpy(tail, from, rest);
	tail[rest] = PADDING;
	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		tail[blocks * BLOCK_BYTES - LENGTH_BYTES + i] =
		    (uint8_t)((uint64_t)bytes * 8 >> (8 * i));
	return blocks;
}

void mcr_md5(const void *data, size_t bytes, uint32_t digest[4])
{
	uint8_t tail[2 * BLOCK_BYTES];
	const unsigned blocks = data_split(data, bytes, digest, tail);
	uint32_t x[16];

	for (unsigned i = 0; i < blocks; i++) {
		block_read(x, tail + i * BLOCK_BYTES);
		block_add(digest, x, 0);
	}
}

static __attribute__((noinline)) uint32_t long_first(const void *data, size_t bytes)
{
	uint32_t digest[4];

	mcr_md5(data, bytes, digest);
	return digest[0];
}

uint32_t mcr_md5_first(const void *data, size_t bytes)
{
	uint32_t state[4] = {START_A, START_B, START_C, START_D};
	uint8_t block[BLOCK_BYTES] = {0};
	uint32_t x[16];

	if (bytes + 1 + LENGTH_BYTES > BLOCK_BYTES)
		return long_first(data, bytes);
	memcpy(block, data, bytes);
	block[bytes] = PADDING;
	block_read(x, block);
	x[14] = (uint32_t)bytes * 8;
	block_add(state, x, 1);
	return state[0];
}
