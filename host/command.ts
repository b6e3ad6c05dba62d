// The life of `polywsgi [options] [config-file]`: read the configuration, start, say ready, stop on a signal.

import { setFlagsFromString } from 'node:v8'
import type { Configuration, ImmediateAction } from './config/index.ts'
import { AppLoadError, ConfigError, PolywsgiError } from './errors.ts'
import { HookExit } from './hooks/action.ts'
import { createPluginLoader, Instance, loadConfiguration, parts } from './main.ts'
import { boundNursery } from './nursery.ts'
import { Pidfile } from './pidfile.ts'

/**
 * Exit codes of the command. `configuration` and `app`: starting again helps nobody before a person has changed something;
 * `failed`: the moment was bad (an address in use, say), or it is our own fault.
 */
export const ExitCode = { ok: 0, failed: 1, configuration: 2, app: 3 } as const

/** @returns the exit code, once the server has stopped */
export const runCommand = async (argv: readonly string[]): Promise<number> => {
  let instance: Instance
  let pidfile: Pidfile | undefined
  try {
    if (argv[0] === 'init') {
      process.stdout.write(`${await (await authoring()).init(argv.slice(1))}\n`)
      return ExitCode.ok
    }
    if (argv[0] === 'ctl') return await (await import('./ctl.ts')).ctl(argv.slice(1))
    const loader = createPluginLoader(process.cwd())
    const configuration = await loadConfiguration(argv, process.env, process.cwd(), loader)
    const { action, settings } = configuration
    if (action !== undefined) {
      // There is no log yet that could tell it.
      for (const failure of configuration.pluginFailures) process.stderr.write(`${failure}\n`)
      process.stdout.write(`${await textOf(action, configuration, loader)}\n`)
      return ExitCode.ok
    }
    if (settings.buildPlugin !== undefined) {
      process.stdout.write(`${await (await authoring()).build(settings.buildPlugin)}\n`)
      return ExitCode.ok
    }
    for (const assignment of settings.env) {
      const equals = assignment.indexOf('=')
      process.env[assignment.slice(0, equals)] = assignment.slice(equals + 1)
    }
    if (settings.chdir !== undefined) changeDirectory(settings.chdir)
    if (settings.pidfile !== undefined) pidfile = new Pidfile(settings.pidfile)
    // Of all threads that start from here on: whoever got hold of a function of the host could not make code of text by its
    // constructor. The process is ours alone; in an embedding program's it would be everybody's.
    if (settings.sandbox) setFlagsFromString('--disallow-code-generation-from-strings')
    instance = new Instance(configuration, parts, process.cwd())
  } catch (error) {
    return complain(error)
  }
  boundNursery()
  // A signal during the start stops the start; it must not find Node's default, which would leave sockets behind.
  const stopping = stopOnSignal(instance, () => {
    instance.vacuum()
    pidfile?.remove()
  })
  try {
    await Promise.race([instance.start(), stopping.begun])
    if (!stopping.hasBegun()) {
      pidfile?.write()
      sayReady(instance)
    }
  } catch (error) {
    // A start that was stopped has not failed.
    if (!stopping.hasBegun()) {
      const code = complain(error)
      await instance.stop(0)
      return code
    }
  }
  await stopping.done
  pidfile?.remove()
  return instance.hooks.exitCode ?? ExitCode.ok
}

/** What an action prints, without the final line break. */
const textOf = async (
  { kind, text = '' }: ImmediateAction,
  { settings }: Configuration,
  loader: ReturnType<typeof createPluginLoader>,
): Promise<string> => {
  if (kind === 'plugins-list') return await loader.list()
  if (kind === 'dot-h') return (await authoring()).typings()
  if (kind === 'build-config') return await (await authoring()).buildConfig(settings.pluginsDir)
  return text
}

/** Nobody who starts a server waits for what plugin authors need. */
const authoring = async (): Promise<typeof import('./authoring.ts')> => await import('./authoring.ts')

/** Always on standard error, whatever the log is: a supervisor waits for this line. */
const sayReady = (instance: Instance): void => {
  const addresses = instance.sockets.map(({ protocol, address }) =>
    protocol === 'http' && !address.startsWith('/') ? `http://${address}` : `${protocol} ${address}`,
  )
  process.stderr.write(`polywsgi ready${addresses.length > 0 ? ` (${addresses.join(', ')})` : ''}\n`)
}

const complain = (error: unknown): number => {
  if (error instanceof HookExit) return error.exitCode
  if (error instanceof AppLoadError) process.stderr.write(`polywsgi: ${error.message}\n*** no app loaded. GAME OVER ***\n`)
  else if (error instanceof PolywsgiError) process.stderr.write(`polywsgi: ${error.message}\n`)
  else process.stderr.write(`polywsgi: ${(error as Error)?.stack ?? String(error)}\n`)
  if (error instanceof ConfigError) return ExitCode.configuration
  return error instanceof AppLoadError ? ExitCode.app : ExitCode.failed
}

const changeDirectory = (path: string): void => {
  try {
    process.chdir(path)
  } catch (cause) {
    const message = `chdir = ${path}: the directory cannot be entered: ${(cause as Error).message}`
    throw new ConfigError('CONFIG_BAD_VALUE', message, { cause })
  }
}

interface Stopping {
  readonly begun: Promise<void>
  readonly done: Promise<void>
  hasBegun(): boolean
}

/**
 * The first SIGINT, SIGTERM or SIGQUIT stops gracefully, the second one at once. Differs from uWSGI: TERM stops.
 * @param vacuum removes what would be left behind
 */
const stopOnSignal = (instance: Instance, vacuum: () => void): Stopping => {
  const begun = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  let count = 0
  const receive = (signal: string): void => {
    count += 1
    if (count > 1) {
      instance.logger.text(`${signal} again: stopping at once`)
      vacuum()
      process.exit(ExitCode.ok)
    }
    instance.logger.text(`${signal}: stopping gracefully`)
    begun.resolve()
    instance.stop().then(
      (cutOff) => {
        instance.logger.text(
          cutOff === 0
            ? 'goodbye to polywsgi.'
            : `goodbye to polywsgi (${cutOff} running ${cutOff === 1 ? 'request was' : 'requests were'} cut off).`,
        )
        done.resolve()
      },
      (error: Error) => done.reject(error),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => receive(signal))
  // A guest that asks twice does not mean "at once".
  instance.onStopAsked = (by = 'uwsgi.stop()') => {
    if (count === 0) receive(by)
  }
  process.on('SIGHUP', () => {
    if (count > 0) return
    instance.logger.text('SIGHUP: reloading')
    instance.reloadSoon()
  })
  process.on('SIGUSR1', () => instance.operator.reportStats())
  process.on('SIGUSR2', () => instance.operator.reportWork())
  process.on('SIGTSTP', () => instance.operator.pause())
  return { begun: begun.promise, done: done.promise, hasBegun: () => count > 0 }
}
