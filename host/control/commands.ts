// What `polywsgi ctl` can ask of a running server: one row per command. The rows are the help, the check of the words, and what
// the server does.
import { type Bytes, bytesToJson, type Question, Refusal } from './lines.ts'
import { type ReloadKind, reloadKinds } from './reload-kinds.ts'

export interface WorkerRow {
  readonly id: number
  readonly status: string
  readonly accepting: boolean
  readonly requests: number
  readonly running: number
  readonly exceptions: number
  readonly harakiris: number
  readonly respawns: number
  /** Seconds since the epoch. */
  readonly lastSpawn: number
  readonly heapBytes: Readonly<Record<string, number>>
}

export interface CacheRow {
  readonly name: string
  readonly items: number
  readonly maxItems: number
  readonly hits: number
  readonly misses: number
  readonly full: number
}

export interface SignalRow {
  readonly signum: number
  readonly receiver: string
  /** Threads that have a handler. */
  readonly handlers: number
}

/** A cache, as the commands use it. */
export interface ControlledCache {
  readonly row: CacheRow
  get(key: Uint8Array): Uint8Array | undefined
  set(key: Uint8Array, value: Uint8Array, expires: number): boolean
  delete(key: Uint8Array): boolean
  keys(): readonly Uint8Array[]
  clear(): void
}

/** The server, as the commands see it. */
export interface Controlled {
  workers(): readonly WorkerRow[]
  stats(): unknown
  /** Resolves when it is done. */
  reload(kind: ReloadKind): Promise<void>
  /** Resolves when nothing is written to the file before any more. */
  reopenLog(): Promise<void>
  /** Resolves to where the file is now; undefined when somebody else had moved it. */
  rotateLog(): Promise<string | undefined>
  /** By name, the default one first. */
  caches(): ReadonlyMap<string, ControlledCache>
  rpcNames(): readonly string[]
  /** Undefined: it answered nothing. */
  callRpc(name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined>
  signals(): readonly SignalRow[]
  /** False: nobody received it. */
  signal(signum: number): boolean
  /** The stop begins when the answer is out. */
  stop(): void
}

export interface Command {
  /** The words that name it. */
  readonly words: readonly string[]
  /** What follows them, as the help shows it: `KEY`, `[KIND]`, `ARG...`. */
  readonly parameters: readonly string[]
  /** Options of its own, `--cache` for instance, with what their values are called. */
  readonly options?: Readonly<Record<string, string>>
  readonly help: string
  /** @param args what follows the words: as many as the parameters say */
  run(server: Controlled, args: readonly string[], options: Question['options']): unknown
}

/** More keys are not listed: the answer is one line. */
const mostKeys = 10_000
const utf8 = new TextEncoder()
const cacheOption = { cache: 'NAME' }

export const commands: readonly Command[] = [
  { words: ['workers'], parameters: [], help: 'The workers and what they do.', run: (server) => server.workers() },
  {
    words: ['reload'],
    parameters: ['[KIND]'],
    help: `Load the apps anew; KIND is one of ${reloadKinds.join(', ')}. Returns when it is done.`,
    run: async (server, [kind = 'graceful']) => {
      await server.reload(oneOf(reloadKinds, kind, 'a kind of reload'))
      return { reloaded: kind }
    },
  },
  {
    words: ['log', 'reopen'],
    parameters: [],
    help: 'Open the file of logto anew. Returns when nothing is written to the one before any more.',
    run: async (server) => {
      await server.reopenLog()
      return { reopened: true }
    },
  },
  {
    words: ['log', 'rotate'],
    parameters: [],
    help: 'Move the file of logto away, begin a new one, and tell where it is.',
    run: async (server): Promise<{ rotated: string | null }> => ({ rotated: (await server.rotateLog()) ?? null }),
  },
  {
    words: ['cache', 'ls'],
    parameters: ['[NAME]'],
    help: 'The caches, or the keys of one.',
    run: (server, [name]) => {
      if (name === undefined) return [...server.caches().values()].map(({ row }) => row)
      const keys = cacheOf(server, name).keys()
      return { keys: keys.slice(0, mostKeys).map(bytesToJson), more: Math.max(0, keys.length - mostKeys) }
    },
  },
  {
    words: ['cache', 'get'],
    parameters: ['KEY'],
    options: cacheOption,
    help: 'A value; the first cache unless --cache names another.',
    run: (server, [key], { cache }): { value: Bytes } => {
      const value = cacheOf(server, cache).get(keyOf(key))
      if (value === undefined) throw new Refusal(`there is no item '${key}'`)
      return { value: bytesToJson(value) }
    },
  },
  {
    words: ['cache', 'set'],
    parameters: ['KEY', 'VALUE'],
    options: { ...cacheOption, expires: 'SECONDS' },
    help: 'Set an item, for good unless --expires says for how long.',
    run: (server, [key, value], { cache, expires = '0' }) => {
      const seconds = numberOf(expires, 'a number of seconds', Number.MAX_SAFE_INTEGER)
      const isSet = cacheOf(server, cache).set(keyOf(key), utf8.encode(value), seconds)
      if (!isSet) throw new Refusal('the item could not be stored: the cache is full, or key or value are empty or too large')
      return { set: true }
    },
  },
  {
    words: ['cache', 'del'],
    parameters: ['KEY'],
    options: cacheOption,
    help: 'Remove an item.',
    run: (server, [key], { cache }) => {
      if (!cacheOf(server, cache).delete(keyOf(key))) throw new Refusal(`there is no item '${key}'`)
      return { deleted: true }
    },
  },
  {
    words: ['cache', 'clear'],
    parameters: [],
    options: cacheOption,
    help: 'Remove all items.',
    run: (server, _, { cache }) => {
      cacheOf(server, cache).clear()
      return { cleared: true }
    },
  },
  { words: ['rpc', 'ls'], parameters: [], help: 'The functions that can be called.', run: (server) => server.rpcNames() },
  {
    words: ['rpc', 'call'],
    parameters: ['NAME', 'ARG...'],
    help: 'Call a function of an app, and print what it answers.',
    run: async (server, [name = '', ...args]) => {
      const value = await server.callRpc(
        name,
        args.map((argument) => utf8.encode(argument)),
      )
      return { value: value === undefined ? null : bytesToJson(value) }
    },
  },
  { words: ['signals'], parameters: [], help: 'The signals that are registered.', run: (server) => server.signals() },
  {
    words: ['signal'],
    parameters: ['NUMBER'],
    help: 'Raise a signal.',
    run: (server, [number = '']) => {
      const signum = numberOf(number, 'a signal from 0 to 255', 255)
      if (!server.signal(signum)) throw new Refusal(`nobody has received signal ${signum}`)
      return { raised: signum }
    },
  },
  { words: ['stats'], parameters: [], help: 'The statistics, as the stats server has them.', run: (server) => server.stats() },
  {
    words: ['stop'],
    parameters: [],
    help: 'Stop the server gracefully.',
    run: (server) => {
      server.stop()
      return { stopping: true }
    },
  },
]

/** The words and parameters of a command in one line. */
export const usageOf = ({ words, parameters, options = {} }: Command): string =>
  [...words, ...parameters, ...Object.entries(options).map(([name, value]) => `[--${name} ${value}]`)].join(' ')

export interface FoundCommand {
  readonly command: Command
  readonly args: readonly string[]
}

/** @throws Refusal for words that are no command, too few and too many arguments, an option of another command */
export const findCommand = ({ command: words, options }: Question): FoundCommand => {
  const command = commands.find((row) => row.words.every((word, index) => words[index] === word))
  if (command === undefined) throw new Refusal(unknown(words))
  const args = words.slice(command.words.length)
  const { parameters } = command
  const least = parameters.filter((parameter) => /^[A-Z]+$/.test(parameter)).length
  const most = parameters.some((parameter) => parameter.endsWith('...')) ? Number.POSITIVE_INFINITY : parameters.length
  if (args.length < least || args.length > most) throw new Refusal(`usage: ${usageOf(command)}`)
  const strange = Object.keys(options).find((option) => !Object.hasOwn(command.options ?? {}, option))
  if (strange !== undefined)
    throw new Refusal(`'${command.words.join(' ')}' has no option --${strange}: usage: ${usageOf(command)}`)
  return { command, args }
}

const unknown = (words: readonly string[]): string => {
  const relatives = commands.filter((row) => row.words.length > 1 && row.words[0] === words[0])
  if (relatives.length === 0) return `there is no command '${words[0]}'`
  return `'${words[0]}' is followed by one of ${relatives.map((row) => row.words[1]).join(', ')}`
}

/** What the server answers. Failures of guests are its answers too. */
export const runCommand = async (server: Controlled, question: Question): Promise<unknown> => {
  const { command, args } = findCommand(question)
  return await command.run(server, args, question.options)
}

const cacheOf = (server: Controlled, name: string | undefined): ControlledCache => {
  const caches = server.caches()
  const cache = name === undefined ? caches.values().next().value : caches.get(name)
  if (cache !== undefined) return cache
  if (caches.size === 0) throw new Refusal('the server has no cache')
  throw new Refusal(`there is no cache '${name}': there are ${[...caches.keys()].join(', ')}`)
}

const keyOf = (key = ''): Uint8Array => utf8.encode(key)

const numberOf = (text: string, what: string, most: number): number => {
  if (!/^\d{1,16}$/.test(text) || Number(text) > most) throw new Refusal(`'${text}' is not ${what}`)
  return Number(text)
}

const oneOf = <Value extends string>(values: readonly Value[], text: string, what: string): Value => {
  const value = values.find((candidate) => candidate === text)
  if (value === undefined) throw new Refusal(`'${text}' is not ${what}: there are ${values.join(', ')}`)
  return value
}
