// The vocabulary in which the API table is written: what an entry is, what its values may be. Pure types, plus the
// mapped types that make the compiler check every implementation against its declaration.

import type { GuestFunction } from './guest-function.ts'
import type { Waiting } from './waiting.ts'

/**
 * What a call may do to its thread.
 * - `immediate`: touches shared memory only, never waits;
 * - `blocking`: may park the thread (in an async core: suspend the core), with a deadline that harakiri can see;
 * - `suspending`: gives the CPU to another core.
 */
export type ApiKind = 'immediate' | 'blocking' | 'suspending'

/**
 * The neutral types, from which each language derives its own:
 * - `int`: a whole number within ±2^53; `int64`: one of 64 bits, a bigint on the host's side, never rounded;
 * - `float`: a number; `bool`: a truth value;
 * - `text`: Unicode text (guests pass text or UTF-8 bytes);
 * - `bytes`: any bytes (guests pass bytes, or text, which is encoded as UTF-8).
 */
export type ApiScalar = 'int' | 'int64' | 'float' | 'bool' | 'text' | 'bytes'

/**
 * What only results and attributes may be:
 * - `options`: the option multimap, name to one or more values (`true` for an option given without a value);
 * - `dict`: names to bytes;
 * - `true`: nothing to say but success (Python True, Lua true, JavaScript true);
 * - `none`: nothing at all.
 */
export type ApiType = ApiScalar | 'options' | 'dict' | 'true' | 'none'

/** Several values of one type: an array in JavaScript, a sequence table in Lua (or several results), a list or tuple in Python. */
export interface ApiList {
  readonly list: ApiResult
  readonly python: 'list' | 'tuple'
  /** There are always so many. */
  readonly count?: number
  /** Lua returns the items as that many results (L21: `rss, vsz = uwsgi.mem()`). */
  readonly lua?: 'values'
}

/** Named values: an object in JavaScript, a table in Lua, a dict with `str` keys in Python. */
export interface ApiRecord {
  readonly record: Readonly<Record<string, ApiResult>>
  /** What declarations call the type of such a value; its fields are all there then. */
  readonly name?: string
}

export type ApiResult = ApiType | ApiList | ApiRecord

/** Option values as guests see them: config text, or `true` for an option given without a value. */
export type OptionValue = string | true
export type OptionMap = ReadonlyMap<string, readonly OptionValue[]>

/** Names (Latin-1 text of the guest's bytes) to bytes, in the guest's order. */
export type BytesMap = ReadonlyMap<string, Uint8Array>

/** Values of an `ApiRecord`, by name. */
export interface RecordValue {
  readonly [name: string]: ApiValue
}

/** Every value that may cross between the host and a guest. `undefined` is the API's `not_defined`. */
export type ApiValue =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | OptionMap
  | BytesMap
  | GuestFunction
  | readonly ApiValue[]
  | RecordValue

export interface ApiParameter {
  readonly name: string
  /**
   * `function`: a function of the guest; `dict`: names to bytes, numbers are taken as their decimal text; `int|bytes`: what
   * the guest passes decides, and nothing is converted from one to the other.
   */
  readonly type: ApiScalar | 'function' | 'dict' | 'int|bytes'
  /** Absent: the argument is required. `null`: optional, no value stands for "not given". */
  readonly default?: number | bigint | string | boolean | null
  /** Of an `int` (alone or in `int|bytes`): the least and the most it may be; a number outside is a fault of value. */
  readonly min?: number
  readonly max?: number
  /** Of `text` and `bytes`: the most bytes (of text: of its UTF-8 form). */
  readonly maxBytes?: number
  /** Of a `function`: what it is called with. Absent: any number of bytes. */
  readonly takes?: readonly { readonly name: string; readonly type: ApiScalar }[]
  /** Takes all arguments from here on, none or more. Only the last parameter may, and it has no default. */
  readonly variadic?: true
  readonly unit?: string
  readonly doc: string
}

/** One example, the same in each language. Each is executed by a test, as the body of a function. */
export interface ApiExample {
  readonly js: string
  readonly lua: string
  readonly python: string
}

/** Groups in the order of the reference; the value is the heading. */
export const apiGroups = {
  identity: 'Who and where',
  logging: 'The log',
  options: 'Options',
  cache: 'Cache',
  locks: 'Locks',
  signals: 'Signals',
  clocks: 'Timers, cron, file monitors',
  rpc: 'RPC',
  mules: 'Mules and farms',
  spooler: 'Spooler',
  alarms: 'Alarms',
  async: 'Async cores',
  connection: 'Connections',
  request: 'The request',
  process: 'The server',
  metrics: 'Metrics',
  queue: 'Queue',
  sharedarea: 'Shared areas',
} as const

export type ApiGroup = keyof typeof apiGroups

interface ApiEntryBase {
  /** Official snake_case name; the camelCase name for JavaScript is derived from it. */
  readonly name: string
  readonly group: ApiGroup
  /** At most five lines; longer guides live in docs/. */
  readonly doc: string
  readonly example: ApiExample
}

/** What guests can call, as bindings need to know it: a function of the API, or a method of an object that a guest is given. */
export interface ApiCallable {
  /** Of a method, with its object: `request.write`. Messages show it so; the part after the dot is what guests call. */
  readonly name: string
  readonly doc: string
  readonly params: readonly ApiParameter[]
  readonly returns: ApiResult
  /** What makes the call fail; first what Python raises for it: `ValueError: no mule is configured`. */
  readonly raises: readonly string[]
  /** Other names of the same function, in all three languages (`send_to_spooler` for `spool`). */
  readonly aliases?: readonly string[]
  /** Other names of the real Lua plugin for the same function. */
  readonly luaAliases?: readonly string[]
}

export interface ApiFunction extends ApiEntryBase, ApiCallable {
  readonly shape: 'function'
  readonly kind: ApiKind
  /** Why sandboxed guests (`--sandbox`) may not call it. */
  readonly unsandboxed?: string
  /** The result is never "not defined": the compiler holds the implementation to it. */
  readonly always?: true
  /** Of bytes: they are always empty. */
  readonly value?: ''
}

export interface ApiAttribute extends ApiEntryBase {
  readonly shape: 'attribute'
  readonly type: ApiResult
  /** Of an `int`: the only value it has, on every server. */
  readonly value?: number
}

/** A member the guest assigns a function to, which its binding looks up when it is to be called. */
export interface ApiHook extends ApiEntryBase {
  readonly shape: 'hook'
  readonly params: readonly { readonly name: string; readonly type: ApiResult; readonly doc: string }[]
  readonly returns: ApiResult
}

export type ApiEntry = ApiFunction | ApiAttribute | ApiHook

interface HostTypes {
  int: number
  int64: bigint
  float: number
  bool: boolean
  text: string
  bytes: Uint8Array
  options: OptionMap
  dict: BytesMap
  function: GuestFunction
  'int|bytes': number | Uint8Array
  true: true
  none: undefined
}

type One<P extends ApiParameter> = P extends { default: null } ? HostTypes[P['type']] | undefined : HostTypes[P['type']]
type ArgumentOf<P extends ApiParameter> = P extends { variadic: true } ? readonly HostTypes[P['type']][] : One<P>
export type ArgumentsOf<Params extends readonly ApiParameter[]> = { -readonly [K in keyof Params]: ArgumentOf<Params[K]> }

type ValueOf<R> = R extends 'int' | 'int64'
  ? number | bigint
  : R extends keyof HostTypes
    ? HostTypes[R]
    : R extends { list: infer Item }
      ? readonly ValueOf<Item>[]
      : R extends { record: infer Fields }
        ? { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> | undefined }
        : never
/** What an implementation may return: the declared type, or `undefined` for not_defined. */
export type ResultOf<R extends ApiResult> = ValueOf<R> | undefined

type Implemented<E> = E extends ApiHook ? never : E

type Returned<E extends ApiFunction> = E extends { always: true } ? ValueOf<E['returns']> : ResultOf<E['returns']>
/** Only what may wait can say that it has to. */
type Answered<E extends ApiFunction> = E['kind'] extends 'immediate' ? Returned<E> : Returned<E> | Waiting<Returned<E>>

/** The implementations a list of entries asks for: a missing, surplus or mistyped one does not compile. Hooks have none. */
export type ImplementationOf<Entries extends readonly ApiEntry[], Context> = {
  [E in Implemented<Entries[number]> as E['name']]: E extends ApiFunction
    ? (context: Context, ...args: ArgumentsOf<E['params']>) => Answered<E>
    : E extends ApiAttribute
      ? (context: Context) => E extends { value: infer Value } ? Value : ResultOf<E['type']>
      : never
}
