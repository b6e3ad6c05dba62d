// Where QuickJS keeps what: the value tags, and the offsets inside strings and typed arrays that are read straight from
// memory. They hold for the interpreter's build in package.json (a version pinned exactly), and `verifyLayout` in
// convert.ts proves them at every start before anything relies on them.

/** High words of NaN-boxed values (quickjs.h); every other high word belongs to a float. */
export const Tag = {
  bigInt: -9,
  symbol: -8,
  string: -7,
  rope: -6,
  object: -1,
  int: 0,
  bool: 1,
  null: 2,
  undefined: 3,
  exception: 6,
  shortBigInt: 7,
} as const

// A float is stored with this subtracted from its high word, so that no float looks like a tag.
export const floatAddend = 0x7ff80000 + 9 + 1

/** JSString: length in the low 31 bits and the width of characters (1: two bytes) in the highest bit; then characters. */
export const stringLength = 4
export const stringData = 16

/** JSStringRope: after it was flattened its whole text is the left part, a value. */
export const ropeLeft = 16

/** JSObject: the class, and for typed arrays address and number of elements. */
export const objectClass = 6
export const arrayData = 36
export const arrayCount = 40
export const uint8ClampedClass = 21
export const uint8Class = 23

/** JSBigInt: number of 32-bit limbs, then the limbs, lowest first, in two's complement. */
export const bigIntLength = 4
export const bigIntLimbs = 8
