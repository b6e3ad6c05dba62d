// An option that a plugin defines: a row of the options table, written by a plugin.

interface PluginOptionBase {
  /** Lower case with dashes: `foobar-greeting`. Exact, as all names are; one that exists already is refused. */
  readonly name: string
  /** The short letter: `p` for `-p`. */
  readonly shortcut?: string
  /** One or two sentences for `--help`. */
  readonly help: string
}

export type PluginOptionValue = boolean | number | string | readonly string[]

/**
 * `set`, M: called once with the value that holds, after `onLoad` and before `init`; not called for an option that was not
 * given and has no default. What it throws refuses the configuration with its message.
 */
interface Settable<Value> {
  set?(value: Value): void
}

/** uWSGI's kinds of arguments: a flag, a number, a size (bytes, or with k, m, g), seconds, a text, a text that may be repeated. */
export type PluginOption = PluginOptionBase &
  (
    | ({ readonly type: 'flag' } & Settable<boolean>)
    | ({
        readonly type: 'integer' | 'size'
        readonly min?: number
        readonly max?: number
        readonly default?: number
      } & Settable<number>)
    | ({ readonly type: 'seconds'; readonly min?: number; readonly default?: number } & Settable<number>)
    | ({ readonly type: 'text'; readonly value?: string; readonly default?: string } & Settable<string>)
    | ({ readonly type: 'list'; readonly value?: string; readonly separator?: string } & Settable<readonly string[]>)
  )
