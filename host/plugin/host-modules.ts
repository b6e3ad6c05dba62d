// `polywsgi/plugin` and `polywsgi/protocol` as this very host has them, for plugins anywhere on the disk: a plugin's
// GuestError must be the class the host tests for, and a lone file has no node_modules beside it to find the package in.

import { registerHooks } from 'node:module'

/** What a built plugin leaves to its host. */
export const hostModules = ['polywsgi/plugin', 'polywsgi/protocol'] as const

/** Where the sources run as they are, they are the host's; the package's own name stands for the build. */
const sources: Readonly<Record<string, string>> = import.meta.url.endsWith('.ts')
  ? { 'polywsgi/plugin': './index.ts', 'polywsgi/protocol': '../../protocol/index.ts' }
  : {}

let isInstalled = false

/** To be called in every thread before it imports a plugin; a second call does nothing. */
export const installHostModules = (): void => {
  if (isInstalled) return
  isInstalled = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!hostModules.some((known) => known === specifier)) return nextResolve(specifier, context)
      // As if this file imported it: it lies in the package.
      return nextResolve(sources[specifier] ?? specifier, { ...context, parentURL: import.meta.url })
    },
  })
}
