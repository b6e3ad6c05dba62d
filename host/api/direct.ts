// A way around values for the functions of the table that a request may call a thousand times: the argument is read where it
// lies in the guest's memory, the answer is written where the guest wants it, and nothing is made in between.
// Invariant: what a direct function answers, the ordinary one would have answered too; where it cannot, it says so.
import type { ApiContext } from './context.ts'
import type { apiTable } from './table/index.ts'

/** The answer is not defined. */
export const notDefined = -1
/** Call the ordinary function. */
export const notDirect = -2

/**
 * For a function called with one argument of bytes, which answers bytes.
 * @param source the guest's memory, with the argument at `start`, `length` bytes long
 * @param target words of the guest's memory, which hold `room` bytes for the answer from byte `to` on, both multiples of 4
 * @returns bytes of the answer, `notDefined` or `notDirect`
 */
export type DirectFunction = (
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint32Array,
  to: number,
  room: number,
) => number

type Name = (typeof apiTable)[number]['name']

/** By name; undefined where this server has nothing for it to work on. */
export const directFunctions: { readonly [name in Name]?: (context: ApiContext) => DirectFunction | undefined } = {
  cache_get: ({ caches }) => {
    const cache = caches.values().next().value
    return cache && ((source, start, length, target, to, room) => cache.getInto(source, start, length, target, to, room))
  },
}
