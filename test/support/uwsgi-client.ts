// A uwsgi client: what a front end sends to a uwsgi socket, and all bytes that come back.
import { connect, type Socket } from 'node:net'
import { encodePacket, encodeVars } from '../../protocol/index.ts'

export const openUwsgi = async (address: string): Promise<Socket> => {
  const match = /^(.*):(\d+)$/.exec(address)
  const socket = match === null ? connect(address) : connect(Number(match[2]), match[1])
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

/** Everything until the server closes, as Latin-1 text. */
export const readToEnd = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}

export const uwsgiPacket = (vars: Record<string, string>, modifier1 = 0, modifier2 = 0): Uint8Array =>
  encodePacket(modifier1, modifier2, encodeVars(Object.entries(vars)))

/** The variables every front end sends, for a path. */
export const getVars = (path: string, more: Record<string, string> = {}): Record<string, string> => ({
  REQUEST_METHOD: 'GET',
  REQUEST_URI: path,
  PATH_INFO: path.split('?')[0] as string,
  QUERY_STRING: path.split('?')[1] ?? '',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'localhost',
  SERVER_PORT: '80',
  REMOTE_ADDR: '127.0.0.1',
  HTTP_HOST: 'localhost',
  ...more,
})

export const uwsgiRequest = async (
  address: string,
  vars: Record<string, string>,
  body: Uint8Array = new Uint8Array(0),
  modifier1 = 0,
): Promise<string> => {
  const socket = await openUwsgi(address)
  socket.write(uwsgiPacket(body.length > 0 ? { ...vars, CONTENT_LENGTH: String(body.length) } : vars, modifier1))
  if (body.length > 0) socket.write(body)
  return await readToEnd(socket)
}
