// The vocabulary in which the API table is written: what an entry is, what its values may be. Pure types, plus the
// mapped types that make the compiler check every implementation against its declaration.

/**
 * What a call may do to its thread.
 * - `immediate`: touches shared memory only, never waits;
 * - `blocking`: may park the thread (in an async core: suspend the core), with a deadline that harakiri can see;
 * - `suspending`: gives the CPU to another core.
 */
export type ApiKind = 'immediate' | 'blocking' | 'suspending'

/**
 * The neutral types, from which each language derives its own:
 * - `int`: a whole number; beyond 2^53 a bigint on the host's side, never rounded;
 * - `float`: a number; `bool`: a truth value;
 * - `text`: Unicode text (guests pass text or UTF-8 bytes);
 * - `bytes`: any bytes (guests pass bytes, or text, which is encoded as UTF-8);
 * - `options`: the option multimap, name to one or more values (`true` for an option given without a value);
 * - `true`: nothing to say but success (Python True, Lua true, JavaScript true);
 * - `none`: nothing at all.
 */
export type ApiType = 'int' | 'float' | 'bool' | 'text' | 'bytes' | 'options' | 'true' | 'none'

/** Option values as guests see them: config text, or `true` for an option given without a value. */
export type OptionValue = string | true
export type OptionMap = ReadonlyMap<string, readonly OptionValue[]>

/** Every value that may cross between the host and a guest. `undefined` is the API's `not_defined`. */
export type ApiValue = undefined | boolean | number | bigint | string | Uint8Array | OptionMap

export interface ApiParameter {
  readonly name: string
  readonly type: Exclude<ApiType, 'options' | 'true' | 'none'>
  /** Absent: the argument is required. `null`: optional, no value stands for "not given". */
  readonly default?: number | string | boolean | null
  readonly unit?: string
  readonly doc: string
}

export interface ApiExample {
  readonly js: string
  readonly lua: string
  readonly python: string
}

interface ApiEntryBase {
  /** Official snake_case name; the camelCase name for JavaScript is derived from it. */
  readonly name: string
  readonly group: 'identity' | 'logging' | 'options'
  /** At most five lines; longer guides live in docs/. */
  readonly doc: string
  readonly example: ApiExample
}

export interface ApiFunction extends ApiEntryBase {
  readonly shape: 'function'
  readonly kind: ApiKind
  readonly params: readonly ApiParameter[]
  readonly returns: ApiType
  readonly raises: readonly string[]
  /** Other names of the real Lua plugin for the same function. */
  readonly luaAliases?: readonly string[]
}

export interface ApiAttribute extends ApiEntryBase {
  readonly shape: 'attribute'
  readonly type: ApiType
}

export type ApiEntry = ApiFunction | ApiAttribute

interface HostTypes {
  int: number | bigint
  float: number
  bool: boolean
  text: string
  bytes: Uint8Array
  options: OptionMap
  true: true
  none: undefined
}

type ArgumentOf<P extends ApiParameter> = P extends { default: null } ? HostTypes[P['type']] | undefined : HostTypes[P['type']]
export type ArgumentsOf<Params extends readonly ApiParameter[]> = { -readonly [K in keyof Params]: ArgumentOf<Params[K]> }
/** What an implementation may return: the declared type, or `undefined` for not_defined. */
export type ResultOf<T extends ApiType> = HostTypes[T] | undefined

/** The implementations a list of entries asks for: a missing, surplus or mistyped one does not compile. */
export type ImplementationOf<Entries extends readonly ApiEntry[], Context> = {
  [E in Entries[number] as E['name']]: E extends ApiFunction
    ? (context: Context, ...args: ArgumentsOf<E['params']>) => ResultOf<E['returns']>
    : E extends ApiAttribute
      ? (context: Context) => ResultOf<E['type']>
      : never
}
