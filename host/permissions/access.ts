// What guests may have of the machine, in one thread: the plan of the configuration, judged with the real places of files.
import { resolve } from 'node:path'
import type { GuestAccess, GuestFiles } from '../api/guest-access.ts'
import { HostFiles } from './guest-files.ts'
import type { PermissionPlan } from './permission-plan.ts'
import { nearestPlace } from './places.ts'
import { Roots } from './roots.ts'

export class Access implements GuestAccess {
  readonly isSandboxed: boolean
  readonly environment: ReadonlyMap<string, string>
  readonly roots: readonly string[]
  readonly #plan: PermissionPlan
  readonly #every: Roots
  readonly #mostFiles: number | undefined

  /**
   * @param apps directories of all apps of the server, and those of `pythonpath`
   * @param mostFiles that one interpreter may have open; undefined: as many as it commonly may
   */
  constructor(plan: PermissionPlan, apps: readonly string[] = [], mostFiles?: number) {
    this.#mostFiles = mostFiles
    this.#plan = plan
    this.isSandboxed = plan.isSandboxed
    this.environment = plan.environment
    this.roots = plan.paths
    this.#every = new Roots([...plan.readable, ...apps.map(nearestPlace)], plan.writable)
  }

  openFiles(): GuestFiles {
    const { readable, writable, paths, directory } = this.#plan
    return new HostFiles(new Roots(readable, writable, paths), directory, this.#mostFiles)
  }

  mayRead(path: string): boolean {
    return this.#every.isReadable(nearestPlace(resolve(this.#plan.directory, path)))
  }

  mayWrite(path: string): boolean {
    return this.#every.isWritable(nearestPlace(resolve(this.#plan.directory, path)))
  }
}
