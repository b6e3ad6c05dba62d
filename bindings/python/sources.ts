// Files and directories of the host that Python code is loaded from, made visible to the interpreter.
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AppLoadError } from '../../host/errors.ts'
import type { WorkerContext } from '../../host/plugin/plugin.ts'
import type { Pointer } from './capi.ts'
import type { Interpreter } from './runtime.ts'

/** `package.module` or `package.module:callable`. */
const modulePattern = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_]\w*))?$/

export const parseModule = (source: string): { module: string; callable: string | undefined } | undefined => {
  const [, module, callable] = modulePattern.exec(source) ?? []
  return module === undefined ? undefined : { module, callable }
}

export const isPythonFile = (source: string): boolean => /\.(py|wsgi)$/.test(source)

/**
 * Makes the file's directory visible to the guest; that of its target too when the file is a link.
 * @throws AppLoadError when there is no such file
 */
export const showFile = (interpreter: Interpreter, path: string): void => {
  const { mounts } = interpreter
  if (!statusOf(path).isFile()) throw new AppLoadError(`cannot load ${path}: it is not a file`)
  try {
    mounts.add(dirname(path))
    if (lstatSync(path).isSymbolicLink()) mounts.add(dirname(realpathSync(path)))
  } catch (cause) {
    throw new AppLoadError(`cannot load ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
  }
  mounts.enter(process.cwd())
}

const statusOf = (path: string): Stats => {
  try {
    return statSync(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new AppLoadError(`cannot load ${path}: ${code === 'ENOENT' ? 'no such file' : message}`, '', { cause })
  }
}

/** Makes the working directory visible, and returns it: modules are looked for there. */
export const showWorkingDirectory = ({ mounts }: Interpreter): string => {
  const directory = process.cwd()
  try {
    mounts.add(directory)
  } catch {
    // The working directory is one that cannot be shown; the module may still be on the Python path.
  }
  return directory
}

/** Makes the directories of `--pythonpath` visible; a list of those that exist. */
export const mountPythonPath = (
  { api, mounts }: Interpreter,
  { pythonPath, log }: Pick<WorkerContext, 'pythonPath' | 'log'>,
): Pointer => {
  const list = api.c.PyList_New(0)
  for (const entry of pythonPath) {
    const directory = resolve(entry)
    try {
      if (!statSync(directory).isDirectory()) throw new Error(`${directory} is not a directory`)
      mounts.add(directory)
    } catch (error) {
      log.text(`python: pythonpath ${entry} is left out: ${error instanceof Error ? error.message : String(error)}`)
      continue
    }
    const text = api.newStr(directory)
    api.c.PyList_Append(list, text)
    api.c.Py_DecRef(text)
  }
  return list
}

export const isRegularFile = async (path: string): Promise<boolean> =>
  await stat(path).then(
    (status) => status.isFile(),
    () => false,
  )
