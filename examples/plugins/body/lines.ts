// Counts the lines of the request's body.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'lines',
  modifier1: 250,

  async request(request) {
    request.prepareHeaders('405 Method Not Allowed')
    request.addContentType('text/plain')
    request.addHeader('Allow', 'POST')
    if (request.method !== 'POST') return 0

    let count = 0
    let longest = 0
    for (;;) {
      const line = await request.input.readLineAsync()
      if (line.length === 0) break
      count += 1
      longest = Math.max(longest, line.length)
    }

    // Another status drops the headers that were added before.
    request.prepareHeaders('200 OK')
    request.addContentType('text/html')
    request.replaceHeader('Content-Type', 'text/plain')
    await request.writeBodyAsync(`${count} lines, the longest of ${longest} bytes\n`)
    try {
      request.addHeader('X-Lines', String(count))
    } catch (error) {
      await request.writeBodyAsync(`too late: ${(error as Error).message}\n`)
    }
    return 0
  },
} satisfies Plugin
