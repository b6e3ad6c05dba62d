// What reads the stats server of uWSGI: connects, and takes everything until the end.
import { connect } from 'node:net'

/** @param address `host:port`, or the path of a unix socket */
export const readStats = async (address: string): Promise<string> => {
  const match = /^(.*):(\d+)$/.exec(address)
  const socket = match === null ? connect(address) : connect(Number(match[2]), match[1])
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += chunk
  return text
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of another program.
export const parsedStats = async (address: string): Promise<any> => JSON.parse(await readStats(address))
