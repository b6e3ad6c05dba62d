// The hash of a key: HalfSipHash-1-3 (Aumasson and Bernstein), keyed by a random seed per cache. Keys are often made from
// what clients send; without a secret in the hash a client could send many that share a bucket, and every access to it
// would walk them all. Differs from uWSGI: the names of hashes of `--cache2` all stand for this one.

/** Rounds after the last word. */
const finishing = 3

/**
 * @param key holds the key at `start`, `length` bytes long
 * @param seed0 with `seed1`: the secret, chosen once per cache
 */
export const hashKey = (key: Uint8Array, start: number, length: number, seed0: number, seed1: number): number => {
  let a = seed0
  let b = seed1
  let c = 0x6c796765 ^ seed0
  let d = 0x74656462 ^ seed1
  // One round per whole word, one for the rest of the key and its length.
  const whole = length >> 2
  for (let round = 0; round <= whole + finishing; round += 1) {
    let word = 0
    const offset = start + round * 4
    if (round < whole) {
      word = key[offset]! | (key[offset + 1]! << 8) | (key[offset + 2]! << 16) | (key[offset + 3]! << 24)
    } else if (round === whole) {
      word = length << 24
      const rest = length & 3
      if (rest > 0) word |= key[offset]!
      if (rest > 1) word |= key[offset + 1]! << 8
      if (rest > 2) word |= key[offset + 2]! << 16
    } else if (round === whole + 1) c ^= 0xff
    d ^= word
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 7) | (d >>> 25)) ^ a
    c = (c + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ c
    c = (c << 16) | (c >>> 16)
    a ^= word
  }
  return b ^ d
}
