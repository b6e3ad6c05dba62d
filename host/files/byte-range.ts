// The Range header (RFC 9110, 14): which part of a file a client asks for.

/** `offset` and `length` in bytes. `none`: the whole file is to be sent. */
export type RangeAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'part'; readonly offset: number; readonly length: number }

const none: RangeAnswer = { kind: 'none' }
const rangeForm = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

/**
 * What a Range header means for a file of `size` bytes. Differs from uWSGI: a header that is malformed, of another unit or
 * for several parts is passed over, where uWSGI answers 416 or sends the first part alone; a range that ends past the file
 * is cut there, where uWSGI sends the whole file; and a suffix longer than the file means all of it, where uWSGI fails.
 */
export const parseRange = (header: string, size: number): RangeAnswer => {
  const match = rangeForm.exec(header)
  if (match === null) return none
  const [, first, last, suffix] = match
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', offset: size - length, length }
  }
  const offset = Number(first)
  const end = last === '' || last === undefined ? Number.POSITIVE_INFINITY : Number(last)
  // The one is larger than the other: no range at all (RFC 9110, 14.1.1).
  if (end < offset) return none
  if (offset >= size) return { kind: 'unsatisfiable' }
  return { kind: 'part', offset, length: Math.min(end + 1, size) - offset }
}
