// A folder of files for one test, and what a server holds open of it.
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export class FileTree implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-files-')))

  /** Writes a file, its folders too. @returns its path */
  file(name: string, contents: string | Uint8Array = name): string {
    const path = join(this.root, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
    return path
  }

  link(name: string, target: string): string {
    const path = join(this.root, name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path)
    return path
  }

  /** The files below this folder that a process has open. */
  openedBy(pid: number): string[] {
    return readdirSync(`/proc/${pid}/fd`)
      .map((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`)
        } catch {
          return ''
        }
      })
      .filter((path) => path.startsWith(this.root))
  }

  /** Resolves when a process has some of them open: it does what it has logged a moment later. */
  async openIn(pid: number): Promise<string[]> {
    for (;;) {
      const open = this.openedBy(pid)
      if (open.length > 0) return open
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Resolves when a process has none of them open any more. */
  async closedBy(pid: number): Promise<void> {
    while (this.openedBy(pid).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
