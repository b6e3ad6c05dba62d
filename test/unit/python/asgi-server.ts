// What tests of ASGI share: a server whose application runs the code that a request brings.
import { expect } from 'vitest'
import type { HarnessOptions, HarnessRequest, HarnessResponse } from '../../support/plugin-harness.ts'
import { PythonServer } from './python-harness.ts'

/** The tests of requests hold for both. */
export const coreCounts = [
  ['one core', 1],
  ['many cores', 20],
] as const

export class AsgiServer {
  readonly python: PythonServer

  private constructor(python: PythonServer) {
    this.python = python
  }

  static async boot(cores: number, options: HarnessOptions = {}): Promise<AsgiServer> {
    const server = new AsgiServer(await PythonServer.boot('asgi.py', { cores, ...options }))
    await server.run('return 0')
    server.python.takeLog()
    return server
  }

  /** Runs code in a coroutine of a request. */
  async run(code: string, request: HarnessRequest = {}): Promise<HarnessResponse> {
    return await this.python.ask('application', { method: 'POST', body: code, ...request })
  }

  /** What the code returns, as text. */
  async text(code: string, request: HarnessRequest = {}): Promise<string> {
    const { text, status } = await this.run(code, request)
    if (status !== '200 OK') expect.fail(`${status}\n${this.python.takeLog().join('\n')}`)
    return text
  }

  /** Until code of the application says so. */
  async until(expression: string): Promise<void> {
    while ((await this.text(`return ${expression}`)) !== 'True') await turn()
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
