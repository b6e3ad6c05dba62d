// Options from the environment: POLYWSGI_HTTP_SOCKET is http-socket. UWSGI_ is read too, as uWSGI does, and yields to the
// same option under our own prefix. An empty variable counts as not set, which is how container tools write it.
import type { FileRequest } from './config-files.ts'
import type { Directive } from './directive.ts'
import type { Option } from './option.ts'
import type { OptionTable } from './option-table.ts'

export interface Environment {
  readonly directives: readonly Directive[]
  readonly files: readonly FileRequest[]
  readonly warnings: readonly string[]
}

const prefixes = ['POLYWSGI_', 'UWSGI_'] as const

export const parseEnvironment = (env: Readonly<Record<string, string | undefined>>, table: OptionTable): Environment => {
  const directives: Directive[] = []
  const files: FileRequest[] = []
  const warnings: string[] = []
  const taken = new Set<Option>()
  for (const prefix of prefixes) {
    // Sorted, so that the same environment gives the same configuration on every machine.
    const variables = Object.keys(env).filter((variable) => variable.startsWith(prefix) && env[variable])
    const found: Option[] = []
    for (const variable of variables.sort()) {
      const name = variable.slice(prefix.length).toLowerCase().replaceAll('_', '-')
      const option = table.find(name)?.option
      if (option === undefined) {
        // uWSGI keeps notes of its own in UWSGI_ variables; ours are all options.
        if (prefix === 'POLYWSGI_') warnings.push(`${variable}: ${table.unknownOption(name, '')}; the variable is ignored`)
        continue
      }
      if (taken.has(option)) continue
      if (option.type === 'action') {
        warnings.push(`${variable}: '${name}' works on the command line only; the variable is ignored`)
        continue
      }
      found.push(option)
      const value = env[variable]!
      if (option.type === 'file') files.push({ name, target: value, format: option.format, where: variable })
      directives.push({ name, value, layer: 'environment', where: variable })
    }
    for (const option of found) taken.add(option)
  }
  return { directives, files, warnings }
}
