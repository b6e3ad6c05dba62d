// The engine's own stacks of cores, beside the C stacks in the interpreter's memory: each core has one of each.
// Invariant: CPython's limit is reached first. It counts what lies on the C stack only, so the engine's stacks have to hold what
// as much C stack as core-stacks.ts gives comes with; one that overflows ends the interpreter.
import { setFlagsFromString } from 'node:v8'

/**
 * KiB of address space per core; of memory a core takes what it has used. The engine keeps stacks for the next core up to 4 MiB in
 * all: with larger ones each request would pay for a new one (1 to 2 us against 15 to 30).
 */
const stackKilobytes = 3900

/** Counts for stacks that are made from now on, in all threads. The engine takes the smaller one of the two numbers. */
export const enlargeCoreStacks = (): void => {
  setFlagsFromString(`--stack-size=${stackKilobytes}`)
  setFlagsFromString(`--wasm-stack-switching-stack-size=${stackKilobytes}`)
}
