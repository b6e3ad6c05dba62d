// `--build-plugin`: from a plugin's source to one file that is loaded by `--plugin`. Invariant: the file under its name is
// whole and a plugin, or as it was before.

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { BuildError } from './build-error.ts'
import { bundlePlugin } from './bundle.ts'
import { checkBuilt } from './check.ts'
import { locateSource } from './source.ts'

export { describeBuild } from './build-config.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Builder {
  /** The host's, embedded into what is built. */
  readonly version: string
  /** URL of the module that imports what was built. */
  readonly checkEntry: string
}

export interface Built {
  readonly name: string
  /** Absolute path. */
  readonly file: string
  readonly bytes: number
  readonly warnings: readonly string[]
}

/**
 * @param text `foobar.ts`, a folder, or either with a space and another name after it
 * @param cwd what relative paths are relative to
 * @throws BuildError
 */
export const buildPlugin = async (text: string, cwd: string, builder: Builder): Promise<Built> => {
  const source = locateSource(text, cwd)
  const { text: module, textWithMap, warnings } = await bundlePlugin(source, builder.version)
  const { name, target } = source
  // In the same folder: external modules are looked for from where the file lies, and a rename within one is atomic.
  const temporary = join(dirname(target), `.${name}_plugin.${process.pid}.mjs`)
  // Importing may take long, and then somebody gives up.
  const interrupted = (signal: NodeJS.Signals): void => {
    rmSync(temporary, { force: true })
    process.kill(process.pid, signal)
  }
  for (const signal of signals) process.once(signal, interrupted)
  try {
    writeFileSync(temporary, textWithMap)
    const { fault, isMisnamed } = await checkBuilt(temporary, name, builder.checkEntry)
    if (fault !== undefined) {
      const hint = isMisnamed === true ? `; another name may stand after the source: --build-plugin '${text} NAME'` : ''
      throw new BuildError(`unable to build ${relative(cwd, source.entry)}: ${fault.replaceAll(temporary, target)}${hint}`)
    }
    writeFileSync(temporary, module)
    renameSync(temporary, target)
  } catch (error) {
    if (error instanceof BuildError) throw error
    throw new BuildError(`unable to write ${target}: ${(error as Error).message}`, { cause: error })
  } finally {
    rmSync(temporary, { force: true })
    for (const signal of signals) process.off(signal, interrupted)
  }
  return { name, file: target, bytes: Buffer.byteLength(module), warnings }
}
