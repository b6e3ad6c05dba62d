// What the tests of the Python binding share: where their applications are, and a server for one of them.
import { fileURLToPath } from 'node:url'
import plugin from '../../../bindings/python/index.ts'
import { type HarnessOptions, type HarnessRequest, type HarnessResponse, PluginHarness } from '../../support/plugin-harness.ts'

const apps = new URL('../../apps/python/', import.meta.url)

/** Absolute path of a file or directory of the test applications. */
export const appPath = (name: string): string => fileURLToPath(new URL(name, apps))

/** A worker with several callables of one file, each mounted at `/<callable>`. */
export class PythonServer {
  readonly harness: PluginHarness
  readonly #file: string

  private constructor(harness: PluginHarness, file: string) {
    this.harness = harness
    this.#file = file
  }

  static async boot(file: string, options?: HarnessOptions): Promise<PythonServer> {
    return new PythonServer(await PluginHarness.boot(plugin, options), appPath(file))
  }

  /** Sends a request to a callable of the file, mounting it when it is first asked for. */
  async ask(callable: string, request: HarnessRequest = {}): Promise<HarnessResponse> {
    const mountpoint = `/${callable}`
    if (!this.harness.apps.some((app) => app.mountpoint === mountpoint))
      await this.harness.mount(this.#file, mountpoint, callable)
    return await this.harness.request({ ...request, mountpoint })
  }

  /** Log lines since the last call. */
  takeLog(): string[] {
    return this.harness.logLines.splice(0)
  }
}

/** Runs Python code inside a request and answers with what it left in `result`, or with the exception it raised. */
export const probe = async (server: PythonServer, code: string): Promise<string> =>
  (await server.ask('application', { method: 'POST', body: code })).text
