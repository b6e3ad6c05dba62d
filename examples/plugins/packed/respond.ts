// What the plugin answers.
import type { RequestResult, WsgiRequest } from 'polywsgi/plugin'

export const respond = (request: WsgiRequest): RequestResult => {
  request.addHeader('Content-Type', 'text/plain')
  request.writeBody(`you asked for ${request.pathInfo}\n`)
  return 0
}
