// Sends the files of its folder.
import { type Plugin, PolywsgiError } from 'polywsgi/plugin'

export default {
  name: 'page',
  modifier1: 250,

  request(request) {
    try {
      request.sendfile(`${import.meta.dirname}${request.pathInfo}`, { roots: [import.meta.dirname] })
    } catch (error) {
      if (!(error instanceof PolywsgiError)) throw error
      request.prepareHeaders(error.code === 'API_IO' ? '404 Not Found' : '403 Forbidden')
    }
    return 0
  },
} satisfies Plugin
