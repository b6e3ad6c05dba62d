// The WebAssembly that follows promises through the interpreter: whose work each job of the queue is. QuickJS has no hook for
// that and no place of its own to note it, but it calls what runs jobs by table, and three of its structures end in
// four bytes that nothing uses. Invariants: the code here keeps nothing in the interpreter but those words and one object
// (the marker) in its list of objects; each function does what the one it stands before does, and passes its result on.

/**
 * Where things lie in an interpreter: addresses, classes and table indices, as async-context.ts finds them.
 * - `current`: a word, the number of whoever guest code runs for;
 * - `objects`, `marker`: head of the list of all objects, and the link of an object of ours in it;
 * - `jobs`: head of the list of jobs;
 * - `finallyFunction`, `hostFunction`: what `finally` passes to `then`, and what functions of the host are;
 * - `isWatched`: 1 where the host is told whose work each job is, before it runs.
 */
const placeNames = [
  'current',
  'objects',
  'marker',
  'jobs',
  'thenableJob',
  'finallyFunction',
  'hostFunction',
  'resolveClass',
  'asyncResolveClass',
  'functionDataClass',
  'asyncGeneratorClass',
  'isWatched',
] as const
export type ContextPlaces = Readonly<Record<(typeof placeNames)[number], number>>

/** What the module takes, in this order, and gives under the same names with a word before them. */
export const replaced = ['reaction', 'thenable', 'then', 'resolve'] as const
/** Taken too: told a number. */
export const watcher = 'begins'

/** A note that was made, though it be of nobody. Numbers are below it. */
const noted = 0x40000000
const numbers = noted - 1

// struct list_head, JSGCObjectHeader and JSObject, JSAsyncFunctionState, JSAsyncGeneratorData, JSPromiseData, JSPromiseFunctionData,
// JSCFunctionDataRecord, JSJobEntry of quickjs.c.
const header = { type: 4, class: 6, link: 8 } as const
const list = { previous: 0, next: 4 } as const
const objectData = 32
const asyncFunction = { type: 4, note: 36 } as const
const generatorState = 8
const promise = { state: 0, lastReaction: 4 } as const
const reactionResolve = 8
const resolveNote = 12
const functionData = { function: 0, count: 5, first: 8 } as const
const job = { function: 12, note: 20, arguments: 24 } as const
const tagObject = -1
const tagException = 6

// ---- the binary format, as far as it is needed (WebAssembly core specification, 5)

type Code = readonly (number | Code)[]

const unsigned = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const signed = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f
    if ((rest >> 6 === 0 && (byte & 0x40) === 0) || (rest >> 6 === -1 && (byte & 0x40) !== 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}
const counted = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes]
const text = (value: string): number[] => sized([...Buffer.from(value)])
const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized(counted(items))]
const flat = (code: Code, into: number[] = []): number[] => {
  for (const part of code) {
    if (typeof part === 'number') into.push(part)
    else flat(part, into)
  }
  return into
}

const i32 = 0x7f
const i64 = 0x7e
const get = (local: number): Code => [0x20, unsigned(local)]
const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)]
const constant = (value: number): Code => [0x41, signed(value)]
const load = (address: Code, offset = 0): Code => [address, 0x28, 2, unsigned(offset)]
const load8 = (address: Code, offset: number): Code => [address, 0x2d, 0, unsigned(offset)]
const load16 = (address: Code, offset: number): Code => [address, 0x2f, 1, unsigned(offset)]
const store = (address: Code, offset: number, value: Code): Code => [address, value, 0x36, 2, unsigned(offset)]
const equal = (left: Code, right: Code): Code => [left, right, 0x46]
const differ = (left: Code, right: Code): Code => [left, right, 0x47]
const below = (left: Code, right: Code): Code => [left, right, 0x49]
const subtract = (left: Code, right: Code): Code => [left, right, 0x6b]
const and = (left: Code, right: Code): Code => [left, right, 0x71]
const or = (left: Code, right: Code): Code => [left, right, 0x72]
const when = (condition: Code, then: Code): Code => [condition, 0x04, 0x40, then, 0x0b]
const call = (index: number, ...args: Code[]): Code => [args, 0x10, unsigned(index)]
const giveBack = (value: Code): Code => [value, 0x0f]
const lowWord = (value: Code): Code => [value, 0xa7]
const highWord = (value: Code): Code => [value, 0x42, 32, 0x88, 0xa7]
const place = (name: (typeof placeNames)[number]): Code => [0x23, unsigned(placeNames.indexOf(name))]
/** A loop that goes on while the condition at its end holds. */
const repeat = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b]

interface Signature {
  readonly takes: readonly number[]
  readonly gives: readonly number[]
}

const jobType: Signature = { takes: [i32, i32, i32], gives: [i64] }
const originals: Readonly<Record<(typeof replaced)[number], Signature>> = {
  reaction: jobType,
  thenable: jobType,
  // biome-ignore lint/suspicious/noThenProperty: nobody awaits a table of functions
  then: { takes: [i32, i64, i32, i32], gives: [i64] },
  resolve: { takes: [i32, i64, i64, i32, i32, i32], gives: [i64] },
}

interface WasmFunction extends Signature {
  readonly name: string
  readonly locals: readonly number[]
  readonly code: Code
}

/**
 * A module that imports from `h` the memory, the functions of `replaced`, `begins(number)` and the places, and exports for each of the functions one
 * that is to be called in its stead (`onReaction`...), and `enter(number)`.
 */
export const contextModule = (mostPages: number): Uint8Array<ArrayBuffer> => {
  // biome-ignore lint/suspicious/noThenProperty: nobody awaits a table of functions
  const index = { reaction: 0, thenable: 1, then: 2, resolve: 3, begins: 4, flush: 5, ownerOf: 6 } as const
  const current = place('current')
  const marker = place('marker')
  const objects = place('objects')
  const lastJob = load(place('jobs'), list.previous)
  const classOf = (object: Code): Code => load16(object, header.class)
  const isObject = (cell: Code, offset: number): Code => equal(load(cell, offset + 4), constant(tagObject))

  // Asynchronous functions that were called since the last time lie behind the marker, and are whose the current work is. A
  // collection may have put others there, which have their note already.
  const link = 0
  const other = 1
  const flush: WasmFunction = {
    name: 'flush',
    takes: [],
    gives: [],
    locals: [i32, i32],
    code: [
      set(link, load(marker, list.next)),
      when(equal(get(link), objects), [0x0f]),
      repeat(
        [
          when(
            equal(
              and(load8(subtract(get(link), constant(header.link)), header.type), constant(15)),
              constant(asyncFunction.type),
            ),
            when(
              equal(load(get(link), asyncFunction.note - header.link), constant(0)),
              store(get(link), asyncFunction.note - header.link, or(load(current), constant(noted))),
            ),
          ),
          set(link, load(get(link), list.next)),
        ],
        differ(get(link), objects),
      ),
      set(link, load(marker, list.next)),
      set(other, load(marker, list.previous)),
      store(get(other), list.next, get(link)),
      store(get(link), list.previous, get(other)),
      set(other, load(objects, list.previous)),
      store(get(other), list.next, marker),
      store(marker, list.previous, get(other)),
      store(marker, list.next, objects),
      store(objects, list.previous, marker),
    ],
  }

  // Of a reaction's arguments: what settles the promise that `then` gave (undefined for an await), the same for rejection,
  // the handler. Where the interpreter itself waits for a promise, for a module say, it makes no note: those handlers are
  // functions with data that neither `finally` nor a program has passed.
  const argv = 0
  const object = 1
  const handlerClass = 2
  const ownerOf: WasmFunction = {
    name: 'ownerOf',
    takes: [i32],
    gives: [i32],
    locals: [i32, i32],
    code: [
      when(equal(load(get(argv), 20), constant(tagObject)), [
        set(object, load(get(argv), 16)),
        set(handlerClass, classOf(get(object))),
      ]),
      when(isObject(get(argv), 0), [
        when(equal(get(handlerClass), place('functionDataClass')), [
          set(object, load(load(get(object), objectData), functionData.function)),
          when(
            and(differ(get(object), place('finallyFunction')), differ(get(object), place('hostFunction'))),
            giveBack(constant(0)),
          ),
        ]),
        set(object, load(get(argv))),
        when(equal(classOf(get(object)), place('resolveClass')), giveBack(load(load(get(object), objectData), resolveNote))),
        giveBack(constant(0)),
      ]),
      when(
        below(subtract(get(handlerClass), place('asyncResolveClass')), constant(2)),
        giveBack(load(load(get(object), objectData), asyncFunction.note)),
      ),
      when(equal(get(handlerClass), place('functionDataClass')), [
        set(object, load(get(object), objectData)),
        when(
          and(
            equal(load8(get(object), functionData.count), constant(1)),
            equal(load(get(object), functionData.first + 4), constant(tagObject)),
          ),
          [
            set(object, load(get(object), functionData.first)),
            when(equal(classOf(get(object)), place('asyncGeneratorClass')), [
              set(object, load(load(get(object), objectData), generatorState)),
              when(get(object), giveBack(load(get(object), asyncFunction.note))),
            ]),
          ],
        ),
      ]),
      constant(0),
    ],
  }

  const runs = (original: number, owner: Code): Code => {
    const outer = 3
    const result = 4
    return [
      call(index.flush),
      set(outer, load(current)),
      store(current, 0, and(owner, constant(numbers))),
      when(place('isWatched'), call(index.begins, load(current))),
      set(result, call(original, get(0), get(1), get(2))),
      call(index.flush),
      store(current, 0, get(outer)),
      get(result),
    ]
  }
  const onReaction: WasmFunction = {
    ...jobType,
    name: 'onReaction',
    locals: [i32, i64],
    code: runs(index.reaction, call(index.ownerOf, get(2))),
  }
  const onThenable: WasmFunction = {
    ...jobType,
    name: 'onThenable',
    locals: [i32, i64],
    code: runs(index.thenable, load(subtract(get(2), constant(job.arguments - job.note)))),
  }

  // The cell of what settles the promise that was given: in the reaction just added, or in the job when there was nothing to wait for.
  const cell = 4
  const thenResult = 5
  const onThen: WasmFunction = {
    ...originals.then,
    name: 'onThen',
    locals: [i32, i64],
    code: [
      set(thenResult, call(index.then, get(0), get(1), get(2), get(3))),
      when(differ(highWord(get(thenResult)), constant(tagException)), [
        set(cell, load(lowWord(get(1)), objectData)),
        [load(get(cell), promise.state), 0x04, 0x40, set(cell, [lastJob, constant(job.arguments), 0x6a]), 0x05],
        [set(cell, [load(get(cell), promise.lastReaction), constant(reactionResolve), 0x6a]), 0x0b],
        when(isObject(get(cell), 0), [
          set(cell, load(get(cell))),
          when(
            equal(classOf(get(cell)), place('resolveClass')),
            store(load(get(cell), objectData), resolveNote, or(load(current), constant(noted))),
          ),
        ]),
      ]),
      get(thenResult),
    ],
  }

  const before = 6
  const resolveResult = 7
  const onResolve: WasmFunction = {
    ...originals.resolve,
    name: 'onResolve',
    locals: [i32, i64],
    code: [
      set(before, lastJob),
      set(resolveResult, call(index.resolve, get(0), get(1), get(2), get(3), get(4), get(5))),
      when(
        and(differ(lastJob, get(before)), equal(load(lastJob, job.function), place('thenableJob'))),
        store(lastJob, job.note, or(load(current), constant(noted))),
      ),
      get(resolveResult),
    ],
  }
  const enter: WasmFunction = {
    name: 'enter',
    takes: [i32],
    gives: [],
    locals: [],
    code: [call(index.flush), store(current, 0, get(0))],
  }

  const imported = [...replaced.map((name) => originals[name]), { takes: [i32], gives: [] }]
  const functions = [flush, ownerOf, onReaction, onThenable, onThen, onResolve, enter]
  const types = [...imported, ...functions].map(({ takes, gives }) => [
    0x60,
    ...counted(takes.map((type) => [type])),
    ...counted(gives.map((type) => [type])),
  ])
  const imports = [
    [...text('h'), ...text('memory'), 2, 1, 0, ...unsigned(mostPages)],
    ...[...replaced, watcher].map((name, type) => [...text('h'), ...text(name), 0, ...unsigned(type)]),
    ...placeNames.map((name) => [...text('h'), ...text(name), 3, i32, 0]),
  ]
  const exports = functions.map(({ name }, at) => [...text(name), 0, ...unsigned(imported.length + at)])
  const bodies = functions.map(({ locals, code }) => sized([...counted(locals.map((type) => [1, type])), ...flat(code), 0x0b]))
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, imports),
    ...section(
      3,
      functions.map((_, at) => unsigned(imported.length + at)),
    ),
    ...section(7, exports),
    ...section(10, bodies),
  ])
}
