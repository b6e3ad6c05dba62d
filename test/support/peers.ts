// Programs of other people that tests are driven with. A suite whose peer is missing is skipped by name; under CI=true it
// fails instead, so that a green run there means that everything was tried.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, it } from 'vitest'

const peers = { nginx: 'nginx', curl: 'curl', wrk: 'wrk', uwsgi: 'uwsgi-core', logrotate: 'logrotate' } as const
export type Peer = keyof typeof peers

/** The absolute path of a program, or undefined. Debian keeps some servers where a plain user's PATH does not look. */
export const findProgram = (name: string): string | undefined => {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return places
    .map((place) => join(place, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export const peerPath = (peer: Peer): string => {
  const path = findProgram(peers[peer])
  if (path === undefined) throw new Error(`${peers[peer]} is not installed`)
  return path
}

/** A suite that needs peers. */
export const describeWithPeers = (title: string, needed: readonly Peer[], suite: () => void): void => {
  const missing = needed.filter((peer) => findProgram(peers[peer]) === undefined)
  if (missing.length === 0) describe(title, suite)
  else if (process.env['CI'] === 'true') {
    describe(title, () => {
      it(`needs ${missing.join(', ')}`, () => {
        throw new Error(`not installed: ${missing.join(', ')}`)
      })
    })
  } else describe.skip(`${title} (not installed: ${missing.join(', ')})`, suite)
}
