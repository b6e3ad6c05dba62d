// Many connections that ask at once, held by a process of their own: what a row sees of them.
import { join } from 'node:path'
import { encodePacket, encodeVars } from '../protocol/index.ts'
import { type Companion, startCompanion } from './companion.ts'
import type { CrowdPlan, CrowdReport, FromCrowd, ToCrowd } from './crowd-client.ts'

/** A crowd whose connections are open. */
export interface OpenCrowd extends AsyncDisposable {
  /** All ask; resolves with what came of it, the failures to open a connection among it. */
  ask(): Promise<CrowdReport>
}

/** Resolves when every connection is open or has failed to. */
export async function openCrowd(plan: CrowdPlan): Promise<OpenCrowd> {
  const client: Companion<ToCrowd, FromCrowd> = startCompanion(join(import.meta.dirname, 'crowd-client.ts'))
  const opened = client.next('opened')
  client.send({ kind: 'open', plan })
  await opened
  return {
    async ask() {
      const answered = client.next('report')
      client.send({ kind: 'ask' })
      return (await answered).report
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** How many did not get their answer. */
export function failuresOf({ failures }: CrowdReport): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}

/** A GET over HTTP/1.1, on a connection that may stay open. */
export function httpRequest(path: string): string {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).toString('base64')
}

/** A GET over the uwsgi protocol. */
export function uwsgiRequest(path: string, modifier1: number): string {
  const [info = '', query = ''] = path.split('?')
  const vars = {
    REQUEST_METHOD: 'GET',
    REQUEST_URI: path,
    PATH_INFO: info,
    QUERY_STRING: query,
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '127.0.0.1',
  }
  return Buffer.from(encodePacket(modifier1, 0, encodeVars(Object.entries(vars)))).toString('base64')
}
