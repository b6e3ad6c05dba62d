// Finds the app for a request. Pure: apps and three request variables in, an app and its view of the path out.

import type { App } from '../plugin/app.ts'

export interface Route {
  readonly app: App
  /** The request's path, split at the app's mountpoint. */
  readonly scriptName: string
  readonly pathInfo: string
}

/**
 * The rules, in order (uWSGI: "Managing the SCRIPT_NAME and PATH_INFO", `manage-script-name` always on):
 * - an app mounted exactly at SCRIPT_NAME: the front end has split the path already;
 * - else the app with the longest mountpoint that is a prefix of PATH_INFO, ending at a slash or at the path's end;
 * - else the default app: with a modifier1 other than 0 its language's first app, with modifier1 0 the only app there is
 *   whatever its language, or, with several, the first one of modifier1 0.
 * Only apps of the packet's modifier1 are looked at, except that modifier1 0, which is what front ends send unless told
 * otherwise, finds apps of any language. A number that belongs to a plugin which serves by itself finds no app, but for 0 and
 * a prefix: that is said of the path, and counts more than what is said of all requests.
 */
export class Mountpoints {
  readonly #byLength: readonly App[]
  readonly #inLoadOrder: readonly App[]

  readonly #isPluginsOwn: (modifier1: number) => boolean

  /** @param isPluginsOwn whether packets of a modifier1 are for a plugin that serves by itself */
  constructor(apps: readonly App[], isPluginsOwn: (modifier1: number) => boolean = () => false) {
    this.#isPluginsOwn = isPluginsOwn
    this.#inLoadOrder = apps
    this.#byLength = [...apps].sort((a, b) => b.mountpoint.length - a.mountpoint.length)
  }

  get size(): number {
    return this.#inLoadOrder.length
  }

  find(modifier1: number, scriptName: string, pathInfo: string): Route | undefined {
    // With no app there is nothing to be found, and nobody to be asked.
    if (this.#inLoadOrder.length === 0) return undefined
    const isPluginsOwn = this.#isPluginsOwn(modifier1)
    if (isPluginsOwn && modifier1 !== 0) return undefined
    if (scriptName !== '') {
      for (const app of this.#byLength) {
        if (app.mountpoint === scriptName && isServed(app, modifier1)) return { app, scriptName, pathInfo }
      }
    }
    for (const app of this.#byLength) {
      if (isPluginsOwn && app.mountpoint === '') break
      if (isServed(app, modifier1) && isBelow(pathInfo, app.mountpoint)) {
        const { mountpoint } = app
        return { app, scriptName: scriptName + mountpoint, pathInfo: pathInfo.slice(mountpoint.length) }
      }
    }
    if (isPluginsOwn) return undefined
    const app = this.#defaultApp(modifier1)
    return app === undefined ? undefined : { app, scriptName, pathInfo }
  }

  #defaultApp(modifier1: number): App | undefined {
    if (modifier1 === 0 && this.#inLoadOrder.length === 1) return this.#inLoadOrder[0]
    return this.#inLoadOrder.find((app) => app.modifier1 === modifier1)
  }
}

const isServed = (app: App, modifier1: number): boolean => modifier1 === 0 || app.modifier1 === modifier1

const isBelow = (path: string, mountpoint: string): boolean => {
  if (!path.startsWith(mountpoint)) return false
  return mountpoint === '' || path.length === mountpoint.length || path.charCodeAt(mountpoint.length) === slash
}
const slash = 0x2f
