// Has running Lua code look whether it is to be stopped, at next to no cost: glue.wasm is rewritten when it is read.
// Lua's own means, a count hook, makes its interpreter leave the fast path at every instruction, which halves its speed, however
// rarely the hook is called. But at each jump back and behind each call the interpreter (`luaV_execute`) reads the field `trap` of
// the running function, to learn whether hooks were set meanwhile, and at each call of a Lua function its `hookmask`. The code
// added here counts these reads down in a word of the interpreter's memory, and below 0 makes the value read not 0: without a
// branch, `trap | (--countdown >> 31)`. The interpreter then enters `luaG_traceexec`, on a path that is there already; at the
// beginning of that the other addition calls `checkStop` of the companion module.
// Invariant: every loop in Lua code, and every call, comes past a check. What C does within one instruction does not.
import {
  add,
  type Code,
  callIndirect,
  constant,
  flatten,
  load32,
  local,
  or,
  shiftRightSigned,
  store32,
  uleb,
} from './wasm-assembler.ts'
import { readSections, readUleb, sectionIds } from './wasm-sections.ts'

/**
 * Words below the address where the static data of this build begin (1024). `countdown`: how many checks are left until checkStop
 * is called. `checkStop`: its place in the function table.
 */
export const stopWordsAt = { countdown: 1016, checkStop: 1020 } as const

/**
 * How many checks lie between two calls of checkStop. A call costs as much as ten short instructions; a loop around something
 * that takes a millisecond is asked every half a second.
 */
export const checksPerPoll = 512

// What the two functions are known by in this build: L is local 0, in luaV_execute the CallInfo local 7.
const trapRead = [0x20, 7, 0x28, 2, 20] as const
const trapReads = 47
const hookmaskRead = [0x20, 0, 0x28, 2, 112, 0x21, 3] as const
const hookmaskReadLength = 5
/** luaG_traceexec from its beginning: L->ci, L->hookmask & (LUA_MASKLINE | LUA_MASKCOUNT). */
const traceStart = [0x20, 0, 0x28, 2, 20, 0x21, 8, 0x20, 0, 0x28, 2, 112, 0x22, 3, 0x41, 12, 0x71, 0x45] as const

const unknownBuild = (): never => {
  throw new Error('this build of glue.wasm has another luaV_execute than the one the binding was made for')
}

const matches = (bytes: Uint8Array, at: number, pattern: readonly number[]): boolean =>
  pattern.every((byte, index) => bytes[at + index] === byte)

/** @throws Error for another build than the one that this was made for */
export const withStopChecks = (module: Uint8Array): Uint8Array => {
  const sections = readSections(module)
  const code = sections.find(({ id }) => id === sectionIds.code)
  if (code === undefined) return unknownBuild()
  const bodies: Uint8Array[] = []
  let [count, at] = readUleb(module, code.start)
  for (; count > 0; count -= 1) {
    const [size, start] = readUleb(module, at)
    at = start + size
    bodies.push(module.subarray(start, at))
  }
  const traces = bodies.flatMap((body, index) => (matches(body, localsOf(body).end, traceStart) ? [index] : []))
  const executes = bodies.flatMap((body, index) => (placesOf(body, trapRead).length === trapReads ? [index] : []))
  const [trace, execute] = [traces[0], executes[0]]
  if (traces.length !== 1 || executes.length !== 1 || trace === undefined || execute === undefined) return unknownBuild()
  bodies[trace] = withCall(bodies[trace] as Uint8Array, checkStopType(module))
  bodies[execute] = withCountdown(bodies[execute] as Uint8Array)
  const sized = bodies.flatMap((body) => [Uint8Array.from(uleb(body.length)), body])
  const content = Buffer.concat([Uint8Array.from(uleb(bodies.length)), ...sized])
  const rewritten = [Uint8Array.of(sectionIds.code, ...uleb(content.length)), content]
  return Buffer.concat([module.subarray(0, code.at), ...rewritten, module.subarray(code.end)])
}

/** The type of functions that take one i32 and answer nothing. */
const checkStopType = (module: Uint8Array): number => {
  const types = readSections(module).find(({ id }) => id === sectionIds.type)
  if (types === undefined) return unknownBuild()
  let [count, at] = readUleb(module, types.start)
  for (let index = 0; count > 0; index += 1, count -= 1) {
    if (matches(module, at, [0x60, 1, 0x7f, 0])) return index
    const [params, firstParam] = readUleb(module, at + 1)
    const [results, firstResult] = readUleb(module, firstParam + params)
    at = firstResult + results
  }
  return unknownBuild()
}

const localsOf = (body: Uint8Array): { groups: number; start: number; end: number; count: number } => {
  const [groups, start] = readUleb(body, 0)
  let end = start
  let count = 0
  for (let group = 0; group < groups; group += 1) {
    const [size, type] = readUleb(body, end)
    count += size
    end = type + 1
  }
  return { groups, start, end, count }
}

const placesOf = (body: Uint8Array, pattern: readonly number[]): number[] => {
  const places: number[] = []
  for (let at = body.indexOf(pattern[0] as number); at !== -1; at = body.indexOf(pattern[0] as number, at + 1)) {
    if (matches(body, at, pattern)) places.push(at)
  }
  return places
}

const withCall = (body: Uint8Array, type: number): Uint8Array => {
  const { end } = localsOf(body)
  const call: Code = [local.get(0), [constant(stopWordsAt.checkStop), load32], callIndirect(type, 0)]
  return Buffer.concat([body.subarray(0, end), Uint8Array.from(flatten(call)), body.subarray(end)])
}

const withCountdown = (body: Uint8Array): Uint8Array => {
  const { groups, start, end, count } = localsOf(body)
  const parameters = 2
  const left = parameters + count
  const check = flatten([
    [constant(stopWordsAt.countdown), [constant(stopWordsAt.countdown), load32, constant(-1), add, local.tee(left)], store32],
    [local.get(left), constant(31), shiftRightSigned, or],
  ])
  const entries = placesOf(body, hookmaskRead)
  if (entries.length !== 1) return unknownBuild()
  const places = [
    ...placesOf(body, trapRead).map((at) => at + trapRead.length),
    ...entries.map((at) => at + hookmaskReadLength),
  ].sort((a, b) => a - b)
  // One i32 more among the locals.
  const parts: Uint8Array[] = [Uint8Array.from(uleb(groups + 1)), body.subarray(start, end), Uint8Array.of(1, 0x7f)]
  let from = end
  for (const at of places) {
    parts.push(body.subarray(from, at), Uint8Array.from(check))
    from = at
  }
  return Buffer.concat([...parts, body.subarray(from)])
}
