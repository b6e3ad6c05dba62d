// One thing the configuration says, and the store that keeps everything said in order. Directives stay as written: values
// are expanded and typed when all of them are known, since `%(name)` may refer to what comes later.
import type { MagicVariables } from './magic.ts'

/** Where directives come from, from the weakest to the strongest. */
export const layers = ['file', 'environment', 'command line', 'settings'] as const
export type Layer = (typeof layers)[number]

export interface Directive {
  readonly name: string
  /** `true`: given without a value on the command line. A bare key of a file has an empty one. */
  readonly value: string | true
  readonly layer: Layer
  /** `command line`, `app.ini:12`, `POLYWSGI_WORKERS`. */
  readonly where: string
  /** A name defined by `set` or `set-placeholder`: no option is expected under it. */
  readonly isDefinition?: boolean
  /** The value is taken as it is: nothing in it is expanded. */
  readonly isLiteral?: boolean
  /** Of files only: what `%d` and the others stand for. */
  readonly magic?: MagicVariables
  /** Inside a block: what `%(_)` stands for. */
  readonly item?: string
}

// A loop over a loop's output cannot be written, but includes and loops multiply.
const mostDirectives = 100_000

export class DirectiveStore {
  readonly #byLayer: Record<Layer, Directive[]> = { file: [], environment: [], 'command line': [], settings: [] }
  readonly #byName = new Map<string, Partial<Record<Layer, Directive[]>>>()
  #count = 0

  /** @returns false when there is no room for more */
  add(directive: Directive): boolean {
    if (this.#count >= mostDirectives) return false
    this.#count++
    this.#byLayer[directive.layer].push(directive)
    const named = this.#byName.get(directive.name) ?? {}
    this.#byName.set(directive.name, named)
    const list = named[directive.layer] ?? []
    named[directive.layer] = list
    list.push(directive)
    return true
  }

  /** From the weakest layer to the strongest, within one in the order given. */
  all(): readonly Directive[] {
    return layers.flatMap((layer) => this.#byLayer[layer])
  }

  /** Those of one name, the strongest layer first, within one in the order given: `%(name)` takes the first of them. */
  named(name: string): readonly Directive[] {
    const named = this.#byName.get(name)
    if (named === undefined) return []
    return layers.toReversed().flatMap((layer) => named[layer] ?? [])
  }
}

export const mostDirectivesText = `more than ${mostDirectives} options`
