// What a part of the soak is: it drives the built program in one way, says what it saw, and names what must not be.

export interface Plan {
  readonly seed: number
  /** How long a part that goes by time runs. */
  readonly seconds: number | undefined
  /** How much a part that goes by number does: inputs, requests, reloads. */
  readonly count: number | undefined
  /** `--harakiri-grace` of the servers, in seconds; undefined: theirs. */
  readonly harakiriGrace: number | undefined
  /** A line about how far it is. */
  readonly say: (line: string) => void
}

export interface Outcome {
  /** Figures for the table, in their order. */
  readonly facts: readonly (readonly [name: string, value: string | number])[]
  /** What must not be. Empty: the part has passed. */
  readonly violations: readonly string[]
}

export interface Part {
  readonly name: string
  /** What it does and what must hold, in one sentence. */
  readonly purpose: string
  run(plan: Plan): Promise<Outcome>
}

/** Gathers violations, the first of each kind in words and the others by number: a flood says no more than its beginning. */
export class Violations {
  readonly #first = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  add(kind: string, details = ''): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count === 1) this.#first.set(kind, details)
  }

  get size(): number {
    return this.#counts.size
  }

  list(): string[] {
    return [...this.#counts].map(
      ([kind, count]) => `${kind} (${count}x)${this.#first.get(kind) ? `: ${this.#first.get(kind)}` : ''}`,
    )
  }
}
