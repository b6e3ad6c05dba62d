// Which registrations are known already. Every thread loads the apps itself, and so do respawns and reloads: what they
// register while loading is one registration, told by its arguments and by how many equal ones the thread made before it.
// Invariant: a key that was made while loading makes one entry, until a reload comes through without it.
import type { Registration } from '../api/master-calls.ts'

export class Registrations<Entry> {
  #load = 0
  readonly #made = new Map<string, { readonly entry: Entry; load: number }>()

  /**
   * Makes the entry unless it is there already.
   * @param make may throw; then nothing is remembered
   */
  add(args: readonly unknown[], registration: Registration, make: () => Entry): void {
    if (!registration.whileLoading) {
      make()
      return
    }
    const key = JSON.stringify([...args, registration.ordinal])
    const known = this.#made.get(key)
    if (known !== undefined) known.load = this.#load
    else this.#made.set(key, { entry: make(), load: this.#load })
  }

  reloadStarted(): void {
    this.#load += 1
  }

  /** @returns the entries that the apps as they are now do not register any more */
  reloadFinished(): Entry[] {
    const gone: Entry[] = []
    for (const [key, { entry, load }] of this.#made) {
      if (load === this.#load) continue
      this.#made.delete(key)
      gone.push(entry)
    }
    return gone
  }
}
