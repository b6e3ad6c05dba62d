// Watches directories of code for changed files: looks at them again and again, since events of the file system are missing where
// directories are mounted from elsewhere, and tell of an editor's "save" as it pleases. What counts is what stands there when
// nothing changes any more: a file that is written anew, renamed into its place or made by a tool in several steps is one change.
// Invariant: a change after `start` has resolved is told, once; what is left out is never looked at.
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

export interface CodeWatchOptions {
  /** Absolute; one that is not there may come. */
  readonly directories: readonly string[]
  /** `.py`, and so on. */
  readonly extensions: ReadonlySet<string>
  readonly intervalMs: number
  /** Absolute paths, never none. */
  readonly onChange: (changed: readonly string[]) => void
  /** There is more than is watched: said once. */
  readonly onTooMuch: (directory: string) => void
  /** For tests. */
  readonly limits?: { readonly files: number; readonly directories: number }
}

/** How they look now, by their paths. */
type Snapshot = Map<string, string>

/** Where nobody writes the code of an app by hand, and where there is much of it. Hidden directories are left out too. */
const leftOut: ReadonlySet<string> = new Set(['node_modules', '__pycache__'])
/** An app in the directory of everything must not cost a core. */
const defaultLimits = { files: 20_000, directories: 5000 }
/** A change is told when nothing has changed for so long. */
const settleMs = 100
/** What never comes to rest is told all the same, after so many looks. */
const mostLooks = 50

export class CodeWatch {
  readonly #options: CodeWatchOptions
  #seen: Snapshot = new Map()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #hasSaidTooMuch = false

  constructor(options: CodeWatchOptions) {
    this.#options = options
  }

  /** Resolves when what is there is known. */
  async start(): Promise<void> {
    this.#seen = await this.#look()
    this.#lookLater()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #lookLater(): void {
    if (this.#isClosed) return
    // From the end of one look to the begin of the next: a slow file system gets no more of them than it can answer.
    this.#timer = setTimeout(() => void this.#round(), this.#options.intervalMs).unref()
  }

  async #round(): Promise<void> {
    let now = await this.#look()
    const changed = new Set(differences(this.#seen, now))
    for (let looks = 1, news = changed.size; news > 0 && looks < mostLooks && !this.#isClosed; looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, settleMs).unref())
      const before = now
      now = await this.#look()
      const more = differences(before, now)
      for (const path of more) changed.add(path)
      news = more.length
    }
    this.#seen = now
    if (this.#isClosed) return
    if (changed.size > 0) this.#options.onChange([...changed].sort())
    this.#lookLater()
  }

  async #look(): Promise<Snapshot> {
    const snapshot: Snapshot = new Map()
    // Links may lead in circles, and directories may lie in each other.
    const visited = new Set<string>()
    for (const directory of this.#options.directories) await this.#lookInto(directory, snapshot, visited)
    return snapshot
  }

  async #lookInto(directory: string, snapshot: Snapshot, visited: Set<string>): Promise<void> {
    if (this.#isClosed) return
    const { extensions, onTooMuch, limits = defaultLimits } = this.#options
    let entries: Dirent[]
    try {
      const real = await realpath(directory)
      if (visited.has(real)) return
      visited.add(real)
      entries = await readdir(directory, { withFileTypes: true })
    } catch {
      // It is gone, or closed to us; it may come back.
      return
    }
    for (const entry of entries) {
      if (visited.size > limits.directories || snapshot.size >= limits.files) {
        if (!this.#hasSaidTooMuch) onTooMuch(directory)
        this.#hasSaidTooMuch = true
        return
      }
      const path = join(directory, entry.name)
      const isCode = extensions.has(extname(entry.name))
      if (entry.isDirectory()) {
        if (!isLeftOut(entry.name)) await this.#lookInto(path, snapshot, visited)
      } else if (entry.isFile() ? isCode : entry.isSymbolicLink() && !isLeftOut(entry.name)) {
        const found = await stat(path).catch(() => undefined)
        if (found?.isDirectory() === true) await this.#lookInto(path, snapshot, visited)
        else if (found?.isFile() === true && isCode) snapshot.set(path, `${found.mtimeMs} ${found.size} ${found.ino}`)
      }
    }
  }
}

const isLeftOut = (name: string): boolean => name.startsWith('.') || leftOut.has(name)

/** What has changed, come or gone. */
const differences = (before: Snapshot, now: Snapshot): string[] => {
  const changed: string[] = []
  for (const [path, look] of now) if (before.get(path) !== look) changed.push(path)
  for (const path of before.keys()) if (!now.has(path)) changed.push(path)
  return changed
}
